"""Requests to bring templates to Macs and to remove them. Pure.

Source: docs/reference/legacy-api.md#distribute and docs/reference/legacy-api.md#template-remove.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import Field, ValidationError

from anka_crds.api.defaults import REST_REQUEST_TTL_SECONDS
from anka_crds.api.distribution import TemplateDistributionSpec
from anka_crds.api.limits import MAX_TARGETS
from anka_crds.api.node import AnkaNode
from anka_shim.annotations import CREATED_BY
from anka_shim.catalog import Catalog, check_version, choose_version, find_group, find_node, find_template
from anka_shim.failure import NOT_FOUND, Failure, refuse
from anka_shim.http.parameter_types import TEXT, Integer, Name, Text, max_items, require
from anka_shim.http.request import RequestModel, option, to_object

NodeIds = Annotated[list[str], max_items(MAX_TARGETS, "nodes")]


class DistributeTemplate(RequestModel):
    template_id: Annotated[str, require("is required, the UUID of the template to distribute"), TEXT] = Field(
        description="Id of the template; its name does as well, if only one has it."
    )
    tag: Name = option("The latest if neither tag nor version is given.")
    version: Integer = option("Number of the version instead of a tag.")
    node_ids: NodeIds = Field(
        default_factory=list, description="Ids of nodes; all if neither node_ids nor group_id is given."
    )
    group_id: Text = option("Id or name of the group whose nodes are meant.")
    group: Name = option("Permission group.")


class CancelDistribution(RequestModel):
    id: Text = option("Id of the distribution request, if not in the query.")
    request_id: Text = option("Another spelling of id.")


class RemoveFromNodes(RequestModel):
    id: Text = option("Id of the template, if not in the query.")
    template_id: Text = option("Another spelling of id.")
    node_ids: NodeIds = Field(default_factory=list, description="Ids of nodes; all that hold the template if absent.")


def read_distribution(request: DistributeTemplate, catalog: Catalog) -> TemplateDistributionSpec:
    """Raises a Failure that names the parameter, or has the text that clients know from starting a VM."""
    number = choose_version(request.tag, request.version)
    if number is not None and number < 0:
        raise refuse("version", "must not be negative", number)
    nodes = _find_nodes(request.node_ids, catalog)
    if nodes and request.group_id is not None:
        raise Failure("node_ids and group_id exclude each other: give one of them")
    template = find_template(request.template_id, catalog, "template_id")
    check_version(request.tag, number, template)
    return TemplateDistributionSpec(
        template=template.metadata.name,
        tag=request.tag,
        version=number,
        nodes=nodes,
        group=None if request.group_id is None else find_group(request.group_id, catalog, "group_id").metadata.name,
        permission_group=request.group,
        ttl_seconds_after_finished=REST_REQUEST_TTL_SECONDS,
    )


def read_removal(
    id_: str, node_ids: Sequence[str], catalog: Catalog, nodes: Iterable[AnkaNode]
) -> TemplateDistributionSpec | None:
    """From `node_ids`, else from all that hold the template; None when no Mac does. The registry may no longer have the
    template. Raises Failure."""
    chosen = _find_nodes(node_ids, catalog)
    holding = [node.metadata.name for node in nodes if holds(node, id_)]
    if catalog.template(id_) is None and not holding:
        raise Failure(NOT_FOUND)
    found = sorted(chosen or holding)
    if not found:
        return None
    try:
        # More than a request can name: from all Macs, of which those that do not hold it have nothing to do.
        return TemplateDistributionSpec(
            template=id_,
            action="Remove",
            nodes=found if len(found) <= MAX_TARGETS else [],
            ttl_seconds_after_finished=REST_REQUEST_TTL_SECONDS,
        )
    except ValidationError:
        raise Failure(NOT_FOUND) from None


def holds(node: AnkaNode, template: str) -> bool:
    return any(held.uuid == template for held in node.status.templates)


def distribution_manifest(id_: str, spec: TemplateDistributionSpec) -> dict[str, Any]:
    """`id_` is a new UUID, which becomes the object's name and so the request_id."""
    return to_object("TemplateDistribution", {"name": id_, "labels": CREATED_BY}, spec)


def _find_nodes(words: Sequence[str], catalog: Catalog) -> list[str]:
    return [find_node(word, catalog, "node_ids").metadata.name for word in words]
