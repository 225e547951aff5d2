"""The steps themselves: each does one thing to the VM of one instance, and may be done twice."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable
from datetime import datetime

from anka_agent.anka.vm import Vm
from anka_agent.instances import secrets
from anka_agent.instances.context import Context, token_of
from anka_agent.instances.fetch import fetch, used
from anka_agent.instances.look import wanted_template
from anka_agent.instances.scripts import ScriptJob
from anka_agent.plan import options, report
from anka_agent.plan.situation import Failure
from anka_agent.plan.usb import Device, device_for
from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.vm_options import SecretKey
from anka_crds.core.lifecycle import holds_slot
from anka_crds.core.naming import instance_id, vm_name
from anka_crds.kube.errors import ApiError

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 5.0
"""A pull that takes longer is reported, and then at most this often."""
SHOW_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.0)
RUNNER_MARGIN = 86400.0


class StepFailed(Exception):
    """The step cannot succeed, for a reason that is not the command's."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _has_slot(instance: AnkaInstance) -> bool:
    return holds_slot(instance.status.phase, instance.status.vm.status if instance.status.vm else None)


class Actions:
    """For one instance. The methods raise AnkaError, ApiError and StepFailed; cancelling them is safe."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def name(self, instance: AnkaInstance) -> str:
        """Name of its VM: the same whenever it is asked for, as long as template and node keep their names."""
        node = self._context.node()
        template = instance.status.template
        template_id, _ = wanted_template(instance)
        return vm_name(
            self._context.inventory.prefix,
            instance.spec.name_template,
            token=token_of(instance),
            instance=instance_id(instance.metadata.name, instance.metadata.uid),
            template_name=(template.name if template is not None else None) or template_id,
            template_id=template_id,
            node_id=node.name,
            node_name=node.display_name,
        )

    async def pull(self, instance: AnkaInstance) -> None:
        template, tag = wanted_template(instance)
        latest = 0

        def note(percent: int) -> None:
            nonlocal latest
            latest = percent

        reporting = asyncio.create_task(self._report_progress(instance, lambda: latest))
        try:
            held = await fetch(self._context, template, tag, instance.status.registry, note)
        finally:
            reporting.cancel()
            await asyncio.wait([reporting])
        if not held:
            wanted = f"{template}:{tag}" if tag else template
            raise StepFailed(Failure("PullFailed", f"{wanted} was pulled, but anka does not list it"))

    async def _report_progress(self, instance: AnkaInstance, percent: Callable[[], int]) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            current = self._context.store.by_uid(instance.metadata.uid)
            if current is None:
                return
            if current.status.phase is Phase.PULLING and current.status.progress_percent == percent():
                continue
            status = report.pulling(current, percent(), self._context.clock.now())
            try:
                await self._context.writer.patch_status(current, status, guarded=True)
            except ApiError as error:
                # The next one says more anyway.
                log.debug("progress not written: %s", error)

    async def clone(self, instance: AnkaInstance) -> None:
        template, tag = wanted_template(instance)
        async with self._context.heavy:
            await self._context.anka.clone(template, self.name(instance), tag)
        await used(self._context, template, tag)
        await self._context.inventory.look()

    async def configure(self, instance: AnkaInstance, vm: Vm) -> None:
        async with self._context.heavy:
            self._context.inventory.forget_details(vm.uuid)
            if vm.status == "suspended" and options.wakes_suspended(instance.spec):
                await self._context.anka.stop(vm.uuid)
            for command in options.modify_commands(instance.spec, vm.uuid, anka=self._context.anka_major()):
                await self._context.anka.modify(command)

    async def start(self, instance: AnkaInstance, vm: Vm) -> None:
        """The first time with the USB device that the scheduler booked; later with the one that is asked for now."""
        if instance.status.phase in (Phase.STARTED, Phase.STOPPED):
            usb = await self._book_usb(instance)
        else:
            usb = instance.status.usb_device or instance.spec.usb_device
        await self._start(instance, vm, usb)

    async def _book_usb(self, instance: AnkaInstance) -> str | None:
        """Told before the VM has it: nobody else is to be given the device meanwhile, and an agent that is killed here
        finds its own choice again."""
        booked = instance.status.usb_device
        uid = instance.metadata.uid
        taken = {one.status.usb_device for one in self._context.store if one.metadata.uid != uid and _has_slot(one)}
        devices = [
            Device(one.location, frozenset(name for name in (one.group, one.name) if name), one.available)
            for one in self._context.usb()
        ]
        device = device_for(instance.spec.usb_device, booked, devices, {one for one in taken if one is not None})
        if device != booked:
            await self._context.writer.patch_status(instance, {"usbDevice": device}, guarded=True)
        return device

    async def _start(self, instance: AnkaInstance, vm: Vm, usb: str | None) -> None:
        password = instance.spec.vnc_password
        if instance.spec.vnc_password_secret_ref is not None:
            value = await self._secret(instance, instance.spec.vnc_password_secret_ref, "StartFailed")
            password = value.decode("utf-8", "replace").strip()
        if password:
            self._context.hide(password)
        async with self._context.heavy:
            self._context.inventory.forget_details(vm.uuid)
            await self._context.anka.start(vm.uuid, usb_device=usb, vnc_password=password)
            await self._context.inventory.detail(vm)
        if usb:
            self._context.usb_changed()

    async def grow_container(self, instance: AnkaInstance, vm: Vm) -> None:
        await self._context.anka.run_script(vm.uuid, options.GROW_CONTAINER)
        await asyncio.to_thread(self._context.journal.note_grown, instance.metadata.uid)

    async def await_network(self, vm: Vm) -> None:
        """Until the VM has an address. Raises StepFailed when it gets none in time."""
        clock = self._context.clock
        until = clock.monotonic() + self._context.network_timeout
        for wait in (*SHOW_SECONDS, *[SHOW_SECONDS[-1]] * int(self._context.network_timeout + 1)):
            seen = await self._context.inventory.detail(vm)
            if seen is None or not seen.running or seen.ip:
                return
            if clock.monotonic() >= until:
                break
            await asyncio.sleep(wait)
        seconds = f"{self._context.network_timeout:g}"
        raise StepFailed(Failure("NetworkTimeout", f"the VM got no IP address within {seconds} s of its start"))

    async def run_script(self, instance: AnkaInstance, vm: Vm, job: ScriptJob) -> None:
        wanted = instance.spec.startup_script
        if wanted is None:
            return
        if wanted.secret_ref is not None:
            text = await self._secret(instance, wanted.secret_ref, "ScriptFailed")
        else:
            try:
                text = base64.b64decode(wanted.content or "")
            except binascii.Error:
                raise StepFailed(Failure("ScriptFailed", "spec.startupScript.content is not base64")) from None
        self._context.hide(text)
        command = self._context.anka.run_command(vm.uuid, "sh")
        # Without monitoring nobody waits for it, and no time was agreed: a day ends even a forgotten one.
        timeout = float(wanted.timeout_seconds) if wanted.monitoring else RUNNER_MARGIN
        try:
            await asyncio.to_thread(job.begin, command, text, timeout=timeout)
        except OSError as error:
            raise StepFailed(Failure("ScriptFailed", f"the startup script cannot be run: {error}")) from error

    async def _secret(self, instance: AnkaInstance, ref: SecretKey, reason: str) -> bytes:
        try:
            return await secrets.read_when_allowed(
                self._context.client,
                instance.metadata.namespace or "",
                ref,
                seconds=self._context.secret_timeout,
                clock=self._context.clock,
            )
        except secrets.SecretError as error:
            raise StepFailed(Failure(reason, str(error))) from None

    async def stop(self, vm: Vm) -> None:
        self._context.inventory.forget_details(vm.uuid)
        await self._context.anka.stop(vm.uuid)
        self._context.inventory.forget_details(vm.uuid, "stopped")
        self._usb_left()

    def _usb_left(self) -> None:
        if any(not one.available for one in self._context.usb()):
            self._context.usb_changed()

    async def restart(self, instance: AnkaInstance, vm: Vm) -> None:
        """As the old agent did (seed, "Restart VM instance"): stop --force, start."""
        await self.stop(vm)
        # What was booked for the first start may not be what is asked for now.
        await self._start(instance, vm, await self._book_usb(instance))
        self.restart_done(instance)

    def restart_done(self, instance: AnkaInstance) -> None:
        wanted: datetime | None = instance.spec.restarted_at
        if wanted is not None:
            self._context.journal.restarted(instance.metadata.uid, wanted)

    async def delete(self, vm: Vm) -> None:
        await self._context.anka.delete(vm.uuid)
        self._context.inventory.removed(vm.uuid)
        self._usb_left()
