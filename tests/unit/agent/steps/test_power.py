"""Starting, stopping and deleting, and the USB device that goes with it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from anka_agent.anka.cli import AnkaCli, ListedUsbDevice
from anka_agent.anka.vm import Vm
from anka_agent.jobs.journal import Journal
from anka_agent.plan.failures import StepFailed
from anka_agent.steps.power import PowerSteps
from anka_agent.steps.secrets import SecretError
from anka_crds.api import AnkaInstance
from anka_crds.resources import INSTANCES
from anka_kube.store import Store
from support.faulty_mac import MemoryApi
from support.gated_anka import GatedAnka
from support.mac_host import make_mac_host
from support.objects import instance

VM = Vm("u1", "x", "stopped", detailed=True)
SHOWN = {"uuid": "u1", "name": "x", "status": "running", "ip": "10.0.0.1"}
PHONES = [ListedUsbDevice("0x1", "phone a", True, "phones"), ListedUsbDevice("0x2", "phone b", True, "phones")]


class Secrets:
    """Has one secret."""

    def __init__(self) -> None:
        self.error: SecretError | None = None

    async def read(self, instance: AnkaInstance, field: str, ref: object) -> bytes:
        if self.error is not None:
            raise self.error
        return b"from the secret\n"


class PasswordAnka(GatedAnka):
    def __init__(self) -> None:
        super().__init__({"start": {}, "stop": {}, "suspend": {}, "delete": {}, "list": [SHOWN], "show u1": SHOWN})
        self.passwords: list[str | None] = []

    async def call(self, *args: str, **given: Any) -> Any:
        if args[0] == "start":
            self.passwords.append((given.get("env") or {}).get("ANKA_VNC_PASSWORD"))
        return await super().call(*args, **given)


class Desk:
    def __init__(self, directory: Path) -> None:
        self.anka = PasswordAnka()
        self.report_due = asyncio.Event()
        self.mac = make_mac_host(AnkaCli(self.anka), usb=list(PHONES), report_due=self.report_due)
        self.api: MemoryApi[AnkaInstance] = MemoryApi(Store(INSTANCES))
        self.journal = Journal(directory)
        self.secrets = Secrets()
        secrets: Any = self.secrets
        self.power = PowerSteps(self.mac, self.api, self.journal, secrets)

    def put(self, name: str = "one", **fields: Any) -> AnkaInstance:
        made = instance(name, **fields)
        self.api.store.apply_written(made)
        return made

    @property
    def commands(self) -> list[str]:
        return [call for call in self.anka.calls if not call.startswith(("show", "list"))]


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    await desk.mac.inventory.observe()
    return desk


async def test_the_first_start_takes_what_the_scheduler_booked(desk: Desk) -> None:
    one = desk.put(status={"phase": "Scheduling", "usbDevice": "0x2"}, usbDevice="phones")
    await desk.power.start(one, VM)
    assert desk.commands == ["start --usb 0x2 u1"]
    assert desk.report_due.is_set(), "the device is another instance's no more"
    vm = desk.mac.inventory.by_uuid("u1")
    assert vm is not None
    assert vm.ip == "10.0.0.1", "its details are new"


async def test_a_later_start_books_what_is_free_before_it_begins(desk: Desk) -> None:
    desk.put(
        "two", status={"phase": "Started", "usbDevice": "0x1", "vm": {"uuid": "u2", "name": "y", "status": "running"}}
    )
    one = desk.put(status={"phase": "Stopped"}, usbDevice="phones")
    await desk.power.start(one, VM)
    assert desk.api.writes == [{"status": {"usbDevice": "0x2"}}]
    assert desk.commands == ["start --usb 0x2 u1"]


async def test_without_a_device_none_is_booked_or_reported(desk: Desk) -> None:
    await desk.power.start(desk.put(status={"phase": "Stopped"}), VM)
    assert (desk.api.writes, desk.commands, desk.report_due.is_set()) == ([], ["start u1"], False)


async def test_a_restart_stops_starts_and_is_remembered(desk: Desk) -> None:
    one = desk.put(status={"phase": "Started"}, restartedAt="2026-01-01T02:00:00Z")
    await desk.power.restart(one, VM)
    assert desk.commands == ["stop --force u1", "start u1"]
    assert desk.journal.last_restart("uid-one") == one.spec.restarted_at


@pytest.mark.parametrize(
    ("spec", "password"),
    [
        ({}, None),
        ({"vncPassword": "given"}, "given"),
        ({"vncPasswordSecretRef": {"name": "s", "key": "k"}}, "from the secret"),
    ],
)
async def test_the_vnc_password_is_given(desk: Desk, spec: dict[str, Any], password: str | None) -> None:
    await desk.power.start(desk.put(status={"phase": "Scheduling"}, **spec), VM)
    assert desk.anka.passwords == [password]


async def test_a_secret_that_cannot_be_read_fails_the_instance(desk: Desk) -> None:
    desk.secrets.error = SecretError("Secret default/s does not exist")
    one = desk.put(status={"phase": "Scheduling"}, vncPasswordSecretRef={"name": "s", "key": "k"})
    with pytest.raises(StepFailed) as failed:
        await desk.power.start(one, VM)
    assert (failed.value.failure.reason, failed.value.failure.message) == (
        "StartFailed",
        "Secret default/s does not exist",
    )
    assert desk.commands == []


@pytest.mark.parametrize(("step", "status"), [("stop", "stopped"), ("suspend", "suspended")])
async def test_what_was_halted_is_known_at_once(desk: Desk, step: str, status: str) -> None:
    await getattr(desk.power, step)(VM)
    vm = desk.mac.inventory.by_uuid("u1")
    assert vm is not None
    assert (vm.status, vm.ip, vm.detailed) == (status, None, False)


@pytest.mark.parametrize("in_use", [True, False])
async def test_a_device_that_came_free_is_looked_for(desk: Desk, in_use: bool) -> None:
    desk.mac.facts.usb = [ListedUsbDevice("0x1", "phone a", not in_use)]
    await desk.power.delete(instance(), VM)
    assert desk.report_due.is_set() is in_use
    assert desk.mac.inventory.by_uuid("u1") is None
