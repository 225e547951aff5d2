"""What the Macs of the cloud have together: USB devices and VLANs (seed document, "USB" and "VLAN").

Macs that are Offline don't count: nothing can be started there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from anka_crds.api.node import AnkaNode
from anka_crds.api.phase import NodeState
from anka_shim.translate.node import state


def usb_answer(nodes: Iterable[AnkaNode]) -> dict[str, dict[str, int]]:
    """Numbers of devices by what instances claim them by: the group's name, or the location id of one without group."""
    answer: dict[str, dict[str, int]] = {}
    for node in _reachable(nodes):
        for device in node.status.usb_devices:
            counted = answer.setdefault(device.group or device.location_id, {"available": 0, "busy": 0})
            counted["available" if device.available else "busy"] += 1
    return answer


def vlan_answer(nodes: Iterable[AnkaNode]) -> list[str]:
    """VLAN ids, each once, in order."""
    found = {vlan for node in _reachable(nodes) for vlan in node.status.vlans}
    return sorted(found, key=lambda vlan: (not vlan.isdecimal(), len(vlan), vlan))


def _reachable(nodes: Iterable[AnkaNode]) -> Iterator[AnkaNode]:
    return (node for node in nodes if state(node) is not NodeState.OFFLINE)
