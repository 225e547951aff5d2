import os
import stat
from pathlib import Path

import pytest

from anka_runtime import files
from anka_runtime.files import read_text, write_private


@pytest.mark.parametrize("content", ["text", b"text"])
def test_only_the_owner_reads_it(tmp_path: Path, content: str | bytes) -> None:
    path = write_private(tmp_path / "new" / "file", content)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("text", 0o600)


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_private(tmp_path / "file", "old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_private(path, "new")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_file_that_is_too_long_or_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FILE_BYTES", 1 << 20)
    file = tmp_path / "file"
    file.write_bytes(b"x" * (1 << 20))
    assert len(read_text(file)) == 1 << 20
    file.write_bytes(b"x" * ((1 << 20) + 1))
    for bad, words in ((file, "is longer than 1 MiB"), (Path("/dev/zero"), "is longer than 1 MiB")):
        with pytest.raises(ValueError, match=words):
            read_text(bad)
    file.write_bytes(b"\xff")
    with pytest.raises(ValueError, match="utf-8"):
        read_text(file)
