"""Which browser is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from anka_dev.portal.browser import find_browser


def test_a_browser_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANKA_BROWSER", "/opt/browser")
    assert find_browser() == "/opt/browser"


def test_else_one_in_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ANKA_BROWSER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser() is None
    chrome = tmp_path / "google-chrome"
    chrome.touch(0o755)
    assert find_browser() == str(chrome)
