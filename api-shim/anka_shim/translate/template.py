"""Templates: AnkaTemplate as the old API shows it (seed document, "Template"), and what a revert asks for.

Times are epoch seconds here, 0 for never. Names are never null: Jenkins would lose all templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from anka_crds.api.template import AnkaTemplate, TemplateVersion
from anka_crds.core.conditions import find
from anka_shim.translate import values
from anka_shim.translate.failure import Failure
from anka_shim.translate.times import epoch
from anka_shim.translate.values import Json

Answer = dict[str, Any]


def in_registry(template: AnkaTemplate) -> bool:
    """An object can outlive its template: when wishes about it are kept in spec.distribution."""
    ready = find(template.status.conditions, "Ready")
    gone = ready is not None and ready.status == "False" and ready.reason == "NotInRegistry"
    return not gone and template.metadata.deletion_timestamp is None


def row_v1(template: AnkaTemplate) -> Answer:
    """An element of the list, for `apiVer=v1`."""
    status, spec = template.status, template.spec
    return {"id": template.metadata.name, "name": status.name or spec.display_name or template.metadata.name}


def row(template: AnkaTemplate) -> Answer:
    """An element of the list."""
    return {**row_v1(template), **_figures(template)}


def template_answer(template: AnkaTemplate) -> Answer:
    """One template. Its versions are in the order of pushes: clients take the last for the latest."""
    versions = [_version(version) for version in template.status.versions]
    return {**row_v1(template), "versions": versions, **_figures(template)}


def _figures(template: AnkaTemplate) -> Answer:
    status = template.status
    return {
        "size": status.size_bytes or 0,
        "arch": status.arch or "",
        "last_pull": epoch(status.last_pull),
        "last_push": epoch(status.last_push),
    }


def _version(version: TemplateVersion) -> Answer:
    return {
        "number": version.number,
        "tag": version.tag,
        "config_file": version.config_file,
        "nvram": version.nvram,
        "images": version.images,
        "state_files": version.state_files,
        "description": version.description,
        "state_file": version.state_file,
        "size": version.size_bytes,
        "arch": version.arch,
        "last_pull": epoch(version.last_pull),
        "last_push": epoch(version.last_push),
    }


@dataclass(frozen=True)
class Revert:
    """Neither is the newest version."""

    tag: str | None = None
    number: int | None = None


def read_revert(data: Json) -> Revert:
    """`data`: query and body together. The number is called `number` or `version`; 0 is the first. Raises Failure."""
    tag = values.text(data, "tag")
    number = values.number(data, "number")
    if number is None:
        number = values.number(data, "version")
    if number is not None and number < 0:
        raise values.wrong("number", "must not be negative", number)
    if tag is not None and number is not None:
        raise Failure("tag and number exclude each other: give one of them")
    return Revert(tag, number)
