"""An AnkaTemplate as the old API shows it (docs/reference/legacy-api.md#template), and the registry's disk. Pure.

Times are epoch seconds here, 0 for never. Names are never null: Jenkins would lose all templates.
"""

from pydantic import Field

from anka_crds.api.conditions import ConditionType, TemplateReason
from anka_crds.api.template import AnkaTemplate
from anka_crds.rules.condition_list import find
from anka_registry.models import RegistryTemplate
from anka_shim.http.answer import Answer, Epoch, make_ok


class TemplateVersionAnswer(Answer):
    number: int = Field(ge=0)
    tag: str
    config_file: str
    nvram: str
    images: list[str]
    state_files: list[str]
    description: str
    state_file: str
    size: int = Field(ge=0, description="Bytes.")
    arch: str = Field(description="Empty: the template's.")
    last_pull: Epoch = Field(ge=0, description="Seconds since 1970; 0 for never.")
    last_push: Epoch = Field(ge=0)


class TemplateNameAnswer(Answer):
    """With apiVer=v1."""

    id: str
    name: str


class TemplateRowAnswer(Answer):
    """An element of the list."""

    id: str = Field(examples=["0bf1a7e8-be95-43d9-a0c8-68c6aed0f2dd"])
    name: str = Field(examples=["jenkins"])
    size: int = Field(ge=0, description="Bytes.", examples=[16427892736])
    arch: str = Field(examples=["amd64"])
    last_pull: Epoch = Field(ge=0, description="Seconds since 1970; 0 for never.", examples=[1727209082])
    last_push: Epoch = Field(ge=0, examples=[1721141574])


class TemplateAnswer(Answer):
    id: str
    name: str
    versions: list[TemplateVersionAnswer] = Field(description="In the order of pushes: the last is the latest.")
    size: int = Field(ge=0, description="Bytes.")
    arch: str
    last_pull: Epoch = Field(ge=0, description="Seconds since 1970; 0 for never.")
    last_push: Epoch = Field(ge=0)


class DiskAnswer(Answer):
    total: int = Field(ge=0, description="Bytes.")
    free: int = Field(ge=0, description="Bytes.")


TemplateListOk = make_ok("TemplateListOk", list[TemplateRowAnswer] | list[TemplateNameAnswer])
OneTemplateOk = make_ok("OneTemplateOk", TemplateAnswer)
DiskOk = make_ok("DiskOk", DiskAnswer)
RevertedOk = make_ok("RevertedOk", None)


def in_registry(template: AnkaTemplate) -> bool:
    """An object can outlive its template, when its spec.distribution has rules."""
    ready = find(template.status.conditions, ConditionType.READY)
    gone = ready is not None and ready.status == "False" and ready.reason == TemplateReason.NOT_IN_REGISTRY
    return not gone and template.metadata.deletion_timestamp is None


def name_answer(template: AnkaTemplate) -> TemplateNameAnswer:
    """An element of the list for `apiVer=v1`."""
    return TemplateNameAnswer.model_construct(id=template.metadata.name, name=_name(template))


def row_answer(template: AnkaTemplate) -> TemplateRowAnswer:
    status = template.status
    return TemplateRowAnswer.of(status, id=template.metadata.name, name=_name(template), size=status.size_bytes or 0)


def template_answer(template: AnkaTemplate) -> TemplateAnswer:
    """One template. Its versions are in the order of pushes: clients take the last for the latest."""
    status = template.status
    versions = [TemplateVersionAnswer.of(version, size=version.size_bytes) for version in status.versions]
    return TemplateAnswer.of(
        status, id=template.metadata.name, name=_name(template), versions=versions, size=status.size_bytes or 0
    )


def registry_answer(known: RegistryTemplate) -> TemplateAnswer:
    """The same from the registry itself."""
    versions = [TemplateVersionAnswer.of(version) for version in known.versions]
    return TemplateAnswer.of(known, versions=versions)


def _name(template: AnkaTemplate) -> str:
    return template.status.name or template.spec.display_name or template.metadata.name
