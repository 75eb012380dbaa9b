"""Logins by digest: the samples beside the tree, and what our client answers to each challenge.

A response holds a number that the client makes up, so it is computed here anew from what the client
said, by RFC 7616 and hashlib; that this computation is right is what the samples show.
"""
import hashlib
import http.server
import json
import os
import re
import sys
import threading

import pytest
import town

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "sim", "doubles"))
from http_story import Surfer  # noqa: E402

SAMPLES = os.path.join(town.ROOT, "..", "shared", "vectors", "digest", "digest.jsonl")
HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
SPOKEN = {one + more for one in HASHES for more in ("", "-SESS")}  # what host.http promises
OURS = [{  # RFC 7616 3.9.1
    "name": "rfc7616_sha256", "user": "Mufasa", "pw": "Circle of Life", "method": "GET",
    "uri": "/dir/index.html",
    "challenge": 'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
                 'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
                 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    "nc": "00000001", "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    "response": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"}]


def said(header):
    return {k.lower(): v.strip('"') for k, v in re.findall(r'([\w-]+)\s*=\s*("[^"]*"|[^\s,]+)', header)}


def algorithm_of(challenge):
    return said(challenge).get("algorithm", "MD5").upper()


def response(challenge, user, password, method, uri, nc=None, cnonce=None, qop="auth", body=b""):
    """What the right answer to the challenge is."""
    told, algorithm = said(challenge), algorithm_of(challenge)

    def digest(text):
        text = text if isinstance(text, bytes) else text.encode()
        return hashlib.new(HASHES[algorithm.removesuffix("-SESS")], text).hexdigest()
    first = digest(f"{user}:{told['realm']}:{password}")
    if algorithm.endswith("-SESS"):
        first = digest(f"{first}:{told['nonce']}:{cnonce}")
    second = digest(f"{method}:{uri}" + (f":{digest(body)}" if qop == "auth-int" else ""))
    if "qop" in told:
        return digest(f"{first}:{told['nonce']}:{nc}:{cnonce}:{qop}:{second}")
    return digest(f"{first}:{told['nonce']}:{second}")


def samples():
    if not os.path.exists(SAMPLES):
        return []
    with open(SAMPLES, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def name_of(sample):
    return sample.get("name") or sample["source"]


FOUND = samples()
ANSWERED = [one for one in FOUND + OURS if "response" in one]


@pytest.mark.skipif(not FOUND, reason=f"the samples of others are absent: {SAMPLES}")
def test_the_samples_of_others_are_tried_too():
    assert all(one in ANSWERED for one in FOUND if "response" in one) and len(ANSWERED) > len(OURS)


@pytest.mark.parametrize("sample", ANSWERED, ids=name_of)
def test_the_computation_is_that_of_the_samples(sample):
    assert response(sample["challenge"], sample["user"], sample["pw"], sample["method"], sample["uri"],
                    sample.get("nc"), sample.get("cnonce")) == sample["response"]


class Challenger:
    """A server that gives one challenge, and then believes whoever answers it rightly.

    `beside` are others that it offers before that one; `bodies` what came with each request.
    """

    def __init__(self, challenges, user, password, beside=()):
        self.challenges, self.user, self.password = list(challenges), user, password
        self.beside, self.logins, self.bodies = beside, [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_args):
                pass

            def do_GET(self):  # noqa: N802 (http.server names it)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.bodies.append(body)
                status = outer.judge(self.command, self.headers.get("Authorization"), self.path, body)
                self.send_response(status)
                for challenge in (*outer.beside, outer.challenges[0]) if status == 401 else ():
                    self.send_header("WWW-Authenticate", challenge)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_PUT = do_GET
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def judge(self, method, login, path, body=b""):
        if login is None:
            return 401
        got, challenge = said(login), self.challenges[0]
        wanted = response(challenge, self.user, self.password, method, path, got.get("nc"), got.get("cnonce"),
                          got.get("qop", "auth"), body)
        right = got["response"] == wanted and got["uri"] == path and got["nonce"] == said(challenge)["nonce"]
        self.logins.append(right)
        if right and len(self.challenges) > 1:
            self.challenges.pop(0)
            return 401
        return 200 if right else 401

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def ask(tmp_path, closing, server, path, password, **more):
    wish = {"url": server.url + path, "user": server.user, "password": password, **more}
    told, = closing(Surfer(tmp_path, [{"wish": wish}])).told()
    return told


@pytest.mark.parametrize("sample", ANSWERED, ids=name_of)
def test_our_client_answers_each_challenge_rightly_and_once(sample, tmp_path, closing):
    if algorithm_of(sample["challenge"]) not in SPOKEN:
        pytest.skip(f"host.http does not speak {algorithm_of(sample['challenge'])}")
    server = closing(Challenger([sample["challenge"]], sample["user"], sample["pw"]))
    told = ask(tmp_path, closing, server, sample["uri"], sample["pw"])
    assert (told["status"], server.logins) == (200, [True])


@pytest.mark.parametrize("sample", ANSWERED, ids=name_of)
def test_a_wrong_password_is_answered_once(sample, tmp_path, closing):
    if algorithm_of(sample["challenge"]) not in SPOKEN:
        pytest.skip(f"host.http does not speak {algorithm_of(sample['challenge'])}")
    server = closing(Challenger([sample["challenge"]], sample["user"], sample["pw"]))
    told = ask(tmp_path, closing, server, sample["uri"], "wrong")
    assert (told["status"], server.logins) == (401, [False])


STALE = [one for one in FOUND if "stale=true" in one["challenge"].lower().replace('"', "")]
STALE.append({"name": "rfc7616_stale", "challenge": OURS[0]["challenge"] + ", stale=TRUE"})


@pytest.mark.parametrize("sample", STALE, ids=name_of)
def test_only_a_stale_nonce_is_answered_again_with_the_same_password(sample, tmp_path, closing):
    first = 'Digest realm="DVR", nonce="old1", qop="auth"'
    server = closing(Challenger([first, sample["challenge"]], "admin", "pw"))
    told = ask(tmp_path, closing, server, "/x", "pw")
    assert (told["status"], server.logins) == (200, [True, True])


@pytest.mark.parametrize("algorithm", sorted(SPOKEN))
def test_of_several_challenges_the_strongest_is_answered(algorithm, tmp_path, closing):
    weaker = ('Basic realm="a, b"', 'Digest realm="DVR", nonce="weak", qop="auth"',
              'Digest realm="DVR", nonce="odd", qop="auth", algorithm=SHA-1')
    beside = weaker if algorithm.startswith("SHA") else weaker[::2]
    strong = f'Digest realm="DVR", nonce="strong", qop="auth", algorithm="{algorithm}"'
    server = closing(Challenger([strong], "admin", "pw", beside))
    told = ask(tmp_path, closing, server, "/x?a=b&c=[d]", "pw")
    assert (told["status"], server.logins) == (200, [True])


def test_a_body_goes_out_with_the_login_and_is_protected_when_the_server_wishes(tmp_path, closing):
    server = closing(Challenger(['Digest realm="DVR", nonce="n", qop="auth-int"'], "admin", "pw"))
    told = ask(tmp_path, closing, server, "/x", "pw", method="PUT", body="face")
    assert (told["status"], server.logins, server.bodies) == (200, [True], [b"", b"face"])


def test_a_challenge_that_nobody_here_can_answer_costs_no_attempt(tmp_path, closing):
    server = closing(Challenger(['Digest realm="DVR", nonce="n", algorithm=SHA-1'], "admin", "pw"))
    told = ask(tmp_path, closing, server, "/x", "pw")
    assert (told["status"], server.logins) == (401, [])
