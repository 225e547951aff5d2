from pathlib import Path
from typing import Any

import pytest

from localkube.controlplane import ControlPlane, choose
from localkube.environment import Environment
from localkube.errors import DevError


def env(**variables: str) -> Environment:
    return Environment(variables, prefix="ACME", cache_folder="acme")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would have been opened, instead of opening it."""
    opened: list[Any] = []
    monkeypatch.setattr(choose, "ExternalCluster", lambda _, kubeconfig: opened.append(kubeconfig.name))
    monkeypatch.setattr(choose, "KindCluster", lambda *_, **__: opened.append("kind"))
    monkeypatch.setattr(ControlPlane, "start", lambda *_, **__: opened.append("ours"))
    return opened


@pytest.mark.parametrize(
    ("argument", "variables", "expected"),
    [
        (None, {}, "ours"),
        (None, {"KUBECONFIG": "{folder}/production"}, "ours"),
        (None, {"ACME_KUBECONFIG": "{folder}/named"}, "named"),
        ("argument", {"ACME_KUBECONFIG": "{folder}/named"}, "argument"),
        (None, {"ACME_KUBECONFIG": "{folder}/named", "CLUSTER": "kind"}, "named"),
        (None, {"ACME_KUBECONFIG": "", "CLUSTER": ""}, "ours"),
        # Binaries on this machine are no reason to use anything but what CLUSTER names.
        (None, {"CLUSTER": "kind"}, "kind"),
    ],
)
def test_order(
    opened: list[Any], tmp_path: Path, argument: str | None, variables: dict[str, str], expected: str
) -> None:
    for name in ("argument", "named", "production"):
        (tmp_path / name).touch()
    given = env(**{name: value.format(folder=tmp_path) for name, value in variables.items()})
    choose.open_cluster(tmp_path, given, kubeconfig=tmp_path / argument if argument else None)
    assert opened == [expected]
    if argument is None:
        assert choose.needs_binaries(given) is (expected == "ours")


def test_an_unknown_value_of_cluster_is_refused(opened: list[Any], tmp_path: Path) -> None:
    with pytest.raises(DevError, match="CLUSTER=minikube is unknown"):
        choose.open_cluster(tmp_path, env(CLUSTER="minikube"))
    assert opened == []


def test_a_missing_kubeconfig_is_named(opened: list[Any], tmp_path: Path) -> None:
    with pytest.raises(DevError, match=r"there is no kubeconfig /no/such: correct or unset ACME_KUBECONFIG"):
        choose.open_cluster(tmp_path, env(ACME_KUBECONFIG="/no/such"))
    assert opened == []
