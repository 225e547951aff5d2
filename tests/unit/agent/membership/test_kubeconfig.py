"""The kubeconfig of a member."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from anka_agent.membership.kubeconfig import kubeconfig

URL = "https://cluster.example:6443"


@pytest.mark.parametrize(
    ("ca", "verify", "cluster"),
    [
        (b"pem", True, {"certificate-authority-data": "cGVt"}),
        (None, True, {}),
        (None, False, {"insecure-skip-tls-verify": True}),
    ],
)
def test_kubeconfig(tmp_path: Path, ca: bytes | None, verify: bool, cluster: dict[str, object]) -> None:
    document = yaml.safe_load(kubeconfig(URL, tmp_path / "token", ca=ca, verify=verify))
    assert document["clusters"] == [{"name": "anka", "cluster": {"server": URL, **cluster}}]
    assert document["users"] == [{"name": "agent", "user": {"tokenFile": str(tmp_path / "token")}}]
    assert document["current-context"] == document["contexts"][0]["name"]
