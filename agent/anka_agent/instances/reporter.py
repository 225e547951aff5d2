"""Writes the progress of an instance into its status, and releases the object at the end."""

import asyncio
import logging
from dataclasses import replace

from anka_agent import metrics
from anka_agent.anka.vm import Vm
from anka_agent.instances.planner import last_restart
from anka_agent.jobs.journal import Journal
from anka_agent.node.view import NodeView
from anka_agent.plan import instance_report as report
from anka_agent.plan.decide import Decision, Step
from anka_agent.plan.instance_report import Status
from anka_crds.api import AnkaInstance
from anka_crds.api.meta import FINALIZER
from anka_crds.api.vm_info import VM_DELETED
from anka_kube.cached_client import CachedClient
from anka_kube.errors import ApiError, Invalid, TooLarge
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)


class InstanceReporter:
    """For one instance."""

    def __init__(self, instances: CachedClient[AnkaInstance], journal: Journal, node: NodeView, clock: Clock) -> None:
        self._instances = instances
        self._journal = journal
        self._node = node
        self._clock = clock
        self._started_at: float | None = None
        self._terminating = ""
        self._doubt: str | None = None
        self._release: asyncio.Future[None] | None = None

    def note_start(self) -> None:
        """The VM has just started."""
        self._started_at = self._clock.monotonic()

    def note_doubt(self, doubt: str | None) -> None:
        """What the VM is made from may not be what the registry has."""
        self._doubt = doubt

    async def report(self, decision: Decision, instance: AnkaInstance, vm: Vm | None, last: Vm | None) -> bool:
        """Whether there was something to write. `last`: the VM as it was when it last existed. Raises ApiError."""
        status = self._build(decision, instance, vm, last)
        if not report.has_changes(instance.status.to_api(), status):
            return False
        try:
            await self._instances.patch_status(instance, status)
        except Invalid as error:
            await self._write_part(instance, status, error)
        if decision.step is Step.REPORT_STARTED:
            self._log_start()
        elif (failure := decision.failure) is not None:
            log.warning("instance failed: %s", failure.message, extra={"reason": failure.reason.value})
        return True

    async def _write_part(self, instance: AnkaInstance, status: Status, error: Invalid) -> None:
        """The API refuses the status for good: without the output of the script, it may fit. Raises ApiError; then the
        instance says why."""
        if isinstance(error, TooLarge) and "startupScript" in status:
            log.warning("%s; written without the output of the startup script", error)
            try:
                await self._instances.patch_status(instance, report.without_output(status))
            except Invalid as still:
                error = still
            else:
                return
        told = report.to_unwritten(instance, error.message, self._clock.now())
        if report.has_changes(instance.status.to_api(), told):
            await self._instances.patch_status(instance, told)
        raise error

    def _build(self, decision: Decision, instance: AnkaInstance, vm: Vm | None, last: Vm | None) -> Status:
        now, host_ip = self._clock.now(), self._node.host_ip
        script = instance.spec.startup_script
        monitored = script is not None and script.monitoring
        result = self._journal.script(instance.metadata.uid).result() if monitored else None
        if decision.step is Step.REFUSE and decision.failure is not None:
            return report.to_refused(instance, decision.failure, now)
        if decision.step is Step.REPORT_ERROR and decision.failure is not None:
            if vm is None and instance.status.vm is None and last is not None:
                # Deleted before it was ever reported: its last known state stays visible, but not where it was.
                host_ip = None
                vm = replace(last, status=VM_DELETED, ip=None, ports=(), vnc_port=None, vnc_connection_string=None)
            return report.to_failed(instance, decision.failure, vm, host_ip=host_ip, now=now, script=result)
        if decision.step is Step.REPORT_STARTED and vm is not None:
            restart = last_restart(instance, self._journal)
            if restart is None and instance.status.started_at is None:
                # restartedAt was in the manifest from the beginning: this start is the restart.
                restart = instance.spec.restarted_at
            return report.to_started(
                instance, vm, host_ip=host_ip, now=now, script=result, restarted_at=restart, doubt=self._doubt
            )
        if decision.step is Step.REPORT_STOPPED and vm is not None:
            return report.to_stopped(instance, vm, host_ip=host_ip, now=now)
        return report.to_vm_update(instance, vm, host_ip=host_ip, now=now)

    def _log_start(self) -> None:
        if self._started_at is None:
            log.info("instance is Started; its VM ran already")
            return
        seconds = self._clock.monotonic() - self._started_at
        self._started_at = None
        metrics.REPORT_STARTED_SECONDS.observe(seconds)
        log.info("instance is Started", extra={"after_start_ms": round(seconds * 1000)})

    async def report_terminating(self, uid: str, message: str) -> None:
        """Written once per message. Raises nothing: the removal goes on without it."""
        instance = self._instances.store.by_uid(uid)
        if instance is None or self._terminating == message:
            return
        try:
            await self._instances.patch_status(instance, report.to_terminating(instance, message, self._clock.now()))
            self._terminating = message
        except ApiError as error:
            log.debug("Terminating not written: %s", error)

    async def release(self, instance: AnkaInstance) -> None:
        """The VM is deleted: release the object. Raises ApiError."""
        # The record goes first: once the object is deleted, this is not tried again.
        await asyncio.to_thread(self._journal.forget, instance.metadata.uid)
        self._release = asyncio.ensure_future(self._write_release(instance))
        # The watch may report the deletion before the answer to this write arrives, which ends the worker: a request
        # that is cut off then would count as failed in the apiserver, and its success would be logged nowhere.
        await asyncio.shield(self._release)

    async def _write_release(self, instance: AnkaInstance) -> None:
        left = [name for name in instance.metadata.finalizers if name != FINALIZER]
        await self._instances.patch(instance, {"metadata": {"finalizers": left}})
        log.info("VM removed, instance released")

    async def close(self) -> None:
        """Wait for a release that is in progress."""
        if self._release is not None:
            await asyncio.gather(self._release, return_exceptions=True)
