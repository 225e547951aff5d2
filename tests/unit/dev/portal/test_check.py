"""`anka-dev portal check`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anka_dev.portal import check
from localkube.errors import DevError


def refuse() -> None:
    raise check.ToolsMissingError("npm ci: no network")


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(check, "find_node", lambda: "/usr/bin/node")
    monkeypatch.setattr(check, "install", lambda: None)
    monkeypatch.setattr(check, "run_checkers", list)
    monkeypatch.delenv("CI", raising=False)
    return monkeypatch


def test_nothing_to_say(ready: pytest.MonkeyPatch) -> None:
    assert check.check() == ""


def test_what_the_checkers_find_is_the_error(ready: pytest.MonkeyPatch) -> None:
    ready.setattr(check, "run_checkers", lambda: ["main.js(3,1): error TS1: no"])
    with pytest.raises(DevError, match="error TS1: no"):
        check.check()


def test_without_node_it_says_so(ready: pytest.MonkeyPatch) -> None:
    ready.setattr(check, "find_node", lambda: None)
    assert "is not checked" in check.check()


def test_without_a_network_it_says_so_but_not_in_ci(ready: pytest.MonkeyPatch) -> None:
    ready.setattr(check, "install", refuse)
    assert check.check() == "portal: the JavaScript is not checked: npm ci: no network"
    ready.setenv("CI", "true")
    with pytest.raises(DevError, match="no network"):
        check.check()


def test_a_changed_library_is_found_even_without_node(ready: pytest.MonkeyPatch) -> None:
    ready.setattr(check, "find_node", lambda: None)
    ready.setattr(check, "find_differences", lambda: ["lit-html.js: was changed"])
    with pytest.raises(DevError, match=r"lit-html\.js: was changed: run anka-dev portal vendor"):
        check.check()


def test_tools_of_an_older_lock_are_installed_anew(tmp_path: Path) -> None:
    assert not check.is_installed(tmp_path)
    lock, installed = tmp_path / "package-lock.json", tmp_path / "node_modules/.package-lock.json"
    installed.parent.mkdir()
    for path, at in ((lock, 100), (installed, 200)):
        path.touch()
        os.utime(path, (at, at))
    assert check.is_installed(tmp_path)
    os.utime(lock, (300, 300))
    assert not check.is_installed(tmp_path)
