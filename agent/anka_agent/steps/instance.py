"""Steps that make an instance's VM ready: each does one thing and may be repeated."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

from anka_agent.anka.errors import AnkaError, NoRoomError, NotFoundError
from anka_agent.anka.vm import Vm
from anka_agent.jobs.journal import Journal
from anka_agent.mac.mac_host import MacHost
from anka_agent.node.view import NodeView
from anka_agent.plan import instance_report as report
from anka_agent.plan import options
from anka_agent.plan.failures import StepFailed
from anka_agent.plan.naming import name_vm, source_of
from anka_agent.plan.progress import LOOK_SECONDS, is_report_due
from anka_agent.plan.situation import InstanceFailure
from anka_agent.steps.secrets import SecretError, SecretReader
from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.conditions import InstanceReason
from anka_crds.rules.naming import TOKEN_CHANCE_DIGITS
from anka_crds.rules.scripts import Base64Error, decode_script
from anka_kube.cached_client import CachedClient
from anka_kube.errors import ApiError
from anka_runtime.background import child_tasks
from anka_runtime.backoff import Backoff, Delays, system_random
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)

NETWORK_BACKOFF = Backoff(base=0.1, cap=1.0)
"""Time between two checks for the address of a VM."""
UNMONITORED_SECONDS = 86400.0
"""Nothing waits for a script without monitoring, and it has no time limit: this ends one that hangs."""


@dataclass(eq=False)
class InstanceSteps:
    """The methods raise AnkaError, ApiError and StepFailed; cancelling them is safe."""

    _mac: MacHost
    _node: NodeView
    _instances: CachedClient[AnkaInstance]
    _journal: Journal
    _secrets: SecretReader
    _: KW_ONLY
    network_timeout: float
    clock: Clock

    async def pull(self, instance: AnkaInstance) -> str | None:
        """What this Mac held before, if anything, is not known to be what the registry has. The answer: why that is
        started all the same. What is known to be another content never is."""
        source, templates = source_of(instance), self._mac.templates
        template, tag = source.template, source.tag
        held_before, known_id = templates.holds(template, tag), templates.content_id(template, tag)
        wanted = f"{template}:{tag}" if tag else template
        latest = 0

        def note(percent: int) -> None:
            nonlocal latest
            latest = percent

        try:
            async with child_tasks(self._report_progress(instance, lambda: latest)):
                held = await self._mac.puller.fetch(
                    template, tag, instance.status.registry, note, content_id=source.content_id
                )
        except (NotFoundError, NoRoomError):
            raise
        except AnkaError as error:
            if not held_before:
                raise
            if known_id is not None:
                told = f"{error.message}; {wanted} on this Mac has other content than the registry's and is not started"
                raise type(error)(told, error.code, command=error.command) from error
            log.warning(
                "%s is started as this Mac holds it: whether that is its content now is not known: %s", wanted, error
            )
            return f"made from {wanted} as the Mac held it, because the registry could not be asked for it: {error}"
        if not held:
            message = f"{wanted} was pulled, but anka does not list it"
            raise StepFailed(InstanceFailure(InstanceReason.PULL_FAILED, message))
        return None

    async def _report_progress(self, instance: AnkaInstance, percent: Callable[[], int]) -> None:
        since = self.clock.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            current = self._instances.store.by_uid(instance.metadata.uid)
            if current is None:
                return
            reported = current.status.progress_percent if current.status.phase is Phase.PULLING else None
            if not is_report_due(reported, percent(), self.clock.monotonic() - since):
                continue
            status = report.to_pulling(current, percent(), self.clock.now())
            try:
                await self._instances.patch_status(current, status)
                since = self.clock.monotonic()
            except ApiError as error:
                # The next report supersedes this one anyway.
                log.debug("progress not written: %s", error)

    async def clone(self, instance: AnkaInstance) -> None:
        source = source_of(instance)
        async with self._mac.vm_slots:
            await self._mac.anka.clone(source.template, await self._record_name(instance), source.tag)
        await self._mac.templates.record_use(source.template, source.tag)
        await self._mac.inventory.observe()

    async def _record_name(self, instance: AnkaInstance) -> str:
        """The name for the VM, on the disk before there is a VM: an agent that is killed meanwhile finds it by that."""
        uid, node = instance.metadata.uid, self._node
        record = self._journal.find_vm(uid)
        if record is not None and record.uuid is None:
            return record.name
        chance = secrets.randbelow(10**TOKEN_CHANCE_DIGITS)
        prefix = self._mac.inventory.prefix
        name = name_vm(instance, prefix, node_id=node.name, node_name=node.display_name, chance=chance)
        try:
            await asyncio.to_thread(self._journal.record_vm, uid, name)
        except OSError as error:
            failure = InstanceFailure(InstanceReason.CLONE_FAILED, f"the Mac's disk refuses: {error}", elsewhere=True)
            raise StepFailed(failure) from None
        return name

    async def configure(self, instance: AnkaInstance, vm: Vm) -> None:
        async with self._mac.vm_slots:
            self._mac.inventory.forget_details(vm.uuid)
            address = instance.status.mac_address
            if vm.status == "suspended" and options.wakes_suspended(instance.spec):
                await self._mac.anka.stop(vm.uuid)
            elif vm.status == "suspended" and address is not None:
                raise StepFailed(InstanceFailure(InstanceReason.TEMPLATE_SUSPENDED, _needs_stopped(address)))
            major = self._mac.facts.version.major
            for command in options.modify_commands(instance.spec, vm.uuid, anka=major, mac_address=address):
                await self._mac.anka.modify(command)

    async def grow_container(self, instance: AnkaInstance, vm: Vm) -> None:
        await self._mac.anka.run_script(vm.uuid, options.GROW_CONTAINER)
        await asyncio.to_thread(self._journal.record_growth, instance.metadata.uid)

    async def await_network(self, vm: Vm) -> None:
        """Return once the VM has an address, or does not run. Raises StepFailed if it gets none in time."""
        end = self.clock.monotonic() + self.network_timeout
        delays = Delays(NETWORK_BACKOFF, system_random)
        while True:
            seen = await self._mac.inventory.detail(vm)
            if seen is None or not seen.running or seen.ip:
                return
            if self.clock.monotonic() >= end:
                break
            await asyncio.sleep(delays.next())
        message = f"the VM got no IP address within {self.network_timeout:g} s of its start"
        # If it is the template that has no network, other Macs say the same, and it fails.
        raise StepFailed(InstanceFailure(InstanceReason.NETWORK_TIMEOUT, message, elsewhere=True))

    async def run_script(self, instance: AnkaInstance, vm: Vm) -> None:
        """Begin the startup script, in a process that outlives the agent."""
        wanted = instance.spec.startup_script
        if wanted is None:
            return
        try:
            if wanted.secret_ref is not None:
                text = await self._secrets.read(instance, "script", wanted.secret_ref)
            else:
                text = decode_script(wanted.content or "")
            command = self._mac.anka.run_command(vm.uuid, "sh")
            timeout = float(wanted.timeout_seconds) if wanted.monitoring else UNMONITORED_SECONDS
            job = self._journal.script(instance.metadata.uid)
            await asyncio.to_thread(job.begin, command, text, timeout=timeout)
        except Base64Error as error:
            raise _script_failed(f"spec.startupScript.content: {error}") from None
        except SecretError as error:
            raise _script_failed(str(error)) from None
        except OSError as error:
            raise _script_failed(f"the startup script cannot be run: {error}") from error


def _needs_stopped(address: str) -> str:
    return (
        f"the template is of a suspended VM, which Anka cannot give the MAC address {address}: use a tag that was "
        "pushed stopped, or delete the MACAddressPools"
    )


def _script_failed(message: str) -> StepFailed:
    return StepFailed(InstanceFailure(InstanceReason.SCRIPT_FAILED, message))
