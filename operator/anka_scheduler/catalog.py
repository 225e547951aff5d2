"""The templates that instances can request, and how a template, tag and version as written by users are resolved."""

from collections.abc import Iterable
from dataclasses import dataclass

from anka_crds.api.distribution import TemplateDistributionSpec
from anka_crds.api.template import AnkaTemplate
from anka_crds.rules.distribution import find_version
from anka_scheduler import reasons
from anka_scheduler.reasons import WaitReason
from anka_scheduler.shape import Shape

TemplateReference = Shape | TemplateDistributionSpec
"""Anything that names a template, tag and version as users wrote them."""


@dataclass(frozen=True, slots=True)
class ResolvedVersion:
    """One version of one template."""

    id: str
    name: str
    tag: str
    version: int
    arch: str | None = None
    content_id: str | None = None


class TemplateCatalog:
    """Templates by id and by name: that of the registry, and the displayName. Templates that are being deleted are not
    in it."""

    def __init__(self, templates: Iterable[AnkaTemplate] = ()) -> None:
        self._by_id: dict[str, AnkaTemplate] = {}
        self._by_name: dict[str, list[AnkaTemplate]] = {}
        for template in templates:
            if template.metadata.deletion_timestamp is None:
                self._by_id[template.metadata.name] = template
                names = {template.status.name, template.spec.display_name}
                for name in filter(None, names):
                    self._by_name.setdefault(name, []).append(template)

    def resolve(self, reference: TemplateReference) -> ResolvedVersion | WaitReason:
        """The requested version: the latest where neither tag nor version is given."""
        template = self.find(reference.template)
        if isinstance(template, WaitReason):
            return template
        versions = template.status.versions
        if not versions:
            return reasons.template_not_ready(display_name(template))
        version = find_version(versions, reference.tag, reference.version)
        if version is None:
            return _no_such_version(template, reference)
        arch = version.arch or template.status.arch or None
        return ResolvedVersion(
            template.metadata.name, display_name(template), version.tag, version.number, arch, version.content_id
        )

    def find(self, word: str) -> AnkaTemplate | WaitReason:
        """The template with this UUID, else the only one with this name."""
        named = self._by_name.get(word, [])
        template = self._by_id.get(word) or self._by_id.get(word.lower())
        if template is None and len(named) > 1:
            return reasons.template_ambiguous(word, [other.metadata.name for other in named])
        if template is None and not named:
            return reasons.template_not_found(word)
        return template or named[0]


def display_name(template: AnkaTemplate) -> str:
    return template.spec.display_name or template.status.name or template.metadata.name


def _no_such_version(template: AnkaTemplate, reference: TemplateReference) -> WaitReason:
    tags = [version.tag for version in template.status.versions]
    if reference.tag is not None:
        return reasons.tag_not_found(display_name(template), reference.tag, tags)
    return reasons.version_not_found(display_name(template), reference.version, tags)
