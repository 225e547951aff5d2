import os
from pathlib import Path

import pytest

from localkube.files import write_private


def test_a_file_is_its_owners_and_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_private(tmp_path / "new" / "token", b"old")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"old", 0o600)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: os.kill(0, "no signal"))  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            write_private(path, "new")
    assert (path.read_text(), os.listdir(path.parent)) == ("old", ["token"])
    assert write_private(path, "new").read_text() == "new"
