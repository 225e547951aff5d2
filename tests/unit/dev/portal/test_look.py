"""Pictures of pages. The sizes are read from the file: PNG has them in its first chunk."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from anka_dev.portal.browser import find_browser
from anka_dev.portal.look import Picture, take
from localkube.errors import DevError

needs_browser = pytest.mark.skipif(find_browser() is None, reason="no browser here")


@needs_browser
async def test_a_picture(tmp_path: Path) -> None:
    out = tmp_path / "about.png"
    assert await take(Picture("#/about", out, width=390, height=700, is_dark=True)) == []
    assert struct.unpack(">II", out.read_bytes()[16:24]) == (390, 700)


async def test_without_a_browser_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ANKA_BROWSER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DevError, match="no browser here: install chromium"):
        await take(Picture("#/about", tmp_path / "about.png"))
