"""Templates that instances can ask for, and what their words for template, tag and version mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from anka_crds.api.template import AnkaTemplate, TemplateVersion
from anka_operator.scheduler import reasons
from anka_operator.scheduler.reasons import Unscheduled
from anka_operator.scheduler.shape import Shape


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

    def resolve(self, shape: Shape) -> Resolved | Unscheduled:
        """The version that the shape asks for: the latest where it names neither tag nor version."""
        called = self._by_name.get(shape.template, [])
        template = self._by_id.get(shape.template) or self._by_id.get(shape.template.lower())
        if template is None and len(called) > 1:
            return reasons.template_ambiguous(shape.template, [other.metadata.name for other in called])
        template = template or (called[0] if called else None)
        if template is None:
            return reasons.template_not_found(shape.template)
        versions = template.status.versions
        if not versions:
            return reasons.template_not_ready(name_of(template))
        found = _version(versions, shape)
        if found is None:
            return _no_such_version(template, shape)
        arch = found.arch or template.status.arch or None
        return Resolved(template.metadata.name, name_of(template), found.tag, found.number, arch)


def name_of(template: AnkaTemplate) -> str:
    return template.spec.display_name or template.status.name or template.metadata.name


def _version(versions: list[TemplateVersion], shape: Shape) -> TemplateVersion | None:
    if shape.tag is not None:
        # A tag that was pushed twice means the newer push.
        return next((version for version in reversed(versions) if version.tag == shape.tag), None)
    if shape.version is not None:
        return next((version for version in versions if version.number == shape.version), None)
    return versions[-1]


def _no_such_version(template: AnkaTemplate, shape: Shape) -> Unscheduled:
    tags = [version.tag for version in template.status.versions]
    if shape.tag is not None:
        return reasons.tag_not_found(name_of(template), shape.tag, tags)
    return reasons.version_not_found(name_of(template), shape.version, tags)
