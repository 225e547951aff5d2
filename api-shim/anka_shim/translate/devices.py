"""What the Macs of the cloud have together: USB devices and VLANs (seed document, "USB" and "VLAN").

Macs that are Offline don't count: nothing can be started there. A device is busy when an instance that takes a place on
its Mac has it, or when the Mac says that somebody else does: as the scheduler sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.node import AnkaNode
from anka_crds.api.phase import NodeState
from anka_crds.core.lifecycle import holds_slot
from anka_shim.translate.node import state


def usb_answer(
    nodes: Iterable[AnkaNode], on_node: Callable[[str], Iterable[AnkaInstance]]
) -> dict[str, dict[str, int]]:
    """Numbers of devices by what instances claim them by: the group's name, or the location id of one without group.

    `on_node`: the instances that are bound to a node.
    """
    answer: dict[str, dict[str, int]] = {}
    for node in _reachable(nodes):
        claimed = _claimed(on_node(node.metadata.name)) if node.status.usb_devices else set()
        for device in node.status.usb_devices:
            counted = answer.setdefault(device.group or device.location_id, {"available": 0, "busy": 0})
            counted["available" if device.available and device.location_id not in claimed else "busy"] += 1
    return answer


def _claimed(instances: Iterable[AnkaInstance]) -> set[str | None]:
    """Locations of the devices that they have."""
    return {
        instance.status.usb_device or instance.spec.usb_device
        for instance in instances
        if holds_slot(instance.status.phase, instance.status.vm.status if instance.status.vm else None)
    }


def vlan_answer(nodes: Iterable[AnkaNode]) -> list[str]:
    """VLAN ids, each once, in order."""
    found = {vlan for node in _reachable(nodes) for vlan in node.status.vlans}
    return sorted(found, key=lambda vlan: (not vlan.isdecimal(), len(vlan), vlan))


def _reachable(nodes: Iterable[AnkaNode]) -> Iterator[AnkaNode]:
    return (node for node in nodes if state(node) is not NodeState.OFFLINE)
