"""The helm command: what it is called with, and what becomes of its errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localkube.controlplane.helm import Helm
from localkube.errors import DevError

FAKE = """#!/usr/bin/env python3
import json, os, sys
json.dump({"argv": sys.argv[1:], "env": sorted(os.environ)}, open(os.environ["CALLS"], "w"))
print("done")
if "test" in sys.argv:
    sys.exit("Error: pod answers failed")
"""


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Helm:
    binary = tmp_path / "helm-binary"
    binary.write_text(FAKE)
    binary.chmod(0o755)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls.json"))
    monkeypatch.setenv("KUBECONFIG", "/home/me/production")
    return Helm(binary, Path("/chart"), Path("/k"), tmp_path, name="one", namespace="two")


def test_it_never_uses_the_current_cluster_nor_the_users_settings(helm: Helm, tmp_path: Path) -> None:
    assert helm.template({"a": 1}) == "done\n"
    call = json.loads((tmp_path / "calls.json").read_text())
    values = tmp_path / "values.json"
    assert call["argv"] == ["template", "one", "/chart", f"--values={values}", "--namespace=two", "--kubeconfig=/k"]
    assert json.loads(values.read_text()) == {"a": 1}
    assert "KUBECONFIG" not in call["env"]
    assert {"HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"} <= set(call["env"])


def test_an_upgrade_may_be_to_another_chart(helm: Helm, tmp_path: Path) -> None:
    helm.upgrade({}, seconds=7, chart=Path("/newer"))
    argv = json.loads((tmp_path / "calls.json").read_text())["argv"]
    assert argv[:4] == ["upgrade", "--install", "one", "/newer"]
    assert {"--wait", "--timeout=7s"} <= set(argv)


def test_an_error_has_helms_last_lines(helm: Helm) -> None:
    with pytest.raises(DevError, match=r"^helm test: Error: pod answers failed; done$"):
        helm.test()
