"""What `join` writes down, and where it is found again."""

from __future__ import annotations

import json
from pathlib import Path

from anka_agent.membership.files import Files, state_dir
from anka_agent.membership.kubeconfig import kubeconfig
from anka_agent.settings import default_state_dir

URL = "https://cluster.example:6443"


def test_where_the_state_directory_is() -> None:
    assert state_dir(["--state-dir", "/a", "--x"], {"ANKA_STATE_DIR": "/b"}) == Path("/a")
    assert state_dir(["--x=1"], {"ANKA_STATE_DIR": "/b"}) == Path("/b")
    assert state_dir(["--state-dir"], {}) == default_state_dir()


def test_files_of_a_member(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.pending.write_text("{}")
    assert not files.is_joined
    files.write({"node_name": "x"}, kubeconfig(URL, files.token, ca=b"pem", verify=True), "t")
    assert files.is_joined
    assert not files.pending.exists()
    assert json.loads(files.settings.read_text()) == {"node_name": "x"}
    assert {oct(path.stat().st_mode)[-3:] for path in tmp_path.iterdir()} == {"600"}
    files.remove()
    assert list(tmp_path.iterdir()) == []
