from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api import AnkaNode, AnkaTemplate, NodeGroup
from anka_crds.api.defaults import REST_REQUEST_TTL_SECONDS
from anka_shim.distribution.request import (
    DistributeTemplate,
    distribution_manifest,
    read_distribution,
    read_removal,
)
from anka_shim.failure import Failure
from support.objects import TEMPLATE, group, node, template
from support.rest import read

NODES = [node("mac-1", groups=["ios"], holds=("v1", "v2")), node("mac-2"), node("mac-3", holds=("v1",))]
LEFT = node("mac-4", status={"templates": [{"uuid": "left", "name": "left", "tag": "a"}]})


class Cloud:
    def template(self, id_: str) -> AnkaTemplate | None:
        return {TEMPLATE: template(), "empty": template("empty", "empty", ())}.get(id_)

    def templates_named(self, name: str) -> list[AnkaTemplate]:
        return {"macos-15": [template()], "twin": [template("a"), template("b")]}.get(name, [])

    def node(self, id_: str) -> AnkaNode | None:
        return next((one for one in NODES if one.metadata.name == id_), None)

    def nodes_named(self, name: str) -> list[AnkaNode]:
        return []

    def group(self, id_: str) -> NodeGroup | None:
        return group("ios") if id_ == "ios" else None

    def groups_named(self, name: str) -> list[NodeGroup]:
        return [group("ios")] if name == "iOS builds" else []


@pytest.mark.parametrize(
    ("asked", "spec"),
    [
        ({}, {}),
        ({"tag": "v1"}, {"tag": "v1"}),
        ({"tag": "", "version": "0"}, {"version": 0}),
        ({"tag": "v1", "version": 0}, {"tag": "v1"}),
        ({"node_ids": ["mac-2", "mac-1", "mac-2"]}, {"nodes": ["mac-2", "mac-1"]}),
        ({"node_ids": "mac-2"}, {"nodes": ["mac-2"]}),
        ({"node_ids": [], "group_id": "iOS builds"}, {"group": "ios"}),
        ({"template_id": "macos-15", "group": "devops", "nonsense": 1}, {"permissionGroup": "devops"}),
    ],
)
def test_what_a_request_means(asked: dict[str, Any], spec: dict[str, Any]) -> None:
    body = distribution_manifest(
        "id-1", read_distribution(read(DistributeTemplate, {"template_id": TEMPLATE, **asked}), Cloud())
    )
    assert body["metadata"]["name"] == "id-1"
    assert body["spec"] == {"template": TEMPLATE, "ttlSecondsAfterFinished": REST_REQUEST_TTL_SECONDS, **spec}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"template_id": ""}, "template_id: is required, the UUID of the template to distribute"),
        ({"template_id": "nope"}, "VM not in the registry"),
        ({"template_id": "twin"}, "template_id: 2 templates are called 'twin': give the UUID of one"),
        ({"tag": "nope"}, "No such tag nope"),
        ({"tag": "x" * 257}, f"tag: must have at most 256 characters (given: '{'x' * 56}...)"),
        ({"version": 7}, "No such version 7"),
        ({"template_id": "empty", "version": -1}, "version: must not be negative (given: -1)"),
        ({"tag": "v1", "version": 1}, "tag and version exclude each other: give one of them"),
        ({"node_ids": ["x"]}, "node_ids: no such node (given: 'x')"),
        ({"node_ids": 1}, "node_ids: must be an array of strings (given: 1)"),
        ({"node_ids": [str(number) for number in range(1025)]}, "node_ids: at most 1024 nodes (given: 1025)"),
        ({"group_id": "x"}, "group_id: no such group (given: 'x')"),
        ({"node_ids": ["mac-1"], "group_id": "ios"}, "node_ids and group_id exclude each other: give one of them"),
    ],
)
def test_what_cannot_be_meant(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(Failure) as failure:
        read_distribution(read(DistributeTemplate, {"template_id": TEMPLATE, **asked}), Cloud())
    assert failure.value.message == message


@pytest.mark.parametrize(
    ("id_", "node_ids", "nodes"),
    [
        (TEMPLATE, [], ["mac-1", "mac-3"]),
        (TEMPLATE, ["mac-2"], ["mac-2"]),
        ("left", [], ["mac-4"]),
        ("empty", [], []),
    ],
)
def test_a_removal(id_: str, node_ids: list[str], nodes: list[str]) -> None:
    spec = read_removal(id_, node_ids, Cloud(), [*NODES, LEFT])
    if not nodes:
        assert spec is None
        return
    assert spec is not None
    assert (spec.template, spec.action, spec.nodes, spec.tag) == (id_, "Remove", nodes, None)


@pytest.mark.parametrize(
    ("id_", "node_ids", "message"),
    [
        ("nope", [], "Not found"),
        ("nope", ["mac-1"], "Not found"),
        (TEMPLATE, ["x"], "node_ids: no such node (given: 'x')"),
    ],
)
def test_a_removal_of_nothing(id_: str, node_ids: list[str], message: str) -> None:
    with pytest.raises(Failure) as failure:
        read_removal(id_, node_ids, Cloud(), NODES)
    assert failure.value.message == message
