"""The part of an instance's request that the choice of a node depends on. Instances of one shape share one answer."""

from dataclasses import dataclass

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.states import Phase
from anka_crds.rules.mac_addresses import wanted_address
from anka_scheduler.host_port import HostPort, list_wanted_ports


@dataclass(frozen=True, slots=True)
class Shape:
    """Template, tag, node, groups and USB device as users wrote them: ids or names."""

    template: str
    tag: str | None = None
    version: int | None = None
    node: str | None = None
    group: str | None = None
    permission_group: str | None = None
    vcpus: int | None = None
    memory_mib: int | None = None
    usb: str | None = None
    vlan: str | None = None
    ports: frozenset[HostPort] = frozenset()
    refused: frozenset[str] = frozenset()
    """Nodes that could not start the instance."""
    addressed: bool = False
    """It asks for a MAC address: it needs none of a pool."""


def to_shape(instance: AnkaInstance) -> Shape:
    spec = instance.spec
    resources, network = spec.resources, spec.network
    return Shape(
        template=spec.template,
        tag=spec.tag or None,
        version=spec.version,
        node=spec.node,
        group=spec.group,
        permission_group=spec.permission_group,
        vcpus=resources.vcpu if resources else None,
        memory_mib=resources.memory_mib if resources else None,
        usb=spec.usb_device or None,
        vlan=network.vlan if network else None,
        ports=list_wanted_ports(instance),
        refused=frozenset(refusal.node_name for refusal in instance.status.refusals or ()),
        addressed=wanted_address(instance) is not None,
    )


def is_pending(instance: AnkaInstance) -> bool:
    """Whether the instance waits for a node."""
    return (
        instance.status.node_name is None
        and instance.status.phase is Phase.SCHEDULING
        and instance.metadata.deletion_timestamp is None
    )
