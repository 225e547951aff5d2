"""Every reader of a list from outside: one element is anything at all, and the others are all returned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.command import Anka
from anka_agent.anka.vm import ListReader
from anka_kube.client import KubeClient, RawPage
from anka_kube.endpoint import Endpoint
from anka_kube.reflector import Reflector
from anka_kube.store import Store
from anka_operator.cluster.stores import ClusterStores
from anka_registry.client import RegistryClient
from anka_runtime.elements import read_elements

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("9" * 5000)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
)
"""Infinity as well: Python's own parser reads it in what `anka` prints."""


Reader = Callable[[Any], Awaitable[list[str]]]


class AnsweringAnka(Anka):
    def __init__(self, body: Any) -> None:
        super().__init__()
        self._body = body

    async def call(self, *args: str, **_: Any) -> Any:
        return self._body


class AnsweringRegistry(RegistryClient):
    def __init__(self, body: Any) -> None:
        super().__init__("http://registry")
        self._answer = body

    async def _call(self, *_: Any, **__: Any) -> Any:
        return self._answer


class AnsweringApi(KubeClient):
    """It lists once. It never watches."""

    def __init__(self, body: Any) -> None:
        super().__init__(Endpoint("http://api"))
        self._rows = body

    async def list_page(self, *_: Any, **__: Any) -> RawPage:
        return RawPage(self._rows, "9", "")

    @asynccontextmanager
    async def watch(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield


def reflect(choose: Callable[[ClusterStores], Store[Any]]) -> Reader:
    """What the operator's store of a kind has after a list, its indexes included."""

    async def names(body: Any) -> list[str]:
        store = choose(ClusterStores())
        async with Reflector(AnsweringApi(body), store) as reflector:
            async with asyncio.timeout(2):
                await reflector.synced.wait()
        return [one.metadata.name for one in store]

    return names


async def list_tags(body: Any) -> list[str]:
    return [tag.tag for tag in await AnkaCli(AnsweringAnka(body)).tags("t")]


async def list_usb(body: Any) -> list[str]:
    return [one.location for one in await AnkaCli(AnsweringAnka(body)).usb()]


async def describe(body: Any) -> list[str]:
    return await AnkaCli(AnsweringAnka({"versions": body})).registry_tags("t", remote=None)


async def list_names(body: Any) -> list[str]:
    return sorted(await AnkaCli(AnsweringAnka(body)).registry_names(remote=None))


async def list_vms(body: Any) -> list[str]:
    return [vm.uuid for vm in ListReader(read_elements).read(body).vms]


async def list_templates(body: Any) -> list[str]:
    return [one.id for one in await AnsweringRegistry(body).templates()]


async def list_versions(body: Any) -> list[str]:
    return [one.tag for one in (await AnsweringRegistry({"id": "t", "versions": body}).template("t")).versions]


async def list_logs(body: Any) -> list[str]:
    return [one.service for one in await AnsweringRegistry(body).logs()]


def rows(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{name: f"{name}-{number}" for name in names} | more for number in range(3)]


def objects(spec: dict[str, Any], status: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """As the API lists them."""
    return [
        {
            "metadata": {"name": f"object-{number}", "uid": f"uid-{number}", "resourceVersion": str(number)},
            "spec": spec,
            "status": status or {},
        }
        for number in range(3)
    ]


REFERENCE = {"template": "macos-15"}
LEASE = {"holderIdentity": "mac", "leaseDurationSeconds": 40, "renewTime": "2026-01-01T00:00:00.000000Z"}
READERS: Mapping[str, tuple[list[dict[str, Any]], Reader]] = {
    "anka list": (rows("uuid", "name", status="running"), list_vms),
    "anka show tag": (rows("tag"), list_tags),
    "anka usb list": (rows("location"), list_usb),
    "anka registry describe": (rows("tag"), describe),
    "anka registry list": (rows("name"), list_names),
    "registry templates": (rows("id", "name", size=1), list_templates),
    "registry versions": (rows("tag", number=1, last_push=1.7e9), list_versions),
    "registry logs": (rows("service", "machine_name"), list_logs),
    "Leases": (objects(LEASE), reflect(lambda stores: stores.leases)),
    "AnkaInstances": (objects(REFERENCE, {"phase": "Started", "nodeName": "m"}), reflect(lambda of: of.instances)),
    "AnkaNodes": (
        objects({"groups": ["ios"]}, {"templates": [{"uuid": "t", "name": "n"}]}),
        reflect(lambda of: of.nodes),
    ),
    "AnkaTemplates": (objects({}, {"name": "macos-15"}), reflect(lambda stores: stores.templates)),
    "NodeGroups": (objects({"displayName": "iOS"}), reflect(lambda stores: stores.groups)),
    "TemplateDistributions": (objects(REFERENCE, {"phase": "Running"}), reflect(lambda of: of.distributions)),
    "SaveImages": (objects({"instance": "one", "tag": "v1"}, {"phase": "Pending"}), reflect(lambda of: of.saves)),
}


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_one_bad_element_spoils_nothing_else(name: str, data: st.DataObject) -> None:
    good, read = READERS[name]
    wanted = asyncio.run(_read(read, deepcopy(good)))
    assert len(wanted) == len(good)
    position = data.draw(st.integers(0, len(good) - 1))
    mutated: Any = data.draw(ANYTHING)
    if data.draw(st.booleans()):
        others_too = ["arch", "cpu_cores", "port_forwarding", "images", "modified"]
        key = data.draw(st.sampled_from([*good[position], *others_too]))
        inner = good[position].get(key)
        if isinstance(inner, dict) and inner and data.draw(st.booleans()):
            mutated = {**inner, data.draw(st.sampled_from([*inner])): mutated}
        mutated = {**good[position], key: mutated}
    found = asyncio.run(_read(read, [*deepcopy(good[:position]), mutated, *deepcopy(good[position + 1 :])]))
    others = [one for place, one in enumerate(wanted) if place != position]
    assert [one for one in found if one in others] == others


async def _read(read: Reader, body: Any) -> list[str]:
    return await read(body)
