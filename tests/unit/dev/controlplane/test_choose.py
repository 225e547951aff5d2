from pathlib import Path
from typing import Any

import pytest

from anka_dev.controlplane import ControlPlane, choose
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
    ("argument", "env", "expected"),
    [
        (None, {}, "ours"),
        (None, {"KUBECONFIG": "/home/me/production"}, "ours"),
        (None, {"ANKA_KUBECONFIG": "/k"}, Path("/k")),
        (Path("/arg"), {"ANKA_KUBECONFIG": "/k"}, Path("/arg")),
        (None, {"ANKA_KUBECONFIG": "/k", "CLUSTER": "kind"}, Path("/k")),
        (None, {"ANKA_KUBECONFIG": "", "CLUSTER": ""}, "ours"),
        # Whatever binaries are here: they are no reason to use something else than was asked for.
        (None, {"CLUSTER": "kind"}, "kind"),
    ],
)
def test_order(
    chosen: list[Any],
    tmp_path: Path,
    argument: Path | None,
    env: dict[str, str],
    expected: Any,
) -> None:
    choose.open_cluster(tmp_path, kubeconfig=argument, env=env, say=lambda _: None)
    assert chosen == [expected]
    if argument is None:
        assert choose.needs_binaries(env) is (expected == "ours")


def test_an_unknown_wish_is_refused(chosen: list[Any], tmp_path: Path) -> None:
    with pytest.raises(DevError, match="CLUSTER=minikube is unknown"):
        choose.open_cluster(tmp_path, env={"CLUSTER": "minikube"})
    assert chosen == []
