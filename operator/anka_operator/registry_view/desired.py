"""Templates as the registry has them, in the form of AnkaTemplates, and how much of that an object holds."""

import hashlib
from dataclasses import dataclass
from typing import Any

from anka_crds.api.limits import MAX_DESCRIPTION, MAX_TEXT, MAX_VERSIONS, VERSIONS_BYTES
from anka_crds.api.meta import ObjectMeta
from anka_crds.api.template import AnkaTemplate, AnkaTemplateStatus, TemplateVersion
from anka_crds.rules.fitting import take_fitting
from anka_crds.rules.text import shorten
from anka_registry.models import RegistryTemplate, RegistryVersion

GONE: dict[str, Any] = {"versions": [], "latest_tag": None}
"""What the status of a template says that is not in the registry."""


@dataclass(frozen=True, slots=True)
class KnownTemplate:
    """What the registry has of a template: the fields of AnkaTemplate.status that follow from it, with all versions."""

    fields: dict[str, Any]
    mirrored: list[TemplateVersion]
    """The newest versions, as many as the object can hold."""

    @property
    def versions(self) -> list[TemplateVersion]:
        found: list[TemplateVersion] = self.fields["versions"]
        return found

    @property
    def mirrored_fields(self) -> dict[str, Any]:
        return {**self.fields, "versions": self.mirrored}


def to_known(template: RegistryTemplate) -> KnownTemplate:
    """The files of a version stay in the registry: with the layers of hundreds of tags, no object could hold them."""
    versions = [_to_version(version) for version in template.versions if len(version.tag) <= MAX_TEXT]
    fields = {
        "name": template.name,
        "arch": template.arch or None,
        "size_bytes": template.size,
        "last_pull": template.last_pull,
        "last_push": template.last_push,
        "latest_tag": versions[-1].tag if versions else None,
        "versions": versions,
    }
    newest = take_fitting(reversed(versions), MAX_VERSIONS, VERSIONS_BYTES)
    return KnownTemplate(fields, newest[::-1])


def with_fields(template: AnkaTemplate, fields: dict[str, Any]) -> AnkaTemplate:
    return template.model_copy(update={"status": template.status.model_copy(update=fields)})


def build_unmirrored(uuid: str, fields: dict[str, Any]) -> AnkaTemplate:
    """A template that has no object yet."""
    return AnkaTemplate(metadata=ObjectMeta(name=uuid), status=AnkaTemplateStatus.model_construct(**fields))


def _to_version(version: RegistryVersion) -> TemplateVersion:
    return TemplateVersion(
        number=version.number,
        tag=version.tag,
        description=shorten(version.description, MAX_DESCRIPTION),
        size_bytes=version.size,
        arch=shorten(version.arch),
        last_pull=version.last_pull,
        last_push=version.last_push,
        creation_date=version.creation_date,
        content_id=_identify(version),
    )


def _identify(version: RegistryVersion) -> str:
    """Of all that stays the same for as long as nobody pushes the tag again. Times alone would not do: they are in
    seconds, and the files of a version have names of their own."""
    facts = (version.number, version.creation_date, version.last_push)
    files = (version.config_file, version.nvram, *version.images, *version.state_files, version.state_file)
    marks = "\n".join((*map(str, facts), *files))
    return hashlib.sha256(marks.encode(errors="replace")).hexdigest()[:16]
