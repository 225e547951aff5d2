"""Templates that instances can ask for, and what their words for template, tag and version mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from anka_crds.api.template import AnkaTemplate, TemplateVersion
from anka_operator.scheduler.shape import Shape


@dataclass(frozen=True, slots=True)
class Resolved:
    """One version of one template."""

    id: str
    name: str
    tag: str
    version: int
    arch: str | None = None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why a shape's template means nothing: a reason for programs, and words for people."""

    reason: str
    message: str


class Catalog:
    """Templates by id and by name. Templates being deleted are not offered."""

    def __init__(self, templates: Iterable[AnkaTemplate] = ()) -> None:
        self._by_id: dict[str, AnkaTemplate] = {}
        self._by_name: dict[str, list[AnkaTemplate]] = {}
        for template in templates:
            if template.metadata.deletion_timestamp is None:
                self._by_id[template.metadata.name] = template
                self._by_name.setdefault(name_of(template), []).append(template)

    def resolve(self, shape: Shape) -> Resolved | Unresolved:
        """The version that the shape asks for: the latest where it names neither tag nor version."""
        called = self._by_name.get(shape.template, [])
        template = self._by_id.get(shape.template) or self._by_id.get(shape.template.lower())
        if template is None and len(called) > 1:
            ids = ", ".join(sorted(other.metadata.name for other in called))
            return Unresolved(
                "TemplateAmbiguous", f"{len(called)} templates are called {shape.template}: give one's UUID ({ids})"
            )
        template = template or (called[0] if called else None)
        if template is None:
            return Unresolved("TemplateNotFound", f"No template {shape.template} in the registry")
        versions = template.status.versions
        if not versions:
            return Unresolved("TemplateNotReady", f"The registry shows no version of template {name_of(template)} yet")
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


def _no_such_version(template: AnkaTemplate, shape: Shape) -> Unresolved:
    versions = template.status.versions
    tags = ", ".join(version.tag for version in versions[-5:])
    more = f" and {len(versions) - 5} older" if len(versions) > 5 else ""
    if shape.tag is not None:
        return Unresolved("TagNotFound", f"Template {name_of(template)} has no tag {shape.tag}: it has {tags}{more}")
    return Unresolved(
        "VersionNotFound", f"Template {name_of(template)} has no version {shape.version}: it has tags {tags}{more}"
    )
