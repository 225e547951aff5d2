"""Which texts give a secret away: the whole, its lines, and the words in it that look like keys. Pure.

A command seldom prints a whole script, often a line, and sometimes only the token in it. Short and simple texts are
left out: `else` or `exit 1` is no secret, and hiding it everywhere would hide what happened.
"""

import json
import re
from collections.abc import Iterator

LEAST = 6
"""Shortest whole value that is looked for: a shorter one is part of many words."""
_LEAST_LINE = 12
_LEAST_VARIETY = 6
"""Fewest different characters of a line, which `========` does not have."""

_SHORT_WORDS = re.compile(r"\S+|[A-Za-z ]{,23}")
"""What a message of ours could say as well."""
_WORD = re.compile(r"[^\s\"'`=;,|&()<>{}\[\]]{8,}")
_SEGMENT = re.compile(r"[^-./_:@]{8,}")


def split_secret(secret: bytes | str) -> frozenset[str]:
    text = secret.decode("utf-8", "replace") if isinstance(secret, bytes) else secret
    return frozenset(form for part in _list_parts(text) for form in _list_forms(part))


def _list_parts(text: str) -> Iterator[str]:
    whole = text.strip()
    if len(whole) >= LEAST:
        yield whole
    for line in map(str.strip, text.splitlines()):
        if len(line) >= _LEAST_LINE and len(set(line)) >= _LEAST_VARIETY and not _SHORT_WORDS.fullmatch(line):
            yield line
        for word in _WORD.findall(line):
            if any(map(_is_random, _SEGMENT.findall(word))):
                yield word


def _is_random(segment: str) -> bool:
    """Letters with digits, or a mix of capital and small letters; a word, a version, a name like NetworkTimeout is
    neither."""
    if len(set(segment)) < _LEAST_VARIETY - 1:
        return False
    capital, small = sum(map(str.isupper, segment)), sum(map(str.islower, segment))
    if capital + small and any(map(str.isdigit, segment)):
        return True
    return len(segment) >= _LEAST_LINE and min(capital, small) * 4 >= len(segment)


def _list_forms(part: str) -> tuple[str, str, str]:
    """Also as it stands in JSON, which messages quote."""
    return part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]
