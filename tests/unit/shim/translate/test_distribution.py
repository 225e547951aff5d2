from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api import AnkaNode, AnkaTemplate, NodeGroup
from anka_shim.schema.distribution import Distribution
from anka_shim.translate.distribution import (
    KEPT_SECONDS,
    distribution_answer,
    manifest,
    read,
    read_removal,
    removal_answer,
)
from anka_shim.translate.failure import Failure
from support.objects import TEMPLATE, distribution, group, node, template

NODES = [node("mac-1", groups=["ios"], holds=("v1", "v2")), node("mac-2"), node("mac-3", holds=("v1",))]
LEFT = node("mac-4", status={"templates": [{"uuid": "left", "name": "left", "tag": "a"}]})


class Cloud:
    def template(self, id_: str) -> AnkaTemplate | None:
        return {TEMPLATE: template(), "empty": template("empty", "empty", ())}.get(id_)

    def templates_called(self, name: str) -> list[AnkaTemplate]:
        return {"macos-15": [template()], "twin": [template("a"), template("b")]}.get(name, [])

    def node(self, id_: str) -> AnkaNode | None:
        return next((one for one in NODES if one.metadata.name == id_), None)

    def group(self, id_: str) -> NodeGroup | None:
        return group("ios") if id_ == "ios" else None

    def groups_called(self, name: str) -> list[NodeGroup]:
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
    body = manifest("id-1", read({"template_id": TEMPLATE, **asked}, Cloud()))
    assert body["metadata"]["name"] == "id-1"
    assert body["spec"] == {"template": TEMPLATE, "ttlSecondsAfterFinished": KEPT_SECONDS, **spec}


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
        read({"template_id": TEMPLATE, **asked}, Cloud())
    assert failure.value.message == message


@pytest.mark.parametrize(
    ("id_", "asked", "nodes"),
    [
        (TEMPLATE, {}, ["mac-1", "mac-3"]),
        (TEMPLATE, {"node_ids": ["mac-2"]}, ["mac-2"]),
        ("left", {}, ["mac-4"]),
        ("empty", {}, []),
    ],
)
def test_a_removal(id_: str, asked: dict[str, Any], nodes: list[str]) -> None:
    spec = read_removal(id_, asked, Cloud(), [*NODES, LEFT])
    if not nodes:
        assert spec is None
        return
    assert spec is not None
    assert (spec.template, spec.action, spec.nodes, spec.tag) == (id_, "Remove", nodes, None)


@pytest.mark.parametrize(
    ("id_", "asked", "message"),
    [
        ("nope", {}, "Not found"),
        ("nope", {"node_ids": ["mac-1"]}, "Not found"),
        (TEMPLATE, {"node_ids": ["x"]}, "node_ids: no such node (given: 'x')"),
    ],
)
def test_a_removal_of_nothing(id_: str, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(Failure) as failure:
        read_removal(id_, asked, Cloud(), NODES)
    assert failure.value.message == message


def test_the_answer_of_a_removal() -> None:
    assert removal_answer(["a"]) == {"requests_sent": 1, "node_ids": ["a"]}


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ({}, {"mac-1": {"progress": 0.0, "status": False}}),
        (
            {"phase": "Running", "nodes": [{"nodeName": "a", "progressPercent": 45}]},
            {"a": {"progress": 0.45, "status": False}},
        ),
        (
            {"phase": "Done", "nodes": [{"nodeName": "a", "progressPercent": 100, "done": True}]},
            {"a": {"progress": 1.0, "status": True}},
        ),
        (
            {"phase": "Error", "nodes": [{"nodeName": "a", "progressPercent": 10, "done": True, "message": "no"}]},
            {"a": {"progress": 0.1, "status": False, "message": "no"}},
        ),
        ({"phase": "Error"}, {}),
    ],
)
def test_how_far_it_is(status: dict[str, Any], shown: dict[str, Any]) -> None:
    """Before the operator has looked, the Macs that it is going to be for."""
    answer = distribution_answer(distribution("id-1", group="ios", status=status), NODES)
    assert answer["distribute_status"] == shown
    Distribution.model_validate(answer)


def test_the_request_in_the_answer() -> None:
    new = distribution("id-1", template="macos-15")
    assert distribution_answer(new, [])["request"] == {
        "time_requested": "2026-01-01T00:00:00Z",
        "template_id": "macos-15",
        "request_id": "id-1",
    }
    taken = {"phase": "Running", "requestedAt": "2026-01-01T00:00:09Z", "template": {"id": TEMPLATE}}
    request = distribution_answer(distribution("id-1", template="macos-15", status=taken), [])["request"]
    assert (request["time_requested"], request["template_id"]) == ("2026-01-01T00:00:09Z", TEMPLATE)
