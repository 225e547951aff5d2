from pathlib import Path
from typing import Any

import pytest

from anka_dev.controlplane import ControlPlane, binaries, choose
from anka_dev.errors import DevError


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would have been opened, instead of opening it."""
    opened: list[Any] = []
    monkeypatch.setattr(choose, "ExternalCluster", lambda _, kubeconfig: opened.append(kubeconfig))
    monkeypatch.setattr(choose, "KindCluster", lambda *_, **__: opened.append("kind"))
    monkeypatch.setattr(ControlPlane, "start", lambda *_, **__: opened.append("ours"))
    return opened


@pytest.mark.parametrize(
    ("argument", "env", "binaries_here", "expected"),
    [
        (None, {}, True, "ours"),
        (None, {}, False, "ours"),
        (None, {"KUBECONFIG": "/home/me/production"}, True, "ours"),
        (None, {"ANKA_KUBECONFIG": "/k"}, True, Path("/k")),
        (Path("/arg"), {"ANKA_KUBECONFIG": "/k"}, True, Path("/arg")),
        (None, {"ANKA_KUBECONFIG": "/k", "CLUSTER": "kind"}, False, Path("/k")),
        (None, {"ANKA_KUBECONFIG": "", "CLUSTER": ""}, False, "ours"),
        (None, {"CLUSTER": "kind"}, False, "kind"),
        (None, {"CLUSTER": "kind"}, True, "ours"),
    ],
)
def test_order(
    chosen: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    argument: Path | None,
    env: dict[str, str],
    binaries_here: bool,
    expected: Any,
) -> None:
    monkeypatch.setattr(binaries, "complete", lambda *_: binaries_here)
    choose.open_cluster(tmp_path, kubeconfig=argument, env=env, say=lambda _: None)
    assert chosen == [expected]


def test_an_unknown_wish_is_refused(chosen: list[Any], tmp_path: Path) -> None:
    with pytest.raises(DevError, match="CLUSTER=minikube is unknown"):
        choose.open_cluster(tmp_path, env={"CLUSTER": "minikube"})
    assert chosen == []
