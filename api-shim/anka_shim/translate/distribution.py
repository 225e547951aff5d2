"""Distributions: TemplateDistribution as the old API shows it, and what its requests mean (seed document, "Distribute
Template" and "Delete Template from Nodes")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from anka_crds.api.distribution import NodeProgress, TemplateDistribution, TemplateDistributionSpec
from anka_crds.api.meta import API_VERSION
from anka_crds.api.node import AnkaNode
from anka_crds.core.distribution import targets
from anka_shim.translate import values
from anka_shim.translate.failure import NOT_FOUND, Failure
from anka_shim.translate.resolve import Catalogue, check_version, group_of, node_of, template_of
from anka_shim.translate.times import rfc3339
from anka_shim.translate.values import Json

Answer = dict[str, Any]

KEPT_SECONDS = 86400
"""How long a request of REST is shown after its end: nobody would ever delete it."""
MAX_NODES = 1024
"""maxItems of spec.nodes."""


def read(data: Json, catalogue: Catalogue) -> TemplateDistributionSpec:
    """`POST /api/v1/registry/vm/distribute`. Raises Failure that names the parameter, or with the texts that clients
    know from starting a VM."""
    word = values.text(data, "template_id")
    if word is None:
        raise Failure("template_id: is required, the UUID of the template to distribute")
    tag, number = values.short(data, "tag", 256), values.version(data, "version")
    if tag is not None and number is not None:
        raise Failure("tag and version exclude each other: give one of them")
    if number is not None and number < 0:
        raise values.wrong("version", "must not be negative", number)
    nodes, group = _nodes(data, catalogue), values.text(data, "group_id")
    if nodes and group is not None:
        raise Failure("node_ids and group_id exclude each other: give one of them")
    template = template_of(word, catalogue, "template_id")
    check_version(tag, number, template)
    return TemplateDistributionSpec(
        template=template.metadata.name,
        tag=tag,
        version=number,
        nodes=nodes,
        group=None if group is None else group_of(group, catalogue, "group_id").metadata.name,
        permission_group=values.short(data, "group", 256),
        ttl_seconds_after_finished=KEPT_SECONDS,
    )


def read_removal(
    id_: str, data: Json, catalogue: Catalogue, nodes: Iterable[AnkaNode]
) -> TemplateDistributionSpec | None:
    """`DELETE /api/v1/registry/vm/remove`: from `node_ids`, else from all that hold it; None when no Mac does. The
    registry need not have the template any more. Raises Failure."""
    chosen = _nodes(data, catalogue)
    holding = [node.metadata.name for node in nodes if any(held.uuid == id_ for held in node.status.templates)]
    if catalogue.template(id_) is None and not holding:
        raise Failure(NOT_FOUND)
    found = sorted(chosen or holding)[:MAX_NODES]
    if not found:
        return None
    try:
        return TemplateDistributionSpec(
            template=id_, action="Remove", nodes=found, ttl_seconds_after_finished=KEPT_SECONDS
        )
    except ValidationError:
        raise Failure(NOT_FOUND) from None


def _nodes(data: Json, catalogue: Catalogue) -> list[str]:
    words = values.texts(data, "node_ids")
    if len(words) > MAX_NODES:
        raise Failure(f"node_ids: at most {MAX_NODES} nodes (given: {len(words)})")
    return [node_of(word, catalogue, "node_ids").metadata.name for word in words]


def manifest(id_: str, spec: TemplateDistributionSpec) -> dict[str, Any]:
    """`id_` is a new UUID, which becomes the object's name and so the request_id."""
    return {
        "apiVersion": API_VERSION,
        "kind": "TemplateDistribution",
        "metadata": {"name": id_, "labels": {"app.kubernetes.io/created-by": "anka-shim"}},
        "spec": spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True),
    }


def distribution_answer(distribution: TemplateDistribution, nodes: Iterable[AnkaNode]) -> Answer:
    """Until the operator has taken the request up, the Macs that it is going to be for: scripts look for theirs
    within 2 s (legacy-clients section 1.9)."""
    status = distribution.status
    entries = status.nodes
    if status.phase == "Pending":
        entries = [NodeProgress(node_name=name) for name in targets(distribution.spec, nodes)]
    template = status.template
    return {
        "request": {
            "time_requested": rfc3339(status.requested_at or distribution.metadata.creation_timestamp),
            "template_id": template.id if template is not None else distribution.spec.template,
            "request_id": distribution.metadata.name,
        },
        "distribute_status": {entry.node_name: _entry(entry) for entry in entries},
    }


def _entry(entry: NodeProgress) -> Answer:
    """`status` is true when the Mac has it: a failure has a message instead. Progress is from 0 to 1, as a VM's."""
    answer: Answer = {
        "progress": entry.progress_percent / 100,
        "status": entry.done and entry.message is None,
    }
    if entry.message is not None:
        answer["message"] = entry.message
    return answer


def removal_answer(nodes: list[str]) -> Answer:
    return {"requests_sent": len(nodes), "node_ids": nodes}
