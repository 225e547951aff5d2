"""A request that destroys names its target: one with an empty or a misspelled target acts on nothing."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from support.shim_rig import TEMPLATE, Rig, rig

REMOVE = "/api/v1/registry/vm/remove"
REVERT = "/api/v1/registry/revert"
DISTRIBUTE = "/api/v1/registry/vm/distribute"
UPDATE = "/api/v1/node/update"

NOTHING: list[Any] = ["", " ", [], [""], ["", " "], {}]


@pytest.fixture
async def shim() -> AsyncIterator[Rig]:
    """Two Macs that hold the template, and a registry that nothing may be sent to."""
    async with rig(access_log="none", registry_url="http://192.0.2.1:1") as found:
        held = {"templates": [{"uuid": TEMPLATE, "name": "macos", "tag": "v1"}]}
        for node in ("mac-1", "mac-2"):
            found.api.put("ankanodes", node, "", spec={}, status=held)
        await found.services.stores.nodes.wait_for(
            lambda store: all((node := store.get(name)) and node.status.templates for name in ("mac-1", "mac-2")), 5
        )
        yield found


def unchanged(shim: Rig) -> bool:
    return [shim.api.count(verb) for verb in ("create", "update", "patch", "delete")] == [0] * 4


@pytest.mark.parametrize("nothing", [*NOTHING, None])
async def test_a_removal_from_no_node_is_not_one_from_all(shim: Rig, nothing: Any) -> None:
    body = {"id": TEMPLATE, "node_ids": nothing}
    message = await shim.message("DELETE", REMOVE, json=body)
    assert message == "node_ids: names nothing: leave it out to mean every node that holds the template"
    assert await shim.message("DELETE", f"{REMOVE}?id={TEMPLATE}", json={"node_ids": nothing}) == message
    assert unchanged(shim)


@pytest.mark.parametrize("query", ["&node_ids=", "&node_ids=,", "&node_ids=%20", "&node_ids=&node_ids="])
async def test_a_removal_from_an_unset_variable(shim: Rig, query: str) -> None:
    for body in (None, {}, {"id": TEMPLATE}, {"node_ids": ["mac-1"]}):
        message = await shim.message("DELETE", f"{REMOVE}?id={TEMPLATE}{query}", json=body)
        assert message.startswith("node_ids: names nothing: "), body
    assert unchanged(shim)


@pytest.mark.parametrize("word", ["node_id", "nodes", "nodeIds", "Node_Ids", "group_id", "dry_run"])
async def test_a_misspelled_parameter_is_not_none(shim: Rig, word: str) -> None:
    for path, expected in ((REMOVE, "node_ids"), (REVERT, "tag or number or version")):
        says = f"{word}: is unknown here: give {expected}, or nothing to mean "
        assert (await shim.message("DELETE", f"{path}?id={TEMPLATE}", json={word: "mac-1"})).startswith(says)
        assert (await shim.message("DELETE", f"{path}?id={TEMPLATE}&{word}=mac-1")).startswith(says)
    assert unchanged(shim)


@pytest.mark.parametrize("word", ["tag", "version", "number", "node_ids"])
async def test_a_template_is_not_deleted_in_place_of_a_version(shim: Rig, word: str) -> None:
    message = f"{word}: is unknown here: give the id alone to mean the template with all its versions"
    assert await shim.message("DELETE", f"/api/v1/registry/vm?id={TEMPLATE}&{word}=1") == message
    assert await shim.message("DELETE", "/api/v1/registry/vm", json={"id": TEMPLATE, word: "1"}) == message


@pytest.mark.parametrize("path", [REMOVE, REVERT])
async def test_a_body_that_came_out_empty(shim: Rig, path: str) -> None:
    """As `curl -d "$UNSET"` sends it."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "0"}
    message = await shim.message("DELETE", f"{path}?id={TEMPLATE}", headers=headers)
    assert message.startswith("the request body is empty: send {}, or no body, to mean ")
    assert unchanged(shim)


async def test_a_removal_from_all_as_the_specification_has_it(shim: Rig) -> None:
    both = {"requests_sent": 2, "node_ids": ["mac-1", "mac-2"]}
    assert await shim.body("DELETE", f"{REMOVE}?id={TEMPLATE}") == both
    assert await shim.body("DELETE", f"{REMOVE}?id={TEMPLATE}", headers={"Content-Length": "0"}) == both
    # Many clients send a Content-Type always: it announces no body.
    assert await shim.body("DELETE", f"{REMOVE}?id={TEMPLATE}", headers={"Content-Type": "application/json"}) == both
    assert await shim.body("DELETE", f"{REMOVE}?id={TEMPLATE}", json={}) == both
    assert await shim.body("DELETE", REMOVE, json={"id": TEMPLATE}) == both
    assert await shim.body("DELETE", f"{REMOVE}?id={TEMPLATE}&apiVer=v1") == both


