"""The watches that kubelets have."""

from __future__ import annotations

from pathlib import Path

import pytest

from anka_dev.bench.node_watches import NodeWatches
from localkube.controlplane.kubeconfig import with_token_file
from localkube.errors import DevError


def test_watches_that_cannot_be_opened_are_one_line_and_leave_no_process(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    kubeconfig = tmp_path / "kubeconfig"
    # Nobody listens on port 1.
    kubeconfig.write_text(with_token_file("http://127.0.0.1:1", b"", str(tmp_path / "token"), "default"))
    watches = NodeWatches(kubeconfig, 2, tmp_path / "log")
    with pytest.raises(DevError, match=r"the watches of nodes ended: .*127\.0\.0\.1:1.* \(log: .*/log\)"):
        watches.__enter__()
    with pytest.raises(DevError, match="the watches of nodes ended"):
        watches.check()
