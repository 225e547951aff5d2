"""`anka-dev reference`: pages are written, and drift is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from anka_dev.reference import command
from anka_dev.reference.command import PAGES, outdated, write
from anka_dev.reference.page import Page


@pytest.fixture(autouse=True)
def _two_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: dict[str, Callable[[], Page]] = {"a.md": lambda: Page("A"), "b.md": lambda: Page("B", ["Text."])}
    monkeypatch.setattr(command, "PAGES", pages)


def test_what_was_written_is_not_outdated(tmp_path: Path) -> None:
    write(tmp_path / "reference")
    assert outdated(tmp_path / "reference") == []
    assert (tmp_path / "reference" / "b.md").read_text() == Page("B", ["Text."]).text()


def test_drift_is_found(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "a.md").write_text("something else")
    (tmp_path / "b.md").unlink()
    assert outdated(tmp_path) == [f"{name} is not what the code says: run make reference" for name in ("a.md", "b.md")]


def test_every_page_is_in_the_folder() -> None:
    assert all((command.FOLDER / name).is_file() for name in PAGES)
