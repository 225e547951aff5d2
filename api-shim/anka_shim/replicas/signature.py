"""Proof that a question and its answer are of replicas that share a key. Pure.

Who answers for a replica decides when a write counts as seen by all: a forged answer would show CI an old state, a
forged question would make this replica busy. So both are signed: the question with its time and a number that is used
once, the answer together with the signature of its question.
"""

import hashlib
import hmac
from collections import OrderedDict

HEADER = "X-Anka-Peer"
"""Of the question: `TIME NONCE SIGNATURE`, in Unix seconds and hexadecimal; of the answer: `SIGNATURE`."""

WINDOW_SECONDS = 30
"""How far the clocks of two replicas may be apart, and how long a question is good."""
MOST_REMEMBERED = 262_144
"""Questions that are kept in mind: each replica asks 40 times a second for each kind at most."""


class ForgedError(ValueError):
    """Not of a replica that has our key, or not of now; str() says why."""


def sign_question(key: bytes, now: float, nonce: str, method: str, target: str) -> str:
    """The header. `target`: path and query as they are sent. `nonce`: 32 random hexadecimal digits."""
    moment = str(int(now))
    return f"{moment} {nonce} {_sign(key, 'question', moment, nonce, method, target)}"


def sign_answer(key: bytes, question: str, body: bytes) -> str:
    """The header. `question`: the header of the question."""
    return _sign(key, "answer", question, hashlib.sha256(body).hexdigest())


def check_answer(key: bytes, question: str, body: bytes, given: str) -> None:
    """Raises ForgedError."""
    if not hmac.compare_digest(sign_answer(key, question, body).encode(), given.encode()):
        raise ForgedError("its answer is not signed with our --peer-key-file")


def _sign(key: bytes, *parts: str) -> str:
    # No part has a newline: what differs cannot look alike.
    return hmac.new(key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()


class QuestionCheck:
    """Remembers the questions of the last WINDOW_SECONDS: none counts twice."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, float] = OrderedDict()

    def check(self, key: bytes, now: float, given: str, method: str, target: str) -> None:
        """`given`: the header. Raises ForgedError."""
        moment, _, rest = given.partition(" ")
        nonce, _, _ = rest.partition(" ")
        if not (moment.isascii() and moment.isdecimal() and len(moment) <= 12 and "\n" not in given + target):
            raise ForgedError("the question is not signed")
        expected = sign_question(key, int(moment), nonce, method, target)
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise ForgedError("the question is not signed with our --peer-key-file")
        if abs(now - int(moment)) > WINDOW_SECONDS:
            raise ForgedError(f"the question is more than {WINDOW_SECONDS} s from this replica's clock")
        self._remember(nonce, now)

    def _remember(self, nonce: str, now: float) -> None:
        # A question of a clock that is ahead stays good for twice the window.
        while self._seen and next(iter(self._seen.values())) < now - 2 * WINDOW_SECONDS:
            self._seen.popitem(last=False)
        if nonce in self._seen:
            raise ForgedError("the question was asked before")
        if len(self._seen) >= MOST_REMEMBERED:
            raise ForgedError("too many questions")
        self._seen[nonce] = now
