"""A whole instance on a Mac in memory, whose `anka` can fail, hang and print garbage: no processes, and no waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from anka_agent.anka.command import OnLine, command_name
from anka_agent.anka.errors import AnkaError, CommandTimeout, GarbageError
from anka_agent.anka.operations import Operations
from anka_agent.instances import runner
from anka_agent.instances.context import Context, NodeFacts
from anka_agent.instances.inventory import Inventory
from anka_agent.instances.journal import Journal
from anka_agent.instances.pulls import Templates
from anka_agent.instances.worker import Worker
from anka_crds.api import AnkaInstance
from anka_crds.kube import merge_patch
from anka_crds.kube.kinds import INSTANCES
from anka_crds.kube.resource import key_of
from anka_crds.kube.store import Store
from anka_dev.bench.burst.anka import MemoryAnka
from support.objects import TEMPLATE, instance

Kind = Literal["fail", "hang", "garbage"]


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No script can be written for a VM any more."""

    def full(path: str, data: object) -> None:
        raise OSError(28, "No space left on device")

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
            self.mac.hold(TEMPLATE, "macos-15", "v1")
        return {}


class Api:
    """Stands for client and writer: what is written is in the store at once."""

    def __init__(self, store: Store[AnkaInstance]) -> None:
        self._store = store
        self.writes: list[dict[str, Any]] = []
        self._version = 1

    async def patch_status(self, obj: AnkaInstance, status: Mapping[str, Any], *, guarded: bool) -> AnkaInstance:
        return await self.patch(obj, {"status": status}, guarded=guarded)

    async def patch(self, obj: AnkaInstance, patch: Mapping[str, Any], *, guarded: bool) -> AnkaInstance:
        del guarded
        self.writes.append(dict(patch))
        return self.apply(obj, patch)

    def apply(self, obj: AnkaInstance, patch: Mapping[str, Any]) -> AnkaInstance:
        self._version += 1
        data = merge_patch.apply(obj.to_api(), {**patch})
        data["metadata"]["resourceVersion"] = str(self._version)
        new = AnkaInstance.from_api(data)
        if new.metadata.deletion_timestamp is not None and not new.metadata.finalizers:
            self._store.apply_deleted(new)
        else:
            self._store.apply_written(new)
        return new


class FaultyMac:
    """One instance `one` of template v1, whose worker runs between `begin` and `end`."""

    def __init__(self, directory: Path, anka: FaultyAnka | None = None) -> None:
        self.anka = anka or FaultyAnka()
        self.store: Store[AnkaInstance] = Store(INSTANCES)
        self.api = Api(self.store)
        nobody = cast(Any, None)
        works = Operations(self.anka)
        self.context = Context(
            nobody, self.store, cast(Any, self.api), works, Inventory(works, "mgmtManaged-"), Templates(works),
            Journal(directory / "instances"), lambda: NodeFacts("mac-1", "mac-1", "10.0.0.1"),
        )  # fmt: skip
        self.worker: Worker | None = None

    async def begin(self, *, held: bool = True, **spec: Any) -> None:
        if held:
            self.anka.mac.hold(TEMPLATE, "macos-15", "v1")
        resolved = {"id": TEMPLATE, "name": "macos-15", "tag": "v1"}
        status = {"phase": "Scheduling", "nodeName": "mac-1", "template": resolved}
        self.store.apply_written(instance(status=status, **spec))
        await self.look()
        self.work()

    async def look(self) -> None:
        await self.context.inventory.look()
        await self.context.templates.refresh(self.context.inventory.templates(), force=True)

    def work(self) -> None:
        found = self.instance
        assert found is not None
        self.worker = Worker(self.context, key_of(found), found.metadata.uid)
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
        async with asyncio.timeout(20):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
