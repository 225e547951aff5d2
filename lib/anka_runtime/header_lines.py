"""Headers of HTTP requests as they stand in a file: `Name: value`, one a line. Pure."""

import re

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]+")
_OURS = frozenset({"connection", "content-encoding", "content-length", "content-type", "host", "transfer-encoding"})
MOST_BYTES = 16 << 10


def parse_headers(content: bytes) -> dict[str, str]:
    """Raises ValueError, which never repeats a value."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"the headers have {len(content)} bytes, and may have {MOST_BYTES}")
    headers: dict[str, str] = {}
    for number, line in enumerate(content.decode("latin-1").splitlines(), 1):
        if not line.strip():
            continue
        name, _, value = line.partition(":")
        value = value.strip(" \t")
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"line {number} is no header: it must be Name: value")
        if name.lower() in _OURS:
            raise ValueError(f"line {number}: {name} is not yours to set")
        headers[name] = value
    return headers
