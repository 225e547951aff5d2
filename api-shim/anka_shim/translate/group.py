"""Node groups: NodeGroup as the old API shows it, and what its requests mean (seed document, "Group")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from anka_crds.api.group import NodeGroup
from anka_crds.api.meta import API_VERSION
from anka_shim.translate import values
from anka_shim.translate.failure import Failure
from anka_shim.translate.resolve import Catalogue, group_of, node_of
from anka_shim.translate.values import Json

Answer = dict[str, Any]

MAX_NAME = 256
MAX_DESCRIPTION = 4096


def group_answer(id_: str, group: NodeGroup | None) -> Answer:
    """A node may name a group that does not exist (yet): shown by its id. The description is never null: Jenkins
    would lose all groups."""
    return {
        "id": id_,
        "name": (group.spec.display_name if group else None) or id_,
        "description": group.spec.description if group else "",
        "fallback_group_id": group.spec.fallback_group if group else None,
    }


@dataclass(frozen=True)
class GroupRequest:
    """What is given; `fallback` is still as the client called it. None is not given, an empty text takes away."""

    name: str | None
    description: str | None
    fallback: str | None


def read(data: Json) -> GroupRequest:
    """Raises Failure. A name can't be taken away; a description and a fallback can, by null or an empty string."""
    return GroupRequest(
        name=values.short(data, "name", MAX_NAME),
        description=_or_empty(data, "description", MAX_DESCRIPTION),
        fallback=_or_empty(data, "fallback_group_id", MAX_NAME),
    )


def _or_empty(data: Json, name: str, most: int) -> str | None:
    return (values.short(data, name, most) or "") if name in data else None


def new(id_: str, request: GroupRequest, catalogue: Catalogue, groups: Iterable[NodeGroup]) -> dict[str, Any]:
    """The object to create. `groups`: all that there are. Raises Failure."""
    if request.name is None:
        raise Failure("name: is required, the name of the group")
    spec = {key: value for key, value in changes(id_, request, catalogue, groups).items() if value}
    return {"apiVersion": API_VERSION, "kind": "NodeGroup", "metadata": {"name": id_}, "spec": spec}


def changes(id_: str, request: GroupRequest, catalogue: Catalogue, groups: Iterable[NodeGroup]) -> dict[str, Any]:
    """The merge patch of the spec of group `id_`. Raises Failure."""
    spec: dict[str, Any] = {}
    if request.name is not None:
        _check_name(id_, request.name, groups)
        spec["displayName"] = request.name
    if request.description is not None:
        spec["description"] = request.description
    if request.fallback is not None:
        spec["fallbackGroup"] = _fallback(id_, request.fallback, catalogue) if request.fallback else None
    return spec


def _check_name(id_: str, name: str, groups: Iterable[NodeGroup]) -> None:
    """Clients find groups by name, and where an id is asked for a name does as well: both must be one group's."""
    for group in groups:
        if group.metadata.name != id_ and name in (group.spec.display_name, group.metadata.name):
            raise values.wrong("name", f"group {group.metadata.name} is called so already", name)


def _fallback(id_: str, word: str, catalogue: Catalogue) -> str:
    fallback = group_of(word, catalogue, "fallback_group_id")
    if fallback.metadata.name == id_:
        raise values.wrong("fallback_group_id", "a group can't be its own fallback", word)
    way = [id_]
    following: NodeGroup | None = fallback
    while following is not None and following.metadata.name not in way:
        way.append(following.metadata.name)
        following = catalogue.group(following.spec.fallback_group or "")
    if following is not None and following.metadata.name == id_:
        raise values.wrong("fallback_group_id", f"the fallbacks would go in a circle: {' -> '.join([*way, id_])}", word)
    return fallback.metadata.name


@dataclass(frozen=True)
class Membership:
    """Which nodes come into which groups, or leave them: object names."""

    groups: tuple[str, ...]
    nodes: tuple[str, ...]


def read_membership(data: Json, catalogue: Catalogue, *, leaving: bool = False) -> Membership:
    """Raises Failure. A group that does not exist any more can still be left."""
    groups, nodes = values.texts(data, "group_ids"), values.texts(data, "node_ids")
    for name, given in (("group_ids", groups), ("node_ids", nodes)):
        if not given:
            raise Failure(f"{name}: is required, an array of ids")
    find = _left if leaving else _joined
    return Membership(
        tuple(find(word, catalogue) for word in groups),
        tuple(node_of(word, catalogue, "node_ids").metadata.name for word in nodes),
    )


def _joined(word: str, catalogue: Catalogue) -> str:
    return group_of(word, catalogue, "group_ids").metadata.name


def _left(word: str, catalogue: Catalogue) -> str:
    called = catalogue.groups_called(word)
    return called[0].metadata.name if catalogue.group(word) is None and len(called) == 1 else word


def joined(present: Iterable[str], added: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*present, *added]))


def without(present: Iterable[str], removed: Iterable[str]) -> list[str]:
    return [name for name in present if name not in set(removed)]
