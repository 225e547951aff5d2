"""Files that many write."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from anka_sim.mac.files import replace_file


@pytest.mark.parametrize("content", ["täxt\n", b"\x00\xff"])
def test_the_content_is_replaced_and_nothing_else_is_left(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "file"
    path.write_text("a longer one, which was there before")
    replace_file(str(path), content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o600, 0o755, 0o644])
def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        replace_file(str(tmp_path / "file"), "", mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_threads_do_not_take_each_others_files(tmp_path: Path) -> None:
    texts = [character * 4096 for character in "abcd"]

    def write(text: str) -> None:
        for _ in range(200):
            replace_file(str(tmp_path / "file"), text)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, texts))
    assert (tmp_path / "file").read_text() in texts
