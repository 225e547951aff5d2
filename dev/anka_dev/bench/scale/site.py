"""The cloud that is measured: a control plane of its own, two operators, one shim, many agents in few processes, and
one agent in a process of its own, on a Mac that has room."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from anka_crds.api.defaults import CI_NAMESPACE
from anka_crds.resources import INSTANCES, NODES
from anka_dev.bench import cluster_objects as world
from anka_dev.bench.api_counters import ApiCounters
from anka_dev.bench.bench import Bench
from anka_dev.bench.burst.fleet_process import FleetProcess, share_out
from anka_dev.bench.cluster_objects import TAG, TEMPLATE, TEMPLATE_NAME
from anka_dev.bench.figures import Better
from anka_dev.bench.scale.api_metrics import ApiMetrics
from anka_dev.bench.scale.objects import SPARE_GROUP, instance, is_started, make_catalog, queue_all, start_all
from anka_dev.bench.scale.size import PLACES, ScaleSize
from anka_dev.bench.usage import Meter
from anka_dev.bench.watcher import Watcher
from anka_dev.cloud import LocalCloud, install
from anka_dev.local_kubernetes import environment
from anka_dev.repository import BASE
from anka_kube.client import KubeClient
from localkube.controlplane.cluster import apply
from localkube.controlplane.embedded import ControlPlane
from localkube.errors import DevError
from localkube.programs.versions import API_SERVER

ONE_AGENT = "agent-mac-one"
_ONE_MAC = "mac-one"
_POLL_SECONDS = 20.0
"""Between two looks at a simulated Mac of the many: no work for the API, and not what is measured here."""
_PATIENCE_SECONDS = 300.0
_IMAGE_BYTES = 1 << 20
_PER_MAC = ("anka-joiner-token", "anka-joiner-new-node")
_QUIET_PER_SECOND = 1.0
_QUIET_SECONDS = 3.0
_QUICK_LEADER = ("--leader-lease-seconds=3", "--leader-renew-seconds=2", "--leader-retry-seconds=1")


class ScaleSite:
    """A context manager. Its control plane is not the other benchmarks': its apiserver is killed, and each size begins
    with a fresh one."""

    def __init__(self, bench: Bench, size: ScaleSize) -> None:
        self.bench = bench
        self.size = size
        self.name = f"scale{size.macs}"
        self.directory: Path = bench.directory / self.name
        self.running: list[str] = []
        """Names of the instances that run."""
        self._stack = ExitStack()
        self._fleets: list[FleetProcess] = []

    def __enter__(self) -> Self:
        bench, stack = self.bench, self._stack
        try:
            self.say("control plane")
            self.cluster = stack.enter_context(
                ControlPlane.start(self.directory / "control-plane", environment(), say=bench.say)
            )
            install.install(self.cluster)
            self.cloud = stack.enter_context(LocalCloud(self.cluster, self.directory))
            self.metrics = ApiMetrics(self.cluster.kubeconfig)
        except BaseException:
            stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def say(self, what: str) -> None:
        self.bench.say(f"{self.name}: {what}")

    def put(
        self, name: str, value: float, unit: str = "", *, better: Better | None = "less", goal: float | None = None
    ) -> None:
        self.bench.record(f"{self.name}.{name}", value, unit, better=better, goal=goal)

    def client(self) -> KubeClient:
        return world.admin(self.cluster)

    # --- who takes part ---

    async def join(self) -> None:
        """Start all agents; returns once every Mac has told what it has. Raises DevError.

        Before the operator, which writes each Mac that joins into every template that it holds; and without two
        policies about join tokens, which are evaluated once for each Mac that there is. A thousand joins would take
        longer than all that is measured here."""
        size, population = self.size, self.size.population
        flags = (
            f"--groups={population.groups}", f"--templates={population.templates}", f"--held={population.held}",
            "--start-seconds=0", f"--poll-seconds={_POLL_SECONDS}", f"--gap-seconds={size.join_gap_seconds}",
        )  # fmt: skip
        self.cluster.kubectl.run("delete", "validatingadmissionpolicybinding", *_PER_MAC)
        async with self.client() as client:
            await make_catalog(client, population)
            watcher = Watcher({"known": _has_reported})
            async with watcher.following(client, NODES, None):
                for number, share in enumerate(share_out(size.macs, PLACES, size.processes), 1):
                    process = FleetProcess(f"agents-{number}", self.cluster, self.directory, share, *flags)
                    self._fleets.append(self._stack.enter_context(process))
                await watcher.until("known", size.macs, _PATIENCE_SECONDS, self.check)
        apply(self.cluster, BASE / "joining.yaml")

    async def start_services(self) -> None:
        """Both operators and the shim; returns once every Mac takes instances. Raises DevError."""
        watcher = Watcher({"active": _is_active})
        async with self.client() as client, watcher.following(client, NODES, None):
            await asyncio.to_thread(self._start_services)
            await watcher.until("active", self.size.macs, _PATIENCE_SECONDS, self.check)

    def _start_services(self) -> None:
        cloud, flags = self.cloud, _QUICK_LEADER if self.bench.quick else ()
        # The first one leads.
        cloud.start_operator(*flags).wait_ready(_PATIENCE_SECONDS)
        cloud.start_operator(*flags)
        cloud.start_shim("--write-seconds=30")
        cloud.wait_ready(_PATIENCE_SECONDS)

    async def start_one_agent(self) -> None:
        """With a registry that only this Mac knows: the templates of the cloud are this benchmark's own."""

        def start() -> None:
            self.cloud.start_registry().add_template(TEMPLATE_NAME, [TAG], size=_IMAGE_BYTES, uuid=TEMPLATE)
            self.cloud.add_mac(_ONE_MAC, f"--groups={SPARE_GROUP}")
            self.cloud.wait_ready()

        await asyncio.to_thread(start)

    async def fill(self) -> None:
        """Every place is taken, and a queue waits for them. Raises DevError."""
        async with self.client() as client:
            self.running = await start_all(client, self.size, self.check)
            await self.run_on_spare(client)

    async def queue(self) -> None:
        """Raises DevError."""
        async with self.client() as client:
            await queue_all(client, self.size, self.check)

    async def run_on_spare(self, client: KubeClient) -> None:
        """One instance on the Mac of the one agent, which shall be one that works. Raises DevError."""
        watcher = Watcher({"started": is_started})
        async with watcher.following(client, INSTANCES, CI_NAMESPACE):
            await client.create(INSTANCES, instance(template=TEMPLATE, group=SPARE_GROUP), CI_NAMESPACE)
            await watcher.until("started", 1, _PATIENCE_SECONDS, self.check)

    def check(self) -> None:
        """DevError when one of our processes ended."""
        self.cloud.check()
        for fleet in self._fleets:
            fleet.check()

    # --- what is measured ---

    @property
    def fleet_roles(self) -> list[str]:
        return [fleet.component.name for fleet in self._fleets]

    def meter(self, *, without: str = "") -> Meter:
        """Of all processes, but for one that does not live as long as the measurement does."""

        def pids() -> Mapping[str, int]:
            ours = {service.name: service.pid for service in self.cloud.services() if service.running}
            fleets = {fleet.component.name: fleet.component.pid for fleet in self._fleets}
            found = {**self.cluster.pids, **ours, **fleets}
            return {role: pid for role, pid in found.items() if role != without}

        return Meter(pids)

    async def counters(self) -> ApiCounters:
        """Raises DevError."""
        async with self.metrics as metrics:
            found = await metrics.read()
        if found is None:
            raise DevError(f"the metrics of {API_SERVER} cannot be read")
        return found

    async def settle(self) -> None:
        """Return when instances and nodes are hardly written any more. DevError after minutes."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        before = await self.counters()
        while True:
            # Rest is the absence of events.
            await asyncio.sleep(_QUIET_SECONDS)
            now = await self.counters()
            writes = sum(now.writes.values()) - now.writes.get("leases", 0.0)
            writes -= sum(before.writes.values()) - before.writes.get("leases", 0.0)
            if writes / (now.at - before.at) <= _QUIET_PER_SECOND + self.size.macs / 150:
                return
            if time.monotonic() > deadline:
                raise DevError(f"the cloud is not at rest after {_PATIENCE_SECONDS:g} s")
            self.check()
            before = now


def _has_reported(raw: dict[str, Any]) -> bool:
    return bool(raw.get("status", {}).get("templates"))


def _is_active(raw: dict[str, Any]) -> bool:
    return bool(raw.get("status", {}).get("state") == "Active")
