"""How much memory the bodies of all requests may take together."""

from types import TracebackType
from typing import Self

from anka_shim import metrics
from anka_shim.failure import Failure

FREE_BYTES = 16_384
"""Of each body, not counted: while others fill the budget, ordinary requests still pass."""

_PER_ITEM = 64
_PER_OBJECT = 192
"""Bytes that a part of a parsed document takes, at most: `[[],[],…` is far larger than its text. A key is one, too."""
_WIDEST = 4
"""Bytes that each character of a text takes if one of them is, say, an emoji."""


class BodyBudget:
    """`longest`: bytes of one body; `limit`: of all at a time, with what is parsed of them."""

    def __init__(self, *, longest: int, limit: int) -> None:
        self.longest = longest
        self.limit = limit
        self.taken = 0

    def open(self) -> "BodyReservation":
        """What one request takes, while its block lasts."""
        return BodyReservation(self)


class BodyReservation:
    """Every method that takes more raises Failure when there is too little left."""

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budget.taken -= self._taken

    def check(self, size: int) -> None:
        """So many bytes are announced."""
        if size > self._budget.longest:
            raise Failure(f"the request body is larger than {self._budget.longest} bytes")

    def take_text(self, size: int) -> None:
        """So many bytes have arrived."""
        self.check(size)
        self._grow(size)

    def take_parsed(self, text: bytes) -> None:
        """The text is about to be parsed."""
        items = text.count(b",") + text.count(b"[") + text.count(b":")
        width = 1 if text.isascii() and b"\\u" not in text else _WIDEST
        size = width * len(text) + _PER_ITEM * items + _PER_OBJECT * text.count(b"{")
        if size > self._budget.limit:
            raise Failure("the request body has too many parts")
        self._grow(size)

    def _grow(self, size: int) -> None:
        more = size - FREE_BYTES - self._taken
        if more <= 0:
            return
        if self._budget.taken + more > self._budget.limit:
            metrics.REJECTED.inc()
            raise Failure("too many large requests at a time: try again", code=503, retry_after=1)
        self._budget.taken += more
        self._taken += more
