"""How many vCPUs and how much RAM an instance takes: what it requests, else its template's size, else a default."""

from collections.abc import Mapping
from dataclasses import dataclass

from anka_crds.api.instance import AnkaInstance
from anka_crds.rules.text import to_mebibytes


@dataclass(frozen=True, slots=True)
class VmSize:
    vcpus: int
    memory_mib: int


DEFAULT_SIZE = VmSize(4, 4096)
"""While no Mac has reported the template: what `anka create` gives a VM without explicit sizes."""

TemplateTag = tuple[str, str | None]
"""Id of a template and one of its tags; None: any tag."""


class TemplateSizes:
    """Sizes of templates as reported by the Macs that hold them. Tags are immutable, so nothing is ever removed."""

    def __init__(self) -> None:
        self._known: dict[TemplateTag, VmSize] = {}

    def learn(self, sizes: Mapping[TemplateTag, VmSize]) -> None:
        """If two Macs differ, the larger size wins, so that the order of the reports does not matter."""
        for (template, tag), size in sizes.items():
            for key in {(template, tag), (template, None)}:
                known = self._known.get(key, size)
                self._known[key] = VmSize(max(known.vcpus, size.vcpus), max(known.memory_mib, size.memory_mib))

    def lookup(self, template: str, tag: str | None) -> VmSize:
        """Size of this tag, else of the template's largest tag, else the default."""
        known = self._known.get((template, tag)) or self._known.get((template, None))
        return known or DEFAULT_SIZE


def resolve_size(instance: AnkaInstance, sizes: TemplateSizes) -> VmSize:
    """What a bound instance takes: its VM as the Mac reports it, else its request, else the template's size."""
    status, request = instance.status, instance.spec.resources
    vm, template = status.vm, status.template
    vcpus = (vm.cpu_cores if vm else None) or (request.vcpu if request else None)
    memory = to_mebibytes(vm.ram if vm else None) or (request.memory_mib if request else None)
    if vcpus and memory:
        return VmSize(vcpus, memory)
    usual = sizes.lookup(template.id, template.tag) if template else DEFAULT_SIZE
    return VmSize(vcpus or usual.vcpus, memory or usual.memory_mib)
