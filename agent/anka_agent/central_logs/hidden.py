"""Secrets that must not leave the Mac in a log: the values that the agent was given, and what looks like one. Pure."""

from __future__ import annotations

import json
import re
from collections import OrderedDict

HIDDEN = "[hidden]"
LEAST = 6
"""Characters of a value that is looked for: a shorter one is in half of all words."""
MOST = 500
"""Values that are remembered; the oldest go first."""

_KEY = r"(?:password|passwd|secret|token|api[-_]?key)(?:\\?[\"'])?\s*[=:]\s*"
_SHAPES = (
    # Before the others, which would take the scheme for the value.
    (re.compile(r"(?i)\b(bearer|basic) +[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), HIDDEN),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), rf"\1{HIDDEN}@"),
    (re.compile(rf"({_KEY}(\\?[\"']))(?:(?!\2).)+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(rf"({_KEY})(?!\[hidden\])[^\s\"'\\,;&}}]+", re.IGNORECASE), rf"\1{HIDDEN}"),
)


class Hidden:
    """`learn` every secret before it can be in a line; `cover` a line before it goes anywhere."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()

    def learn(self, secret: bytes | str) -> None:
        """All of it, and each of its lines: what a command says of a script is seldom the whole."""
        text = secret.decode("utf-8", "replace") if isinstance(secret, bytes) else secret
        for part in (text.strip(), *map(str.strip, text.splitlines())):
            if len(part) < LEAST:
                continue
            # As it stands in a line of JSON as well.
            for form in (part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]):
                self._known[form] = None
                self._known.move_to_end(form)
        while len(self._known) > MOST:
            self._known.popitem(last=False)

    def cover(self, line: str) -> str:
        # The longest first: a line of a script may be a part of another.
        for secret in sorted((one for one in self._known if one in line), key=len, reverse=True):
            line = line.replace(secret, HIDDEN)
        for shape, cover in _SHAPES:
            line = shape.sub(cover, line)
        return line
