"""Finds the control plane's binaries, or gets them."""

import contextlib
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from localkube.environment import Environment
from localkube.errors import DevError
from localkube.filelock import hold_lock
from localkube.programs import gobuild, versions
from localkube.programs.download import DownloadError, download
from localkube.programs.toolchain import Go, find_go
from localkube.programs.versions import Target
from localkube.progress import Heartbeat, Say

# A whole build by another process on a slow machine.
_BUILD_TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True)
class Binaries:
    """The three executables."""

    etcd: Path
    api_server: Path
    controller_manager: Path


def this_machine(env: Environment) -> Target:
    """The target of the running Python. DevError where Kubernetes does not run."""
    try:
        return Target.of(platform.system(), platform.machine())
    except ValueError as error:
        raise DevError(f"{error}, or name a cluster with {env.name('KUBECONFIG')}") from None


def _usable(folder: Path, names: tuple[str, ...]) -> dict[str, Path]:
    return {name: folder / name for name in names if os.access(folder / name, os.X_OK)}


def find_components(env: Environment, target: Target) -> dict[str, Path]:
    """Components that are here already: in KUBEBUILDER_ASSETS, then in the cache.

    DevError when KUBEBUILDER_ASSETS lacks the API server or etcd."""
    here = _usable(versions.binaries_dir(env, target), versions.COMPONENTS)
    if assets := env.variables.get("KUBEBUILDER_ASSETS"):
        named = _usable(Path(assets), versions.COMPONENTS)
        # envtest ships no controller manager: that one alone may come from elsewhere.
        for name in (versions.STORE, versions.API_SERVER):
            if name not in named:
                raise DevError(f"KUBEBUILDER_ASSETS={assets} has no executable {name}: correct or unset it")
        here |= named
    return here


def is_complete(env: Environment, target: Target) -> bool:
    """Whether a control plane can start without a download or a build."""
    return len(find_components(env, target)) == len(versions.COMPONENTS)


def ensure(env: Environment, say: Say) -> Binaries:
    """The binaries; what is missing is downloaded, else built. DevError says why neither worked."""
    target = this_machine(env)
    have = find_components(env, target)
    if len(have) < len(versions.COMPONENTS):
        have = _get(env, target, say)
    return Binaries(have[versions.STORE], have[versions.API_SERVER], have[versions.CONTROLLER_MANAGER])


def ensure_scheduler(env: Environment, say: Say) -> Path:
    """kube-scheduler of the same version, from the cache, else built. DevError says why that did not work."""
    target = this_machine(env)
    return _ensure_cached(versions.SCHEDULER, versions.binaries_dir(env, target), target, env, say)


def ensure_kwok(env: Environment, say: Say) -> Path:
    """kwok, from the cache, else built. DevError says why that did not work."""
    target = this_machine(env)
    return _ensure_cached(versions.KWOK, versions.kwok_dir(env, target), target, env, say)


def find_pod_programs(env: Environment) -> list[Path]:
    """Of kube-scheduler and kwok those that are in the cache. Nothing is built."""
    target = this_machine(env)
    every = (
        versions.binaries_dir(env, target) / versions.SCHEDULER,
        versions.kwok_dir(env, target) / versions.KWOK,
    )
    return [binary for binary in every if os.access(binary, os.X_OK)]


def ensure_helm(env: Environment, say: Say) -> Path:
    """helm: the one that the setting HELM names, the one in PATH of the same major version, the cached one, else built.

    DevError says why that did not work."""
    if named := env.get("HELM"):
        if not os.access(named, os.X_OK):
            raise DevError(f"{env.name('HELM')}={named} is no executable: correct or unset it")
        return Path(named)
    if (in_path := shutil.which("helm", path=env.path)) and _is_our_helm(in_path):
        return Path(in_path)
    target = this_machine(env)
    return _ensure_cached(versions.HELM, versions.helm_dir(env, target), target, env, say)


def ensure_checker(name: str, env: Environment, say: Say) -> Path:
    """One of versions.CHECKERS, from the cache, else built. DevError says why that did not work."""
    target = this_machine(env)
    return _ensure_cached(name, versions.checker_dir(env, target, name), target, env, say)


def find_checker(name: str, env: Environment) -> Path | None:
    """One of versions.CHECKERS that is in the cache or in PATH; None when it is in neither. Nothing is built."""
    binary = versions.checker_dir(env, this_machine(env), name) / name
    if os.access(binary, os.X_OK):
        return binary
    in_path = shutil.which(name, path=env.path)
    return Path(in_path) if in_path else None


def _ensure_cached(name: str, folder: Path, target: Target, env: Environment, say: Say) -> Path:
    binary = folder / name
    if not os.access(binary, os.X_OK):
        with _exclusive(folder, target, say, name):
            if not os.access(binary, os.X_OK):
                _build(name, folder, target, env, say)
    return binary


def _is_our_helm(helm: str) -> bool:
    done = subprocess.run([helm, "version", "--template={{.Version}}"], capture_output=True, text=True, check=False)
    return done.stdout.startswith(f"v{versions.HELM_VERSION.split('.')[0]}.")


def _get(env: Environment, target: Target, say: Say) -> dict[str, Path]:
    folder = versions.binaries_dir(env, target)
    with _exclusive(folder, target, say):
        have = find_components(env, target)
        if missing := set(versions.COMPONENTS) - have.keys():
            _download(missing, folder, target, env, say)
            have = find_components(env, target)
        if missing := set(versions.COMPONENTS) - have.keys():
            for name in versions.COMPONENTS:
                if name in missing:
                    _build(name, folder, target, env, say)
            have = find_components(env, target)
    return have


@contextlib.contextmanager
def _exclusive(folder: Path, target: Target, say: Say, what: str = "the control plane") -> Iterator[None]:
    """One process of this machine gets binaries at a time; the others wait, and find them."""
    folder.mkdir(parents=True, exist_ok=True)
    heartbeat = Heartbeat(say)
    with hold_lock(
        folder.parent / f".{target.folder}.lock",
        timeout=_BUILD_TIMEOUT_SECONDS,
        on_wait=lambda pid, _: heartbeat.beat(f"waiting for process {pid}, which is getting {what}"),
        busy=f"process {{pid}} has been getting {what} for an hour: end it and try again",
        interval=1.0,
    ):
        _clean(folder)
        yield


def _build(name: str, folder: Path, target: Target, env: Environment, say: Say) -> None:
    scratch = env.cache_root / "build" / target.folder
    gobuild.build(name, folder, Go(find_go(env, say), env.variables), scratch, say)


def _clean(folder: Path) -> None:
    """Remove what a killed process left half done; the lock is held, so no other process uses it."""
    for scratch in folder.glob(".*"):
        shutil.rmtree(scratch)


def _download(missing: set[str], folder: Path, target: Target, env: Environment, say: Say) -> None:
    for part in ({versions.STORE, versions.API_SERVER}, {versions.CONTROLLER_MANAGER}):
        try:
            download(missing & part, folder, target, env, say)
        except DownloadError as error:
            say(f"no release binaries, building instead: {error}")
            if not error.reachable:
                # The other host would only cost the same wait.
                return
