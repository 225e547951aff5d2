"""What a benchmark works with: one control plane for all of them, a folder, and a place for its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from anka_dev.bench.figures import Better, Figure, Figures, Peer
from anka_dev.bench.usage import Meter
from anka_dev.cloud import LocalCloud, install
from anka_dev.controlplane import Cluster, open_cluster
from anka_dev.controlplane.progress import Say

OPERATOR_FLAGS = ("--leader-lease-seconds=300", "--leader-renew-seconds=240")
"""There is one operator only: a machine that is busy beyond measure must not make it give up its place meanwhile."""


class Bench:
    """A context manager: leaving it stops the control plane, if one was needed."""

    def __init__(self, directory: Path, *, quick: bool, say: Say) -> None:
        self.directory = directory
        self.quick = quick
        self.say = say
        self.figures = Figures()
        self._cluster: Cluster | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def cluster(self) -> Cluster:
        """With our kinds and policies in force. Started when it is first asked for, and shared from then on."""
        if self._cluster is None:
            self.say("control plane: kube-apiserver, etcd, kube-controller-manager")
            cluster = self._stack.enter_context(open_cluster(self.directory / "control-plane", say=self.say))
            install.install(cluster)
            self._cluster = cluster
        return self._cluster

    def size(self, full: int, quick: int) -> int:
        """How many: `quick` only shows that everything works."""
        return quick if self.quick else full

    def record(
        self,
        name: str,
        value: float,
        unit: str = "",
        *,
        better: Better | None = None,
        goal: float | None = None,
        peer: Peer | None = None,
    ) -> None:
        self.figures.put(Figure(name, float(value), unit, better, goal, peer))

    def more(
        self, name: str, value: float, unit: str = "", *, goal: float | None = None, peer: Peer | None = None
    ) -> None:
        """A figure that is good when it is high."""
        self.record(name, value, unit, better="more", goal=goal, peer=peer)

    def less(
        self, name: str, value: float, unit: str = "", *, goal: float | None = None, peer: Peer | None = None
    ) -> None:
        """A figure that is good when it is low."""
        self.record(name, value, unit, better="less", goal=goal, peer=peer)

    def meter(self, cloud: LocalCloud, *more: Callable[[], Mapping[str, int]]) -> Meter:
        """Of the control plane and of our processes in `cloud`."""

        def pids() -> dict[str, int]:
            ours = {service.name: service.pid for service in cloud.services() if service.running}
            return {**self.cluster.pids, **ours, **{role: pid for one in more for role, pid in one().items()}}

        return Meter(pids)
