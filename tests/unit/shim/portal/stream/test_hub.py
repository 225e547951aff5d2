"""What each tab is told of a change: once made for all who see the same."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable
from typing import Any

from anka_shim.portal.stream.hub import StreamHub
from anka_shim.portal.visibility import EVERYTHING, Visibility
from support.shim_rig import TIMES, Rig, rig


class Watcher:
    def __init__(self, *kinds: str, visibility: Visibility = EVERYTHING) -> None:
        self.kinds = kinds
        self.visibility = visibility
        self.messages: list[bytes] = []

    def deliver(self, message: bytes) -> None:
        self.messages.append(message)

    @property
    def changes(self) -> dict[str, Any]:
        (message,) = self.messages
        found: dict[str, Any] = json.loads(message)["changes"]
        return found


class Only:
    """Shows these rows."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = frozenset(ids)

    @property
    def key(self) -> Hashable:
        return self.ids

    def shows(self, kind: str, id_: str) -> bool:
        return id_ in self.ids


async def change_groups(shim: Rig, *names: str) -> StreamHub:
    """The hub, which has not told it yet."""
    hub, stores = shim.services.hub, shim.services.stores
    await hub.__aexit__()
    hub.flush()
    for name in names:
        shim.api.put("nodegroups", name, "", spec={"description": "new"}, metadata=TIMES)
    await stores.groups.wait_for(lambda _: all(map(stores.group, names)), 60)
    return hub


async def test_the_same_message_for_all_who_see_the_same() -> None:
    async with rig() as shim:
        hub = await change_groups(shim, "a", "b")
        first, second = Watcher("groups", "nodes"), Watcher("groups", "nodes")
        other, none = Watcher("groups"), Watcher("saves")
        hub.live = {first, second, other, none}
        hub.flush()
        assert first.messages[0] is second.messages[0]
        assert {row["id"] for row in first.changes["groups"]["upsert"]} == {"a", "b"}
        assert other.changes.keys() == {"groups"}
        assert none.messages == []


async def test_rows_that_somebody_may_not_see() -> None:
    async with rig() as shim:
        hub = await change_groups(shim, "a", "b")
        one, other, alike = (Watcher("groups", visibility=Only(ids)) for ids in ("a", "b", "a"))
        hub.live = {one, other, alike}
        hub.flush()
        assert one.messages[0] is alike.messages[0]
        told = one.changes["groups"]
        assert ([row["id"] for row in told["upsert"]], told["remove"]) == (["a"], [])
        assert [row["id"] for row in other.changes["groups"]["upsert"]] == ["b"]


async def test_rows_are_forgotten_when_the_last_has_left() -> None:
    async with rig() as shim:
        hub = await change_groups(shim, "a")
        first, second = Watcher("groups"), Watcher("groups")
        hub.live = {first, second}
        hub.flush()
        assert hub.feeds["groups"]._encoded
        hub.leave(first)
        assert hub.feeds["groups"]._encoded
        hub.leave(second)
        assert not hub.feeds["groups"]._encoded
