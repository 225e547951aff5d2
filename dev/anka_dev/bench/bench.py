"""What a benchmark works with: one control plane for all of them, a folder, and a place for its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from anka_dev.bench.figures import Better, Figure, Figures, PeerFigure
from anka_dev.bench.scale.size import DEFAULT_SIZES, QUICK_SIZE, ScaleSize
from anka_dev.bench.usage import Meter
from anka_dev.cloud import LocalCloud, install
from anka_dev.local_kubernetes import environment
from localkube.controlplane import KubernetesCluster, open_cluster
from localkube.progress import Say

OPERATOR_FLAGS = ("--leader-lease-seconds=300", "--leader-renew-seconds=240")
"""There is only one operator: an overloaded machine must not make it lose its Lease."""


class Bench:
    """A context manager: leaving it stops the control plane, if one was needed."""

    def __init__(
        self,
        directory: Path,
        *,
        quick: bool,
        say: Say,
        scale_sizes: Sequence[ScaleSize] = DEFAULT_SIZES,
        with_pods: bool = True,
    ) -> None:
        self.directory = directory
        self.quick = quick
        self.say = say
        self.with_pods = with_pods
        """Whether bursts have their turns of Pods."""
        self.scale_sizes = (QUICK_SIZE,) if quick else tuple(scale_sizes)
        """Clouds of the group `scale`."""
        self.figures = Figures()
        self._cluster: KubernetesCluster | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def cluster(self) -> KubernetesCluster:
        """A cluster with our kinds and policies in force; started on first use, then shared."""
        if self._cluster is None:
            self.say("control plane: kube-apiserver, etcd, kube-controller-manager")
            directory = self.directory / "control-plane"
            cluster = self._stack.enter_context(open_cluster(directory, environment(), say=self.say))
            install.install(cluster)
            self._cluster = cluster
        return self._cluster

    def size(self, full: int, quick: int) -> int:
        """The size of a measurement: `quick` only shows that everything works."""
        return quick if self.quick else full

    def record(
        self,
        name: str,
        value: float,
        unit: str = "",
        *,
        better: Better | None = None,
        goal: float | None = None,
        peers: Sequence[PeerFigure] = (),
    ) -> None:
        self.figures.put(Figure(name, float(value), unit, better, goal, peers))

    def more(
        self, name: str, value: float, unit: str = "", *, goal: float | None = None, peers: Sequence[PeerFigure] = ()
    ) -> None:
        """A figure that is good when it is high."""
        self.record(name, value, unit, better="more", goal=goal, peers=peers)

    def less(
        self, name: str, value: float, unit: str = "", *, goal: float | None = None, peers: Sequence[PeerFigure] = ()
    ) -> None:
        """A figure that is good when it is low."""
        self.record(name, value, unit, better="less", goal=goal, peers=peers)

    def meter(self, cloud: LocalCloud, *more: Callable[[], Mapping[str, int]]) -> Meter:
        """A meter of the control plane and of our processes in `cloud`."""

        def pids() -> dict[str, int]:
            ours = {service.name: service.pid for service in cloud.services() if service.running}
            return {**self.cluster.pids, **ours, **{role: pid for one in more for role, pid in one().items()}}

        return Meter(pids)
