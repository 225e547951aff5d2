"""Requests about groups and about which nodes are in them (docs/reference/legacy-api.md#group). Pure."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field

from anka_crds.api.group import NodeGroup
from anka_crds.api.meta import API_VERSION
from anka_shim.catalog import Catalog, find_group, find_node, group_id
from anka_shim.failure import refuse
from anka_shim.http.parameter_types import NAME, TEXTS, Label, LongText, Name, Text, require
from anka_shim.http.request import RequestModel, option


class CreateGroup(RequestModel):
    name: Annotated[str | None, require("is required, the name of the group"), NAME] = Field(
        description="Must be unique among groups."
    )
    description: LongText = option("For people.")
    fallback_group_id: Label = option("Id or name of the fallback group.")


class UpdateGroup(RequestModel):
    """Only what is given changes. A name can't be removed; null or an empty string removes the others."""

    id: Text = option("Id of the group, if not in the query.")
    name: Name = option("Must be unique among groups.")
    description: LongText = option("null or an empty string: none.")
    fallback_group_id: Label = option("Id or name of the fallback group; null or an empty string: none.")


class DeleteGroup(RequestModel):
    id: Text = option("Id of the group, if not in the query.")


class NodesOfGroups(RequestModel):
    group_ids: Annotated[list[str], require("is required, an array of ids"), TEXTS] = Field(
        description="Ids or names of groups."
    )
    node_ids: Annotated[list[str], require("is required, an array of ids"), TEXTS] = Field(
        description="Ids of nodes; all of them, not only the first."
    )


GroupRequest = CreateGroup | UpdateGroup
Names = tuple[str, ...]


def group_manifest(id_: str, request: CreateGroup, catalog: Catalog, groups: Iterable[NodeGroup]) -> dict[str, Any]:
    """The object to create. `groups`: all that there are. Raises Failure."""
    spec = {key: value for key, value in group_patch(id_, request, catalog, groups).items() if value}
    return {"apiVersion": API_VERSION, "kind": "NodeGroup", "metadata": {"name": id_}, "spec": spec}


def group_patch(id_: str, request: GroupRequest, catalog: Catalog, groups: Iterable[NodeGroup]) -> dict[str, Any]:
    """The merge patch of the spec of group `id_`. Raises Failure."""
    spec: dict[str, Any] = {}
    if request.name is not None:
        _check_name(id_, request.name, groups)
        spec["displayName"] = request.name
    if "description" in request.model_fields_set:
        spec["description"] = request.description or ""
    if "fallback_group_id" in request.model_fields_set:
        spec["fallbackGroup"] = _fallback(id_, request.fallback_group_id, catalog)
    return spec


def _check_name(id_: str, name: str, groups: Iterable[NodeGroup]) -> None:
    """Clients find groups by name, and a name also serves where an id is expected: neither may denote two groups."""
    for group in groups:
        if group.metadata.name != id_ and name in (group.spec.display_name, group.metadata.name):
            raise refuse("name", f"group {group.metadata.name} is called so already", name)


def _fallback(id_: str, word: str | None, catalog: Catalog) -> str | None:
    if word is None:
        return None
    fallback = find_group(word, catalog, "fallback_group_id")
    if fallback.metadata.name == id_:
        raise refuse("fallback_group_id", "a group can't be its own fallback", word)
    way = [id_]
    following: NodeGroup | None = fallback
    while following is not None and following.metadata.name not in way:
        way.append(following.metadata.name)
        following = catalog.group(group_id(following.spec.fallback_group or "", catalog))
    if following is not None and following.metadata.name == id_:
        raise refuse("fallback_group_id", f"the fallbacks would go in a circle: {' -> '.join([*way, id_])}", word)
    return fallback.metadata.name


def read_membership(request: NodesOfGroups, catalog: Catalog, *, leaving: bool = False) -> tuple[Names, Names]:
    """Of the groups, and of the nodes that come into them or leave them. Raises Failure. Nodes can still leave a group
    that no longer exists."""

    def find(word: str) -> str:
        if not leaving:
            return find_group(word, catalog, "group_ids").metadata.name
        named = catalog.groups_named(word)
        return named[0].metadata.name if catalog.group(word) is None and len(named) == 1 else word

    return (
        tuple(find(word) for word in request.group_ids),
        tuple(find_node(word, catalog, "node_ids").metadata.name for word in request.node_ids),
    )


def with_groups(present: Iterable[str], added: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*present, *added]))


def without_groups(present: Iterable[str], removed: Iterable[str]) -> list[str]:
    return [name for name in present if name not in set(removed)]
