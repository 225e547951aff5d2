"""What the pictures were made from, by hash: so that a test sees when they are old, without a browser."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from anka_dev.portal.serve import STATIC
from anka_dev.repository import ROOT

PICTURES = ROOT / "docs/images/portal"
MANIFEST = PICTURES / "manifest.json"
HERE = Path(__file__).parent
SOURCES = (HERE / "scenario.py", HERE / "pictures.py")


def hash_files(files: Iterable[Path], root: Path) -> str:
    """Of names and contents, in the order of the names."""
    digest = hashlib.sha256()
    for name, path in sorted((path.relative_to(root).as_posix(), path) for path in files):
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def hash_pages(static: Path = STATIC) -> str:
    """Of what the browser gets; types for the checker are no part of it."""
    shown = (path for path in static.rglob("*") if path.is_file() and not path.name.endswith(".d.ts"))
    return hash_files(shown, static)


def make_manifest(pictures: Path = PICTURES) -> dict[str, Any]:
    return {
        "pages": hash_pages(),
        "scenario": hash_files(SOURCES, ROOT),
        "pictures": {path.name: hash_files([path], pictures) for path in sorted(pictures.glob("*.png"))},
    }


def write_manifest() -> None:
    MANIFEST.write_text(json.dumps(make_manifest(), indent=2) + "\n")


def find_differences(kept: dict[str, Any], made: dict[str, Any]) -> list[str]:
    """What is not as it was when the pictures were made."""
    words = {"pages": "the portal's pages changed", "scenario": "the scenario changed", "pictures": "the files differ"}
    return [text for key, text in words.items() if kept.get(key) != made[key]]
