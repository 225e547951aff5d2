"""``anka-dev control-plane``: which programs are got, and when."""

from __future__ import annotations

import pytest

from anka_dev import cli
from localkube.errors import DevError
from localkube.programs import binaries


@pytest.fixture(autouse=True)
def own_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("CLUSTER", "ANKA_KUBECONFIG"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(("variable", "value"), [("CLUSTER", "kind"), ("ANKA_KUBECONFIG", "/k")])
def test_nothing_is_built_for_another_cluster(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str
) -> None:
    """`make test` asks for a control plane first, whatever CLUSTER says."""
    monkeypatch.setattr(binaries, "ensure", lambda *_: pytest.fail("built"))
    monkeypatch.setenv(variable, value)
    assert cli.main(["control-plane", "build"]) == 0
    assert capsys.readouterr().out == ""


def test_a_checker_that_cannot_be_built_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ensure(name: str, *_: object) -> str:
        if name == "kube-score":
            raise DevError("no network")
        return f"/cache/{name}"

    monkeypatch.setattr(binaries, "ensure_checker", ensure)
    assert cli.main(["control-plane", "checkers"]) == 0
    assert capsys.readouterr().out.split() == ["/cache/kstatus", "/cache/actionlint"]
    assert cli.main(["control-plane", "checkers", "--all"]) == 0
    assert "/cache/promtool" in capsys.readouterr().out
