"""Texts from outside in headers: only visible ASCII, and nothing in a name may break out of it. Pure."""

import re
from urllib.parse import quote

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def attachment(name: str) -> str:
    """Content-Disposition of a file to save under this name (RFC 6266): exactly, in the form of RFC 8187, and in ASCII
    for clients that do not know that form."""
    plain = _UNSAFE.sub("_", name)
    exact = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    return f'attachment; filename="{plain}"{exact}'
