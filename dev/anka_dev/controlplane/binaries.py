"""Finds the control plane's binaries, or gets them."""

import contextlib
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from anka_dev.controlplane import gobuild, versions
from anka_dev.controlplane.download import DownloadError, download
from anka_dev.controlplane.filelock import locked
from anka_dev.controlplane.progress import Heartbeat, Say
from anka_dev.controlplane.toolchain import Go, find_go
from anka_dev.controlplane.versions import Target
from anka_dev.errors import DevError

# A whole build by another process on a slow machine.
_BUILD_PATIENCE_SECONDS = 3600.0


@dataclass(frozen=True)
class Binaries:
    """The three executables."""

    etcd: Path
    api_server: Path
    controller_manager: Path


def this_machine() -> Target:
    """Of the running Python. DevError where there is no Kubernetes."""
    try:
        return Target.of(platform.system(), platform.machine())
    except ValueError as error:
        raise DevError(str(error)) from None


def _usable(folder: Path, names: tuple[str, ...]) -> dict[str, Path]:
    return {name: folder / name for name in names if os.access(folder / name, os.X_OK)}


def found(env: Mapping[str, str], target: Target) -> dict[str, Path]:
    """What is here already: in KUBEBUILDER_ASSETS, then in the cache. DevError when that folder lacks the API."""
    here = _usable(versions.binaries_dir(env, target), versions.COMPONENTS)
    if assets := env.get("KUBEBUILDER_ASSETS"):
        named = _usable(Path(assets), versions.COMPONENTS)
        # Its makers ship no controller manager: that one alone may come from elsewhere.
        for name in (versions.STORE, versions.API_SERVER):
            if name not in named:
                raise DevError(f"KUBEBUILDER_ASSETS={assets} has no executable {name}: correct or unset it")
        here |= named
    return here


def complete(env: Mapping[str, str], target: Target) -> bool:
    """Whether a control plane can start without getting anything."""
    return len(found(env, target)) == len(versions.COMPONENTS)


def ensure(env: Mapping[str, str], say: Say) -> Binaries:
    """The binaries; what is missing is downloaded, else built. DevError says why neither worked."""
    target = this_machine()
    have = found(env, target)
    if len(have) < len(versions.COMPONENTS):
        have = _get(env, target, say)
    return Binaries(have[versions.STORE], have[versions.API_SERVER], have[versions.CONTROLLER_MANAGER])


def ensure_scheduler(env: Mapping[str, str], say: Say) -> Path:
    """kube-scheduler of the same version, from the cache, else built. DevError says why that did not work."""
    target = this_machine()
    return _cached(versions.SCHEDULER, versions.binaries_dir(env, target), target, env, say)


def ensure_helm(env: Mapping[str, str], say: Say) -> Path:
    """helm: ``$ANKA_HELM``, the one in PATH of the same major version, the cached one, else it is built.

    DevError says why that did not work."""
    if named := env.get("ANKA_HELM"):
        if not os.access(named, os.X_OK):
            raise DevError(f"ANKA_HELM={named} is no executable: correct or unset it")
        return Path(named)
    if (in_path := shutil.which("helm", path=env.get("PATH"))) and _is_our_helm(in_path):
        return Path(in_path)
    target = this_machine()
    return _cached(versions.HELM, versions.helm_dir(env, target), target, env, say)


def ensure_judge(name: str, env: Mapping[str, str], say: Say) -> Path:
    """One of versions.JUDGES, from the cache, else built. DevError says why that did not work."""
    target = this_machine()
    return _cached(name, versions.judge_dir(env, target, name), target, env, say)


def found_judge(name: str, env: Mapping[str, str]) -> Path | None:
    """One of versions.JUDGES that is here already, in the cache or in PATH. Nothing is built."""
    binary = versions.judge_dir(env, this_machine(), name) / name
    if os.access(binary, os.X_OK):
        return binary
    in_path = shutil.which(name, path=env.get("PATH"))
    return Path(in_path) if in_path else None


def _cached(name: str, folder: Path, target: Target, env: Mapping[str, str], say: Say) -> Path:
    binary = folder / name
    if not os.access(binary, os.X_OK):
        with _only_one(folder, target, say, name):
            if not os.access(binary, os.X_OK):
                _build(name, folder, target, env, say)
    return binary


def _is_our_helm(helm: str) -> bool:
    done = subprocess.run([helm, "version", "--template={{.Version}}"], capture_output=True, text=True, check=False)
    return done.stdout.startswith(f"v{versions.HELM_VERSION.split('.')[0]}.")


def _get(env: Mapping[str, str], target: Target, say: Say) -> dict[str, Path]:
    folder = versions.binaries_dir(env, target)
    with _only_one(folder, target, say):
        have = found(env, target)
        if missing := set(versions.COMPONENTS) - have.keys():
            _download(missing, folder, target, env, say)
            have = found(env, target)
        if missing := set(versions.COMPONENTS) - have.keys():
            for name in versions.COMPONENTS:
                if name in missing:
                    _build(name, folder, target, env, say)
            have = found(env, target)
    return have


@contextlib.contextmanager
def _only_one(folder: Path, target: Target, say: Say, what: str = "the control plane") -> Iterator[None]:
    """Of all processes on this machine, one gets binaries; the others wait, and find them."""
    folder.mkdir(parents=True, exist_ok=True)
    heartbeat = Heartbeat(say)
    with locked(
        folder.parent / f".{target.folder}.lock",
        patience=_BUILD_PATIENCE_SECONDS,
        waiting=lambda pid, _: heartbeat.beat(f"waiting for process {pid}, which is getting {what}"),
        busy=f"process {{pid}} has been getting {what} for an hour: end it and try again",
        interval=1.0,
    ):
        _clean(folder)
        yield


def _build(name: str, folder: Path, target: Target, env: Mapping[str, str], say: Say) -> None:
    scratch = versions.cache_root(env) / "build" / target.folder
    gobuild.build(name, folder, Go(find_go(env, say), env), scratch, say)


def _clean(folder: Path) -> None:
    """Remove what a process left that was killed while it got binaries; the lock is held, so nobody uses it."""
    for scratch in folder.glob(".*"):
        shutil.rmtree(scratch)


def _download(missing: set[str], folder: Path, target: Target, env: Mapping[str, str], say: Say) -> None:
    for part in ({versions.STORE, versions.API_SERVER}, {versions.CONTROLLER_MANAGER}):
        try:
            download(missing & part, folder, target, env, say)
        except DownloadError as error:
            say(f"no release binaries, building instead: {error}")
            if not error.reachable:
                # The other host would only cost the same wait.
                return
