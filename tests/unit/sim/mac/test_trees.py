"""Copying and deleting directories."""

from __future__ import annotations

import os
from pathlib import Path

from anka_sim.mac import trees


def test_copy_keeps_content_modes_and_links(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "script").write_bytes(b"#!/bin/sh\n" * 200_000)
    (source / "deep" / "script").chmod(0o755)
    (source / "private").mkdir(mode=0o700)
    (source / "link").symlink_to("deep/script")
    (source / "dangling").symlink_to("/nowhere")
    os.mkfifo(source / "pipe")
    target = tmp_path / "target"
    trees.copy(str(source), str(target))
    assert sorted(path.name for path in target.iterdir()) == ["dangling", "deep", "link", "private"]
    assert (target / "deep" / "script").read_bytes() == (source / "deep" / "script").read_bytes()
    assert (target / "deep" / "script").stat().st_mode & 0o777 == 0o755
    assert (target / "private").stat().st_mode & 0o777 == 0o700
    assert (target / "link").readlink() == Path("deep/script")
    assert (target / "dangling").is_symlink()


def test_remove_does_not_follow_links(tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    keep.mkdir()
    (keep / "file").write_text("x")
    doomed = tmp_path / "doomed"
    (doomed / "a" / "b").mkdir(parents=True)
    (doomed / "a" / "file").write_text("x")
    (doomed / "a" / "link").symlink_to(keep)
    trees.remove(str(doomed))
    assert not doomed.exists()
    assert (keep / "file").exists()
    trees.remove(str(doomed))
