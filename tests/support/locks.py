"""The locks: requirement files whose lines have the SHA-256 of all files of a version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_HASHES = re.compile(r"(?: --hash=sha256:[0-9a-f]{64})+")


def read_lock(file: Path) -> list[Requirement]:
    """What it pins. ValueError: a line is something else than one exact version with hashes."""
    found = []
    for line in re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", file.read_text())).splitlines():
        text, option, hashes = line.partition(" --")
        pinned = Requirement(text)
        exact = re.fullmatch(r"==[^*,]+", str(pinned.specifier)) and not pinned.url
        if not (exact and _HASHES.fullmatch(option + hashes)):
            raise ValueError(f"{file.name}: {line}")
        found.append(pinned)
    return found


def read_constraints(file: Path) -> dict[str, str]:
    """Versions by canonical name."""
    lines = (line.partition("==") for line in file.read_text().splitlines() if line and line[0] != "#")
    return {canonicalize_name(name): version for name, _, version in lines}


def find_needed(wanted: Iterable[str], environment: Mapping[str, str]) -> set[str]:
    """Canonical names of all that these requirements need on such a machine, by what is installed here."""
    found: set[str] = set()
    left = [(Requirement(text), "") for text in wanted]
    seen = set()
    while left:
        requirement, extra = left.pop()
        if requirement.marker and not requirement.marker.evaluate({**environment, "extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        found.add(name)
        for wanted_extra in {"", *requirement.extras}:
            if (name, wanted_extra) not in seen:
                seen.add((name, wanted_extra))
                left += [(Requirement(text), wanted_extra) for text in requires(name) or ()]
    return found
