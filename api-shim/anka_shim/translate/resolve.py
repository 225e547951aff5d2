"""What the client's words for template, tag, node and group mean in this cloud. Pure: the lookups are handed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from anka_crds.api.group import NodeGroup
from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.api.node import AnkaNode
from anka_crds.api.template import AnkaTemplate
from anka_shim.translate.failure import NOT_IN_REGISTRY, Failure, no_such_tag
from anka_shim.translate.start import StartRequest
from anka_shim.translate.values import shown


class Catalogue(Protocol):
    """What the cloud has. Ids are object names; names are those that people gave."""

    def template(self, id_: str) -> AnkaTemplate | None: ...
    def templates_called(self, name: str) -> Sequence[AnkaTemplate]: ...
    def node(self, id_: str) -> AnkaNode | None: ...
    def group(self, id_: str) -> NodeGroup | None: ...
    def groups_called(self, name: str) -> Sequence[NodeGroup]: ...


def resolved(request: StartRequest, catalogue: Catalogue) -> AnkaInstanceSpec:
    """The spec with ids instead of names. Raises Failure with the exact texts that clients match."""
    template = template_of(request.spec.template, catalogue, "vmid")
    _check_version(request.spec, template)
    changes: dict[str, str] = {"template": template.metadata.name}
    if request.node is not None:
        changes["node"] = node_of(request.node, catalogue, "node_id").metadata.name
    if request.group is not None:
        changes["group"] = group_of(request.group, catalogue, "group_id").metadata.name
    return request.spec.model_copy(update=changes)


def template_of(word: str, catalogue: Catalogue, parameter: str) -> AnkaTemplate:
    """By id, else by a name that only one has. Raises Failure."""
    found = catalogue.template(word) or catalogue.template(word.lower())
    if found is None:
        called = catalogue.templates_called(word)
        if len(called) > 1:
            raise Failure(f"{parameter}: {len(called)} templates are called {shown(word)}: give the UUID of one")
        found = called[0] if called else None
    if found is None or found.metadata.deletion_timestamp is not None:
        raise Failure(NOT_IN_REGISTRY)
    return found


def _check_version(spec: AnkaInstanceSpec, template: AnkaTemplate) -> None:
    versions = template.status.versions
    if not versions:
        # Its versions have not been read from the registry yet: the scheduler will tell.
        return
    if spec.tag is not None and all(version.tag != spec.tag for version in versions):
        raise Failure(no_such_tag(spec.tag))
    if spec.version is not None and all(version.number != spec.version for version in versions):
        raise Failure(f"No such version {spec.version}")


def group_of(word: str, catalogue: Catalogue, parameter: str) -> NodeGroup:
    """By id, else by a name that only one has. Raises Failure that names the parameter."""
    found = catalogue.group(word)
    if found is not None:
        return found
    called = catalogue.groups_called(word)
    if len(called) != 1:
        few = "no such group" if not called else f"{len(called)} groups have this name, give the id of one"
        raise Failure(f"{parameter}: {few} (given: {shown(word)})")
    return called[0]


def node_of(word: str, catalogue: Catalogue, parameter: str) -> AnkaNode:
    """By id. Raises Failure that names the parameter."""
    found = catalogue.node(word)
    if found is None:
        raise Failure(f"{parameter}: no such node (given: {shown(word)})")
    return found
