"""A burst of starts in turns: its writes alone, Pods, our instances, and Pods while every node has its own watch.

In turns, because a machine's speed drifts; the figures are medians.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from anka_dev.bench import cluster_objects as world
from anka_dev.bench.bench import Bench
from anka_dev.bench.burst.alone import writes_alone
from anka_dev.bench.burst.instance_turn import InstanceTurn
from anka_dev.bench.burst.measured import Measured, medians
from anka_dev.bench.burst.pod_turn import PodTurn
from anka_dev.bench.burst.report import report
from anka_dev.bench.burst.size import Size
from anka_dev.bench.figures import PeerFigure


class Burst:
    def __init__(self, bench: Bench, size: Size) -> None:
        self._bench = bench
        self._size = size

    def run(self, peers: Mapping[str, PeerFigure]) -> None:
        """All figures of this size, ours beside those of Pods, if there are to be any, and beside `peers`."""
        alone, pods, ours, watched = [], [], [], []
        for number in range(1, self._size.turns + 1):
            directory = self._bench.directory / self._size.name / f"turn-{number}"
            self._bench.say(f"{self._size.name}: turn {number} of {self._size.turns}")
            # First: an apiserver that has never seen our kinds would be part of the figures.
            alone.append(self._writes_alone())
            if self._bench.with_pods:
                pods.append(self._told("Pods", PodTurn(self._bench, self._size, directory / "pods", watched=False)))
            ours.append(self._told("ours", InstanceTurn(self._bench, self._size, directory / "instances")))
            if self._bench.with_pods:
                turn = PodTurn(self._bench, self._size, directory / "pods-watched", watched=True)
                watched.append(self._told("watched Pods", turn))
        report(self._bench, self._size, medians(alone) | medians(ours), medians(pods), medians(watched), peers)

    def _told(self, who: str, turn: PodTurn | InstanceTurn) -> Measured:
        """Its figures; a line of them shows how much turns differ, which medians hide."""
        figures = turn.run()
        seconds, cpu, agents = (figures[name][0] for name in ("last_started_s", "cpu_s", "cpu_agents_s"))
        self._bench.say(f"{self._size.name}: {who}: {seconds:.2f} s, {cpu:.2f} CPU s and {agents:.2f} of agents")
        return figures

    def _writes_alone(self) -> Measured:
        bench, size = self._bench, self._size
        bench.say(f"{size.name}: the writes of {size.instances} starts alone, without our programs")
        try:
            usage = asyncio.run(writes_alone(bench, size.instances))
        finally:
            asyncio.run(_purge(bench))
        cpu = usage.cpu["kube-apiserver"] + usage.cpu["etcd"]
        return {"writes_alone_s": (usage.seconds, "s"), "writes_alone_cpu_s": (cpu, "s")}


async def _purge(bench: Bench) -> None:
    async with world.admin(bench.cluster) as client:
        await world.purge(client)
