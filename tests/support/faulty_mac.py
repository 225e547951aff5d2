"""A whole instance on a Mac in memory, whose `anka` can fail, hang and print garbage: no processes, and no waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from anka_agent.anka.arguments import check_words
from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.command import OnLine, command_name
from anka_agent.anka.errors import AnkaError, CommandTimeout, GarbageError
from anka_agent.instances.worker import InstanceWorker, WorkerFactory
from anka_agent.jobs import runner
from anka_agent.jobs.journal import Journal
from anka_agent.node.view import NodeView
from anka_agent.saves.queue import make_save_store
from anka_agent.steps.instance import InstanceSteps
from anka_agent.steps.power import PowerSteps
from anka_agent.steps.save import SaveSteps, StepSet
from anka_agent.steps.secrets import SecretReader
from anka_crds.api import AnkaInstance, SaveImage
from anka_crds.resources import INSTANCES, NODES
from anka_dev.bench.burst.memory_anka import MemoryAnka
from anka_kube import merge_patch
from anka_kube.cached_client import CachedClient
from anka_kube.errors import NotHolding
from anka_kube.resource import M, key_of
from anka_kube.store import Store
from support.mac_host import make_mac_host
from support.manual_clock import ManualClock
from support.objects import TEMPLATE, instance, node

Kind = Literal["fail", "hang", "garbage"]


def fill_disk(monkeypatch: pytest.MonkeyPatch, *, but: str | None = None) -> None:
    """Nothing can be recorded any more, `but` files of this name."""
    write = runner.write

    def full(path: str, data: dict[str, Any]) -> None:
        if Path(path).name != but:
            raise OSError(28, "No space left on device")
        write(path, data)

    monkeypatch.setattr(runner, "write", full)


@dataclass
class Fault:
    """`command` as metrics name it, or `check` for the size of a download. `times`: how often; always without it."""

    command: str
    kind: Kind
    times: int | None = None
    after: bool = False
    """Whether the command does its work first."""


class FaultyAnka(MemoryAnka):
    def __init__(self) -> None:
        super().__init__("mac-1", slots=4, start_seconds=0.0)
        self.faults: list[Fault] = []
        self.calls: list[str] = []
        self.hung: list[float] = []
        """Seconds that commands which hung were waited for."""

    async def call(
        self,
        *args: str,
        seconds: float,
        on_line: OnLine | None = None,
        env: Mapping[str, str] | None = None,
        exclusive: bool = True,
    ) -> Any:
        name = "check" if "--check-download-size" in args else command_name(args)
        self.calls.append(name)
        check_words(args, command_name(args))
        fault = self._take(name)
        if fault is None:
            return await self._work(args, seconds)
        if fault.after:
            await self._work(args, seconds)
        if fault.kind == "hang":
            self.hung.append(seconds)
            raise CommandTimeout(f"did not end within {seconds:g} s", command=command_name(args))
        if fault.kind == "garbage":
            raise GarbageError("printed no JSON answer and ended with exit code 0: ?", command=command_name(args))
        raise AnkaError("simulated", command=command_name(args))

    def _take(self, name: str) -> Fault | None:
        found = next((fault for fault in self.faults if fault.command == name and fault.times != 0), None)
        if found is not None and found.times is not None:
            found.times -= 1
        return found

    async def _work(self, args: tuple[str, ...], seconds: float) -> Any:
        await asyncio.sleep(0)
        if args[0] != "registry":
            return await super().call(*args, seconds=seconds)
        if "--check-download-size" in args:
            return {"size": 1, "cached": 0, "available": 10**12}
        if not any(vm["uuid"] == TEMPLATE for vm in self.mac.vms()):
            self.mac.put_template(TEMPLATE, "macos-15", "v1")
        return {}


class MemoryApi(CachedClient[M]):
    """Writes are in the store at once; `Kind.from_api` makes the object."""

    def __init__(self, store: Store[M]) -> None:
        self.store = store
        self.writes: list[dict[str, Any]] = []
        self._version = 1

    async def patch_status(self, obj: M, status: Mapping[str, Any]) -> M:
        return await self.patch(obj, {"status": status})

    async def patch(self, obj: M, patch: Mapping[str, Any]) -> M:
        self.writes.append(dict(patch))
        return self.apply(obj, patch)

    def apply(self, obj: M, patch: Mapping[str, Any]) -> M:
        self._version += 1
        data = merge_patch.apply(self.store.resource.dump(obj), {**patch})
        data["metadata"]["resourceVersion"] = str(self._version)
        new = self.store.resource.parse(data)
        if data["metadata"].get("deletionTimestamp") and not data["metadata"].get("finalizers"):
            self.store.apply_deleted(new)
        else:
            self.store.apply_written(new)
        return new


class FaultyMac:
    """One instance `one` of template v1, whose worker runs between `begin` and `end`."""

    def __init__(
        self, directory: Path, anka: FaultyAnka | None = None, *, api: MemoryApi[AnkaInstance] | None = None
    ) -> None:
        self.anka = anka or FaultyAnka()
        self.clock = ManualClock()
        self.api = api or MemoryApi(Store(INSTANCES))
        self.saves: MemoryApi[SaveImage] = MemoryApi(make_save_store())
        self.store = self.api.store
        self.journal = Journal(directory / "instances")
        self.host = make_mac_host(AnkaCli(self.anka), owners=self.journal.owners, clock=self.clock)
        self.node = NodeView(Store(NODES), node("mac-1"), lambda: "10.0.0.1")
        secrets = SecretReader(cast(Any, None), lambda owner, field, secret: None, timeout=60, clock=self.clock)
        power = PowerSteps(self.host, self.api, self.journal, secrets)
        steps = InstanceSteps(
            self.host, self.node, self.api, self.journal, secrets, network_timeout=180, clock=self.clock
        )
        self.is_held = True
        """Whether the heartbeat is confirmed."""

        def fence() -> None:
            if not self.is_held:
                raise NotHolding

        self.factory = WorkerFactory(
            self.api, self.saves, self.host, self.node, self.journal,
            StepSet(steps, power, SaveSteps(self.host, steps, power, self.journal)), self.clock, fence, self._check,
        )  # fmt: skip
        self.worker: InstanceWorker | None = None
        self.checks: list[str] = []
        """What the API showed of the instance whenever the Mac was looked at because of it."""

    async def _check(self) -> None:
        self.checks.append(self.phase)

    async def begin(
        self,
        *,
        held: bool = True,
        resolved: dict[str, str] | None = None,
        meta: dict[str, Any] | None = None,
        **spec: Any,
    ) -> None:
        if held:
            self.anka.mac.put_template(TEMPLATE, "macos-15", "v1")
        resolved = resolved or {"id": TEMPLATE, "name": "macos-15", "tag": "v1"}
        status = {"phase": "Scheduling", "nodeName": "mac-1", "template": resolved}
        # The only Mac: what it cannot do fails.
        self.store.apply_written(instance(status=status, meta=meta, **{"node": "mac-1", **spec}))
        await self.look()
        self.work()

    async def look(self) -> None:
        await self.host.inventory.observe()
        await self.host.templates.refresh(force=True)

    def work(self) -> None:
        found = self.instance
        assert found is not None
        self.worker = self.factory.create(key_of(found), found.metadata.uid)
        self.worker.start()

    async def end(self) -> None:
        if self.worker is not None:
            await self.worker.stop()

    @property
    def instance(self) -> AnkaInstance | None:
        return self.store.by_uid("uid-one")

    @property
    def phase(self) -> str:
        return "" if self.instance is None else str(self.instance.status.phase.value)

    @property
    def told(self) -> tuple[str, str]:
        """Reason and message of the condition Ready."""
        assert self.instance is not None
        ready = next(one for one in self.instance.status.conditions if one.type == "Ready")
        return ready.reason, self.instance.status.message or ""

    def delete(self) -> None:
        assert self.instance is not None
        self.api.apply(self.instance, {"metadata": {"deletionTimestamp": "2026-01-01T01:00:00Z"}})
        assert self.worker is not None
        self.worker.wake()

    def change(self, patch: Mapping[str, Any]) -> None:
        assert self.instance is not None
        self.api.apply(self.instance, patch)
        assert self.worker is not None
        self.worker.wake()

    def vms(self) -> list[dict[str, Any]]:
        return [vm for vm in self.anka.mac.vms() if vm["uuid"] != TEMPLATE]

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
