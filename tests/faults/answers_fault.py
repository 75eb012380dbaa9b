"""Answers that come late, still later or twice, for a long time: none is taken for that of another question."""
import pytest

from doubles_story import check_attribution


@pytest.mark.slow
@pytest.mark.parametrize("wire", ["tcp", "rtu"])
@pytest.mark.parametrize("fault", ["late", "later", "twice"])
def test_no_answer_is_wrongly_attributed_in_10000_polls(tmp_path, closing, wire, fault):
    check_attribution(tmp_path, closing, wire, fault, 10000, 0.01)
