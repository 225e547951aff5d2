"""Scripts in base64, read as the old controller read them: by Go's encoding/base64, StdEncoding."""

import base64
import re

_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_LINE_BREAKS = b"\r\n"
_VALID = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_GROUP = 4
"""Characters that stand for three bytes."""


class Base64Error(ValueError):
    """The text is not base64. str() is Go's message, word for word: clients know it from the old controller."""


def decode_script(text: str) -> bytes:
    """Line breaks may be anywhere in it, other white space nowhere, and the padding must be complete. Raises
    Base64Error."""
    given = text.encode("utf-8", "surrogatepass")
    packed = given.translate(None, _LINE_BREAKS)
    if _VALID.fullmatch(packed) is None:
        raise Base64Error(f"illegal base64 data at input byte {_find_error(given)}")
    return base64.b64decode(packed)


def _find_error(given: bytes) -> int:
    """The position that Go names. An incomplete group at the end is named by its beginning, as if no line break were in
    it."""
    filled = 0
    for position, byte in enumerate(given):
        if byte in _LINE_BREAKS:
            continue
        if byte in _ALPHABET:
            filled = (filled + 1) % _GROUP
        elif byte != ord("=") or filled < 2:
            return position
        else:
            return _find_padding_error(given, position, filled)
    return len(given) - filled


def _find_padding_error(given: bytes, first: int, filled: int) -> int:
    """`first`: position of the first `=`, after `filled` characters of its group."""
    position = _skip_line_breaks(given, first + 1)
    if filled == _GROUP - 1:
        return position
    if position == len(given):
        return position
    if given[position] != ord("="):
        return position - 1
    return _skip_line_breaks(given, position + 1)


def _skip_line_breaks(given: bytes, position: int) -> int:
    while position < len(given) and given[position] in _LINE_BREAKS:
        position += 1
    return position
