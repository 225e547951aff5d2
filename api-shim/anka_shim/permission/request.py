"""Requests about permission groups (docs/reference/legacy-api.md#permissions). Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import BeforeValidator, Field

from anka_crds.api.fields import ARGUMENT, IS_ARGUMENT, PATTERN_MESSAGE
from anka_crds.api.limits import MAX_GRANTED_RESOURCES, MAX_LABEL
from anka_crds.api.meta import API_VERSION
from anka_crds.api.permission_group import PermittedResource
from anka_crds.api.permissions import PERMISSIONS_OF, ControllerPermission, ResourceKind
from anka_shim.failure import Failure, refuse
from anka_shim.http.parameter_types import read_short, read_texts, require, wrong_value
from anka_shim.http.request import RequestModel, option
from anka_shim.http.rights import PERMISSION_PATHS

OLD_SPELLINGS: Mapping[str, ControllerPermission] = {
    "view_prmission_groups": ControllerPermission.VIEW_PERMISSION_GROUPS
}
"""Ids that the old controller publishes with a typing error."""

_BEFORE_NAME = tuple([*path.strip("/").split("/"), "group"] for path in PERMISSION_PATHS)
_NAME = re.compile(ARGUMENT)


def read_permissions(value: object) -> list[ControllerPermission]:
    found: dict[ControllerPermission, None] = {}
    for position, id_ in enumerate(read_texts(value)):
        if id_ not in (*ControllerPermission, *OLD_SPELLINGS):
            raise wrong_value("no such permission, see GET permission/permissions", id_, place=f"[{position}]")
        found[OLD_SPELLINGS.get(id_) or ControllerPermission(id_)] = None
    return list(found)


def _read_type(value: object) -> object:
    if value not in list(ResourceKind):
        raise wrong_value(f"must be {' or '.join(ResourceKind)}", value)
    return value


def _read_id_type(value: object) -> object:
    if value not in (None, "", "id"):
        raise wrong_value("must be id", value)
    return "id"


Permissions = Annotated[
    list[ControllerPermission],
    BeforeValidator(read_permissions, json_schema_input_type=list[ControllerPermission]),
]


class PermitResource(RequestModel):
    """What the members of a group may do with one node or template."""

    id: Annotated[
        str,
        require("is required, the id of a node or template"),
        BeforeValidator(
            lambda value: read_short(value, MAX_LABEL),
            json_schema_input_type=Annotated[str, Field(min_length=1, max_length=MAX_LABEL)],
        ),
    ] = Field(description="Id of a node or template. It need not exist.")
    type: Annotated[ResourceKind, BeforeValidator(_read_type, json_schema_input_type=ResourceKind)] = Field(
        description="What the id is of."
    )
    id_type: Annotated[
        Literal["id"] | None, BeforeValidator(_read_id_type, json_schema_input_type=Literal["id", ""] | None)
    ] = option("No other is known.")
    permissions: Annotated[list[str], BeforeValidator(read_texts, json_schema_input_type=list[str])] = Field(
        default_factory=list, description="Ids of permissions for this type."
    )


def read_resources(given: Sequence[PermitResource]) -> list[PermittedResource]:
    """Raises Failure."""
    if len(given) > MAX_GRANTED_RESOURCES:
        raise Failure(f"at most {MAX_GRANTED_RESOURCES} nodes and templates (given: {len(given)})")
    for position, one in enumerate(given):
        for id_ in one.permissions:
            if id_ not in PERMISSIONS_OF[one.type]:
                known = ", ".join(sorted(PERMISSIONS_OF[one.type]))
                raise refuse(f"[{position}].permissions", f"those of a {one.type} are {known}", id_)
    return [PermittedResource(type=one.type, id=one.id, permissions=one.permissions) for one in given]


def with_resources(present: Iterable[PermittedResource], given: Sequence[PermittedResource]) -> list[PermittedResource]:
    """Those given take the place of all of their types, an empty list that of all: the old controller keeps nodes, and
    its registry templates, so that scripts send the one or the other."""
    types = {one.type for one in given} or set(ResourceKind)
    return [*(one for one in present if one.type not in types), *given]


def read_name(raw_path: bytes, ending: str) -> str:
    """The name of a group in a path, in any characters: `/` is written `%2F`. `ending`: what follows it in the path.
    Raises Failure."""
    parts = [unquote(part) for part in raw_path.decode("utf-8", "replace").split("/") if part]
    start = len(_BEFORE_NAME[0])
    end = len(parts) - bool(ending)
    if parts[:start] not in _BEFORE_NAME or parts[end:] != [ending][: bool(ending)]:
        raise Failure("the path: write '/' as %2F in the name of a group, and nowhere else")
    name = "/".join(parts[start:end])
    if len(name) > MAX_LABEL:
        raise refuse("the group's name", f"must have at most {MAX_LABEL} characters", name)
    if not _NAME.fullmatch(name):
        raise refuse("the group's name", IS_ARGUMENT[PATTERN_MESSAGE], name)
    return name


def object_name(name: str) -> str:
    """Of the PermissionGroup with this name, which may have any characters. The same at all replicas: a name is made
    once."""
    return f"permissions-{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def permission_group_manifest(name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The object to create."""
    metadata = {"name": object_name(name)}
    kind = {"apiVersion": API_VERSION, "kind": "PermissionGroup"}
    return {**kind, "metadata": metadata, "spec": {"displayName": name, **spec}}
