"""How many vCPUs and how much RAM an instance takes: what it says, else its template's size, else a default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anka_crds.api.instance import AnkaInstance
from anka_crds.core.memory import mebibytes


@dataclass(frozen=True, slots=True)
class Size:
    vcpus: int
    memory_mib: int


DEFAULT_SIZE = Size(4, 4096)
"""Of an instance whose template nobody has reported yet: what `anka create` gives a VM that names neither."""

TemplateTag = tuple[str, str | None]
"""Id of a template and one of its tags; None: whichever tag."""


class TemplateSizes:
    """Sizes of templates as Macs that hold them report them. A tag never changes, so nothing is ever forgotten."""

    def __init__(self) -> None:
        self._known: dict[TemplateTag, Size] = {}

    def learn(self, sizes: Mapping[TemplateTag, Size]) -> None:
        """The larger counts where two Macs differ: then the order in which they are heard does not matter."""
        for (template, tag), size in sizes.items():
            for key in {(template, tag), (template, None)}:
                known = self._known.get(key, size)
                self._known[key] = Size(
                    max(known.vcpus, size.vcpus),
                    max(known.memory_mib, size.memory_mib),
                )

    def of(self, template: str, tag: str | None) -> Size:
        """Of this tag, else of the template's largest tag, else the default."""
        found = self._known.get((template, tag)) or self._known.get((template, None))
        return found or DEFAULT_SIZE


def size_of(instance: AnkaInstance, sizes: TemplateSizes) -> Size:
    """What a bound instance takes: its VM as its Mac shows it, else what was asked for, else the template's size."""
    status, asked = instance.status, instance.spec.resources
    vm, template = status.vm, status.template
    vcpus = (vm.cpu_cores if vm else None) or (asked.vcpu if asked else None)
    memory = mebibytes(vm.ram if vm else None) or (asked.memory_mib if asked else None)
    if vcpus and memory:
        return Size(vcpus, memory)
    usual = sizes.of(template.id, template.tag) if template else DEFAULT_SIZE
    return Size(vcpus or usual.vcpus, memory or usual.memory_mib)
