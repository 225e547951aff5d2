"""How far a list goes: the resourceVersions of the kinds that it is made from. Pure.

Every replica reads the same versions from the Kubernetes API, so a browser that has been served by one may go on at
another: what has changed since its version is all that it lacks."""

import re
from collections.abc import Sequence

Version = tuple[int, ...]
"""One number for each source, in their order."""

_TEXT = re.compile(r"([0-9]{1,20}(?:-[0-9]{1,20}){0,7})(?:@([0-9a-f]{0,32}))?", re.ASCII)


def parse_version(text: str, length: int) -> tuple[Version, str] | None:
    """With the replica that told it. None for what is not the version of a list with so many sources."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    parts = tuple(int(part) for part in match[1].split("-"))
    return (parts, match[2] or "") if len(parts) == length else None


def format_version(version: Sequence[int], replica: str) -> str:
    return f"{'-'.join(map(str, version))}@{replica}"


def reaches(version: Version, other: Version) -> bool:
    """Whether `version` is as new as `other` in every part."""
    return all(left >= right for left, right in zip(version, other, strict=True))
