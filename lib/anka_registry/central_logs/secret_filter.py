"""Keeps secrets out of texts that leave a machine: values that a process was given, and what looks like one. No I/O."""

import re
import threading
from collections import Counter

from anka_registry.central_logs.secret_parts import LEAST, split_secret

HIDDEN = "[hidden]"
MOST_BYTES = 32 << 20
"""About what the values may take in memory. Beyond it, every text is hidden as a whole until instances have gone."""
_VALUE_BYTES = 150
"""What one value takes beside its characters."""

_KEY = r"(?:password|passwd|secret|token|api[-_]?key)(?:\\?[\"'])?\s*[=:]\s*"
_SHAPES = (
    # Before the others, which would take the scheme for the value.
    (re.compile(r"(?i)\b(bearer|basic) +[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), HIDDEN),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), rf"\1{HIDDEN}@"),
    (re.compile(rf"({_KEY}(\\?[\"']))(?:(?!\2).)+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(rf"({_KEY})(?!\[hidden\])[^\s\"'\\,;&}}]+", re.IGNORECASE), rf"\1{HIDDEN}"),
)
_HINTS = ("bearer", "basic", "eyj", "://", "passw", "secret", "token", "key")
"""A text without any of them, whatever their case, has none of the shapes: most are spared the search for these."""


def cover_shapes(text: str) -> str:
    """Hide what looks like a secret."""
    folded = text.casefold()
    if any(hint in folded for hint in _HINTS):
        for shape, cover in _SHAPES:
            text = shape.sub(cover, text)
    return text


class SecretFilter:
    """`learn` every secret before it can appear in a text; `cover` a text before it leaves the process. A secret is
    known until its owner, an instance or a save, is forgotten. Thread-safe: any thread may log.

    How long a text takes does not depend on how many values are known: they are found by their first characters.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._owned: dict[str, dict[str, frozenset[str]]] = {}
        self._known: Counter[str] = Counter()
        self._lengths: dict[str, Counter[int]] = {}
        """How long the known values are that begin with these characters."""
        self._bytes = 0
        self._lock = threading.Lock()

    def learn(self, owner: str, name: str, secret: bytes | str) -> None:
        """`name`: which of the owner's secrets it is. A new value takes the place of the one before."""
        values = split_secret(secret)
        with self._lock:
            secrets = self._owned.setdefault(owner, {})
            if secrets.get(name) != values:
                # Added first: what stays is known all the time.
                self._add(values)
                self._remove(secrets.get(name, frozenset()))
                secrets[name] = values

    def forget(self, owner: str) -> None:
        with self._lock:
            for values in self._owned.pop(owner, {}).values():
                self._remove(values)

    def cover(self, text: str) -> str:
        with self._lock:
            if self._bytes > self._most_bytes:
                return HIDDEN
            text = self._cover_known(text)
        return cover_shapes(text)

    def _cover_known(self, text: str) -> str:
        """Values that overlap are hidden as one: each character of a value is gone."""
        pieces: list[str] = []
        done = end = 0
        for start in range(len(text) - LEAST + 1 if self._known else 0):
            lengths = self._lengths.get(text[start : start + LEAST])
            length = max((one for one in lengths or () if text[start : start + one] in self._known), default=0)
            if start + length <= max(end, start):
                continue
            if start >= end:
                pieces += text[done:start], HIDDEN
            done = end = start + length
        return "".join(pieces) + text[done:]

    def _add(self, values: frozenset[str]) -> None:
        for value in values:
            self._known[value] += 1
            if self._known[value] == 1:
                self._lengths.setdefault(value[:LEAST], Counter())[len(value)] += 1
                self._bytes += len(value) + _VALUE_BYTES

    def _remove(self, values: frozenset[str]) -> None:
        for value in values:
            self._known[value] -= 1
            if self._known[value]:
                continue
            del self._known[value]
            self._bytes -= len(value) + _VALUE_BYTES
            lengths = self._lengths[value[:LEAST]]
            lengths[len(value)] -= 1
            if not lengths[len(value)]:
                del lengths[len(value)]
            if not lengths:
                del self._lengths[value[:LEAST]]
