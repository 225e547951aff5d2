"""Steps that start, stop and delete a VM, including its USB device."""

import asyncio
from dataclasses import dataclass

from anka_agent.anka.vm import Vm
from anka_agent.jobs.journal import Journal
from anka_agent.mac.mac_host import MacHost
from anka_agent.plan.failures import StepFailed
from anka_agent.plan.options import UsbCandidate, choose_device
from anka_agent.plan.situation import InstanceFailure
from anka_agent.steps.secrets import SecretError, SecretReader
from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.conditions import InstanceReason
from anka_crds.rules.lifecycle import holds_slot
from anka_kube.cached_client import CachedClient


@dataclass(eq=False)
class PowerSteps:
    """The methods raise AnkaError, ApiError and StepFailed; cancelling them is safe, and each may be repeated."""

    _mac: MacHost
    _instances: CachedClient[AnkaInstance]
    _journal: Journal
    _secrets: SecretReader

    async def start(self, instance: AnkaInstance, vm: Vm) -> None:
        """The first time with the USB device that the scheduler booked; later with the one that the spec names now."""
        if instance.status.phase in (Phase.STARTED, Phase.STOPPED):
            usb = await self._book_usb(instance)
        else:
            usb = instance.status.usb_device or instance.spec.usb_device
        await self._start(instance, vm, usb)

    async def restart(self, instance: AnkaInstance, vm: Vm) -> None:
        """As the old agent did: `stop --force`, then `start`."""
        await self.stop(vm)
        # The spec may name another device than the one that was booked for the first start.
        await self._start(instance, vm, await self._book_usb(instance))
        self.record_restart(instance)

    def record_restart(self, instance: AnkaInstance) -> None:
        if instance.spec.restarted_at is not None:
            self._journal.record_restart(instance.metadata.uid, instance.spec.restarted_at)

    async def stop(self, vm: Vm) -> None:
        self._mac.inventory.forget_details(vm.uuid)
        await self._mac.anka.stop(vm.uuid)
        self._mac.inventory.forget_details(vm.uuid, "stopped")
        self._expect_free_usb()

    async def suspend(self, vm: Vm) -> None:
        self._mac.inventory.forget_details(vm.uuid)
        await self._mac.anka.suspend(vm.uuid)
        self._mac.inventory.forget_details(vm.uuid, "suspended")

    async def delete(self, instance: AnkaInstance, vm: Vm) -> None:
        await self._mac.anka.delete(vm.uuid)
        self._mac.inventory.record_removal(vm.uuid)
        await asyncio.to_thread(self._journal.forget_vm, instance.metadata.uid)
        self._expect_free_usb()

    async def _book_usb(self, instance: AnkaInstance) -> str | None:
        """Written before the VM has the device: no other instance may be given it meanwhile, and an agent that is
        killed here finds its own choice again."""
        booked, uid = instance.status.usb_device, instance.metadata.uid
        others = (one for one in self._instances.store if one.metadata.uid != uid and _has_slot(one))
        taken = {one.status.usb_device for one in others}
        devices = [
            UsbCandidate(one.location, frozenset(name for name in (one.group, one.name) if name), one.available)
            for one in self._mac.facts.usb
        ]
        device = choose_device(instance.spec.usb_device, booked, devices, {one for one in taken if one is not None})
        if device != booked:
            await self._instances.patch_status(instance, {"usbDevice": device})
        return device

    async def _start(self, instance: AnkaInstance, vm: Vm, usb: str | None) -> None:
        password = await self._read_password(instance)
        async with self._mac.vm_slots:
            self._mac.inventory.forget_details(vm.uuid)
            await self._mac.anka.start(vm.uuid, usb_device=usb, vnc_password=password)
            await self._mac.inventory.detail(vm)
        if usb:
            self._mac.facts.expect_usb_change()

    async def _read_password(self, instance: AnkaInstance) -> str | None:
        password, ref = instance.spec.vnc_password, instance.spec.vnc_password_secret_ref
        if ref is not None:
            try:
                value = await self._secrets.read(instance, "vncPassword", ref)
            except SecretError as error:
                raise StepFailed(InstanceFailure(InstanceReason.START_FAILED, str(error))) from None
            password = value.decode("utf-8", "replace").strip()
        return password

    def _expect_free_usb(self) -> None:
        if self._mac.facts.usb_in_use:
            self._mac.facts.expect_usb_change()


def _has_slot(instance: AnkaInstance) -> bool:
    return holds_slot(instance.status.phase, instance.status.vm.status if instance.status.vm else None)
