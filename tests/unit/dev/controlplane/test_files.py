import os
import stat
from pathlib import Path

import pytest

from anka_crds.process.files import write_private


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
