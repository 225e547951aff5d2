"""Which VMs are asked whether they still answer, and how one that does not fails its instance. Pure.

The old agent's `--enable-vm-monitor` runs a simple command in the VM (docs/reference/legacy-api.md#vm-monitor)."""

from datetime import datetime, timedelta

from anka_agent.anka.vm import Vm
from anka_agent.plan.situation import InstanceFailure
from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.conditions import InstanceReason


def is_used(instance: AnkaInstance) -> bool:
    """Whether its VM is somebody's to work with: what starts, stops or is saved need not answer."""
    return instance.status.phase is Phase.STARTED and instance.metadata.deletion_timestamp is None


def must_answer(instance: AnkaInstance, vm: Vm | None, now: datetime, delay_seconds: float) -> bool:
    """Whether the VM is in use, and has been up for long enough. A VM that does not run must not be asked, for `anka
    run` would start it."""
    if vm is None or not vm.running or vm.start_date is None:
        return False
    return is_used(instance) and now - vm.start_date >= timedelta(seconds=delay_seconds)


def fail_stuck(timeout_seconds: float) -> InstanceFailure:
    return InstanceFailure(
        InstanceReason.VM_STUCK, f"the VM answers no more: it did not run a command within {timeout_seconds:g} s"
    )
