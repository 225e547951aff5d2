"""The name of an instance's VM, and the template that it is made from."""

from dataclasses import dataclass

from anka_crds.api.instance import AnkaInstance
from anka_crds.rules.naming import instance_id, vm_name, vm_token


@dataclass(frozen=True, slots=True)
class Source:
    """What a VM is made from. `content_id`: what the registry had under the tag when the scheduler resolved it; None
    if that is not known."""

    template: str
    tag: str | None
    content_id: str | None = None


def source_of(instance: AnkaInstance) -> Source:
    """UUID and tag as resolved by the scheduler, else those of the spec."""
    resolved = instance.status.template
    if resolved is None:
        return Source(instance.spec.template, instance.spec.tag)
    return Source(resolved.id, resolved.tag, resolved.content_id)


def name_vm(instance: AnkaInstance, prefix: str, *, node_id: str, node_name: str, chance: int) -> str:
    """A name for its VM, with a random number in it. Raises ValueError for an object that the API did not make."""
    created = instance.metadata.creation_timestamp
    if created is None:
        raise ValueError(f"{instance.metadata.name} has no creationTimestamp: it does not come from the API")
    template = instance.status.template
    template_id = source_of(instance).template
    return vm_name(
        prefix,
        instance.spec.name_template,
        token=vm_token(created, chance),
        instance=instance_id(instance.metadata.name, instance.metadata.uid),
        template_name=(template.name if template is not None else None) or template_id,
        template_id=template_id,
        node_id=node_id,
        node_name=node_name,
    )
