"""What an instance asks for, as far as the choice of a node depends on it. Equal shapes get one common answer."""

from __future__ import annotations

from dataclasses import dataclass

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.phase import Phase


@dataclass(frozen=True, slots=True)
class Shape:
    """Template, tag, node, group and USB device as people wrote them: ids or names."""

    template: str
    tag: str | None = None
    version: int | None = None
    node: str | None = None
    group: str | None = None
    vcpus: int | None = None
    memory_mib: int | None = None
    usb: str | None = None
    vlan: str | None = None


def shape_of(instance: AnkaInstance) -> Shape:
    spec = instance.spec
    resources, network = spec.resources, spec.network
    return Shape(
        template=spec.template,
        tag=spec.tag or None,
        version=spec.version,
        node=spec.node,
        group=spec.group,
        vcpus=resources.vcpu if resources else None,
        memory_mib=resources.memory_mib if resources else None,
        usb=spec.usb_device or None,
        vlan=network.vlan if network else None,
    )


def is_pending(instance: AnkaInstance) -> bool:
    """Whether the instance waits for a node."""
    return (
        instance.status.node_name is None
        and instance.status.phase is Phase.SCHEDULING
        and instance.metadata.deletion_timestamp is None
    )
