"""Templates that instances can ask for, and what their words for template, tag and version mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from anka_crds.api.template import AnkaTemplate
from anka_crds.core.distribution import version_of
from anka_operator.scheduler import reasons
from anka_operator.scheduler.reasons import Unscheduled


class Asked(Protocol):
    """Template, tag and version as people wrote them: a shape of instances, or a TemplateDistribution's spec."""

    @property
    def template(self) -> str: ...
    @property
    def tag(self) -> str | None: ...
    @property
    def version(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Resolved:
    """One version of one template."""

    id: str
    name: str
    tag: str
    version: int
    arch: str | None = None


class Catalog:
    """Templates by id and by name. Templates being deleted are not offered."""

    def __init__(self, templates: Iterable[AnkaTemplate] = ()) -> None:
        self._by_id: dict[str, AnkaTemplate] = {}
        self._by_name: dict[str, list[AnkaTemplate]] = {}
        for template in templates:
            if template.metadata.deletion_timestamp is None:
                self._by_id[template.metadata.name] = template
                self._by_name.setdefault(name_of(template), []).append(template)

    def resolve(self, shape: Asked) -> Resolved | Unscheduled:
        """The version that is asked for: the latest where neither tag nor version is named."""
        template = self.find(shape.template)
        if isinstance(template, Unscheduled):
            return template
        versions = template.status.versions
        if not versions:
            return reasons.template_not_ready(name_of(template))
        found = version_of(versions, shape.tag, shape.version)
        if found is None:
            return _no_such_version(template, shape)
        arch = found.arch or template.status.arch or None
        return Resolved(template.metadata.name, name_of(template), found.tag, found.number, arch)

    def find(self, word: str) -> AnkaTemplate | Unscheduled:
        """The template of this UUID, else the only one of this name."""
        called = self._by_name.get(word, [])
        template = self._by_id.get(word) or self._by_id.get(word.lower())
        if template is None and len(called) > 1:
            return reasons.template_ambiguous(word, [other.metadata.name for other in called])
        if template is None and not called:
            return reasons.template_not_found(word)
        return template or called[0]


def name_of(template: AnkaTemplate) -> str:
    return template.spec.display_name or template.status.name or template.metadata.name


def _no_such_version(template: AnkaTemplate, shape: Asked) -> Unscheduled:
    tags = [version.tag for version in template.status.versions]
    if shape.tag is not None:
        return reasons.tag_not_found(name_of(template), shape.tag, tags)
    return reasons.version_not_found(name_of(template), shape.version, tags)
