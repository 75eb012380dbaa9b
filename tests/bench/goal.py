"""goal - what a bench shows: product and limit in turn, A B A B, and a verdict on their ratio.

Pass is the median at the floor (or, better, at what is excellent) with the lower quartile at 0.9 of
it. When the limit itself swings by more than 3, the clock decides nothing: inconclusive. Counted
figures (syncs, bytes, wake-ups) do not depend on the load of the machine and are hard."""
import statistics


class Goal:
    """`measure()` returns a list of ratios or counts, and a list of the limit's own figures, which
    may be empty; `most` when small is good; `reported` when it only tells (on a disk whose sync
    costs next to nothing, durable ingest is a race of processors)."""

    def __init__(self, name, what, floor, excellent, measure, most=False, unit="", reported=False):
        self.name, self.what, self.measure = name, what, measure
        self.floor, self.excellent, self.most, self.unit = floor, excellent, most, unit
        self.reported = reported

    def meets(self, value, bound, slack=1.0):
        return value <= bound / slack if self.most else value >= bound * slack

    def verdict(self, values, limits):
        if self.reported:
            return "reported"
        if limits and min(limits) > 0 and max(limits) / min(limits) > 3:
            return "inconclusive"
        middle = statistics.median(values)
        bad_side = quartiles(values)[1 if self.most else 0]
        for word, bound in (("excellent", self.excellent), ("floor", self.floor)):
            if self.meets(middle, bound) and self.meets(bad_side, bound, 0.9):
                return word
        return "BELOW FLOOR"

    def row(self):
        values, limits = self.measure()
        low, high = quartiles(values)
        verdict = self.verdict(values, limits)
        sign = "<=" if self.most else ">="
        return (f"| {self.name} | {self.what} | {sign} {self.floor:g} / {self.excellent:g} | "
                f"**{statistics.median(values):.3g}**{self.unit} ({low:.3g}-{high:.3g}, "
                f"n={len(values)}) | {verdict} |"), verdict


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0]
    cuts = statistics.quantiles(values, n=4, method="inclusive")
    return cuts[0], cuts[2]


def in_turn(count, product, limit, ratio):
    """Runs limit, product, limit, product ...; the ratios and the limit's rates."""
    ratios, rates = [], []
    for _ in range(count):
        bound = limit()
        rates.append(bound["rate"])
        ratios.append(ratio(product(), bound))
    return ratios, rates
