"""A share of the Macs with their agents, in a process of its own."""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

from localkube.controlplane import KubernetesCluster
from localkube.controlplane.process import Component
from localkube.errors import DevError


@dataclass(frozen=True)
class Share:
    """Macs `first` to `first + macs - 1`, with `slots` places each."""

    first: int
    macs: int
    slots: int


def share_out(macs: int, slots: int, processes: int) -> list[Share]:
    """All Macs, in at most so many shares that differ by one Mac at most."""
    bounds = [macs * number // processes for number in range(processes + 1)]
    pairs = itertools.pairwise(bounds)
    return [Share(first, following - first, slots) for first, following in pairs if following > first]


class FleetProcess:
    """A context manager: leaving it ends the process. `flags`: further ones of `anka_dev.bench.burst.fleet`; files go
    to `directory`, those of the agents to `agents` in it."""

    def __init__(self, name: str, cluster: KubernetesCluster, directory: Path, share: Share, *flags: str) -> None:
        argv = [
            sys.executable, "-m", "anka_dev.bench.burst.fleet", f"--kubeconfig={cluster.kubeconfig}",
            f"--ca-file={cluster.ca_file}", f"--directory={directory / 'agents'}", f"--first={share.first}",
            f"--macs={share.macs}", f"--slots={share.slots}", *flags,
        ]  # fmt: skip
        self._log = directory / "logs" / f"{name}.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self.component = Component(name, argv, self._log, directory)

    def check(self) -> None:
        """DevError when it ended."""
        if not self.component.running:
            raise DevError(f"{self.component.name} ended with code {self.component.exit_code} (log: {self._log})")

    def __enter__(self) -> FleetProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.component.stop()
