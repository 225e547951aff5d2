"""``anka-dev reference``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from anka_dev.reference import (
    commands,
    conditions,
    endpoints,
    kinds,
    labels,
    metrics,
    old_settings,
    rest_rights,
    settings,
)
from anka_dev.reference.page import Page
from anka_dev.repository import ROOT
from anka_runtime.cli import Call, Command, from_arguments
from localkube.errors import DevError

FOLDER = ROOT / "docs" / "reference"
PAGES: Mapping[str, Callable[[], Page]] = {
    "../operate/from-the-old-controller.md": old_settings.page,
    "api.md": kinds.page,
    "cli.md": commands.page,
    "conditions.md": conditions.page,
    "labels.md": labels.page,
    "metrics.md": metrics.page,
    "rest.md": endpoints.page,
    "rest-rights.md": rest_rights.page,
    "settings.md": settings.page,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is not as it would be")


def run(call: Call[argparse.Namespace]) -> int:
    options = call.options
    problems = labels.undescribed()
    if options.check:
        problems += outdated(FOLDER)
    else:
        write(FOLDER)
    if problems:
        raise DevError("; ".join(problems))
    return 0


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page().text(), encoding="utf-8")
        print(folder / name, file=sys.stderr)


def outdated(folder: Path) -> list[str]:
    """One line for each page that is missing or differs from what the code says."""
    return [
        f"{name} is not what the code says: run make reference"
        for name, page in PAGES.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != page().text()
    ]


COMMAND = Command(
    "reference", "write the reference pages that are made from the code", from_arguments(add_arguments), run
)
