"""USB devices and VLANs of all Macs: docs/reference/legacy-api.md#usb. Pure.

Macs that are Offline don't count: nothing can be started there. A device is busy when an instance that takes a place on
its Mac has it, or when the Mac says that it is in use: as the scheduler sees it.
"""

from collections.abc import Callable, Iterable, Iterator

from pydantic import Field

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.node import AnkaNode
from anka_crds.api.states import NodeState
from anka_crds.rules.lifecycle import holds_slot
from anka_shim.http.answer import Answer, make_ok
from anka_shim.node.answer import state


class DevicesAnswer(Answer):
    available: int = Field(ge=0)
    busy: int = Field(ge=0)


UsbOk = make_ok(
    "UsbOk",
    dict[str, DevicesAnswer],
    description="By the group's name, or the location id of a device without group.",
    examples=[{"iphone7": {"available": 3, "busy": 1}, "tablet": {"available": 0, "busy": 2}}],
)
VlanOk = make_ok("VlanOk", list[str], examples=[["12", "55"]])


def usb_answer(nodes: Iterable[AnkaNode], on_node: Callable[[str], Iterable[AnkaInstance]]) -> dict[str, DevicesAnswer]:
    """Numbers of devices by the name that instances claim them by: their group, or their location id without one.

    `on_node`: the instances that are bound to a node.
    """
    answer: dict[str, DevicesAnswer] = {}
    for node in _reachable(nodes):
        claims = _claims(on_node(node.metadata.name)) if node.status.usb_devices else set()
        for device in node.status.usb_devices:
            counts = answer.setdefault(
                device.group or device.location_id, DevicesAnswer.model_construct(available=0, busy=0)
            )
            if device.available and device.location_id not in claims:
                counts.available += 1
            else:
                counts.busy += 1
    return answer


def _claims(instances: Iterable[AnkaInstance]) -> set[str | None]:
    """Locations of the devices that these instances hold."""
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