@pytest.mark.parametrize("nothing", [*NOTHING, None])
@pytest.mark.parametrize("word", ["tag", "number", "version"])
async def test_a_revert_to_nothing_is_not_one_of_the_newest(shim: Rig, word: str, nothing: Any) -> None:
    message = await shim.message("DELETE", f"{REVERT}?id={TEMPLATE}", json={word: nothing})
    assert message == f"{word}: names nothing: leave it out to mean the newest version"
    if isinstance(nothing, str):
        assert await shim.message("DELETE", f"{REVERT}?id={TEMPLATE}&{word}={nothing}") == message
        # Not version 0 either, which would remove all.
        both = {"tag": nothing, "version": 0}
        assert (await shim.message("DELETE", f"{REVERT}?id={TEMPLATE}", json=both)).startswith("tag: names nothing")


@pytest.mark.parametrize(
    ("query", "body"),
    [("", None), ("", {}), ("", {"tag": "v1", "number": None}), ("&tag=v1", None), ("&number=0", {"tag": None})],
)
async def test_a_revert_that_says_what_it_means(shim: Rig, query: str, body: Any) -> None:
    message = await shim.message("DELETE", f"{REVERT}?id={TEMPLATE}{query}", json=body)
    assert message.startswith("cannot revert the template: registry http://192.0.2.1:1 does not answer: ")


@pytest.mark.parametrize("nothing", NOTHING)
async def test_a_distribution_to_no_node_is_not_one_to_all(shim: Rig, nothing: Any) -> None:
    for word in ("node_ids", "group_id"):
        message = await shim.message("POST", DISTRIBUTE, json={"template_id": TEMPLATE, word: nothing})
        assert message == f"{word}: names nothing: leave it out to mean all nodes"
    assert unchanged(shim)
    unsaid: list[dict[str, Any]] = [{}, {"node_ids": None}, {"group_id": None, "node_ids": ["mac-1"]}, {"other": 1}]
    for body in unsaid:
        await shim.body("POST", DISTRIBUTE, json={"template_id": TEMPLATE, **body})


@pytest.mark.parametrize("nothing", NOTHING)
async def test_an_update_of_no_node_is_not_one_of_all(shim: Rig, nothing: Any) -> None:
    message = await shim.message("PUT", UPDATE, json={"node_ids": nothing})
    assert message == "node_ids: names nothing: leave it out to mean all nodes"
    assert unchanged(shim)
    await shim.body("PUT", UPDATE)
    assert shim.api.count("patch") == 2


@pytest.mark.parametrize(
    ("method", "path", "word"),
    [
        ("DELETE", "/api/v1/vm", "id"),
        ("PUT", "/api/v1/vm", "id"),
        ("POST", "/api/v1/rpc/vm/restart", "id"),
        ("POST", "/api/v1/image", "id"),
        ("DELETE", "/api/v1/node", "node_id"),
        ("POST", "/api/v1/node/config", "node_id"),
        ("DELETE", "/api/v1/group", "id"),
        ("PUT", "/api/v1/group", "id"),
        ("DELETE", "/api/v1/registry/vm", "id"),
        ("DELETE", REVERT, "id"),
        ("DELETE", REMOVE, "id"),
        ("DELETE", DISTRIBUTE, "id"),
    ],
)
async def test_nothing_is_done_without_an_id_or_with_two(shim: Rig, method: str, path: str, word: str) -> None:
    rest = {"tag": "v9", "new_template_name": "x"} if path == "/api/v1/image" else {}
    absent: list[dict[str, Any]] = [{}, {word: ""}, {word: None}]
    for query, body in itertools.product(["", f"?{word}="], absent):
        message = await shim.message(method, path + query, json={**rest, **body})
        assert message.startswith(f"{word}: is required, the id of a"), (query, body)
    message = await shim.message(method, f"{path}?{word}=mac-1", json={**rest, word: "mac-2"})
    assert message == f"{word}: is given twice, and differs: 'mac-1', 'mac-2'"
    assert unchanged(shim)
