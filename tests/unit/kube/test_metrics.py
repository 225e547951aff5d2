from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from anka_kube.client import KubeClient
from anka_kube.errors import NotFound
from anka_kube.unstructured import Unstructured, raw_resource
from anka_kube.writer import Writer
from support.manual_clock import ManualClock
from support.reflector_rig import running
from support.scripted_api import Fault, ScriptedApi

GADGETS = raw_resource("example.com", "v1", "gadgets", "Gadget", namespaced=True)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_requests_and_retries_are_counted(api: ScriptedApi, client: KubeClient) -> None:
    api.fail("get", Fault(503))
    with pytest.raises(NotFound):
        await client.get(GADGETS, "a", "ns")
    labels = {"verb": "get", "resource": "gadgets.example.com"}
    assert value("anka_kube_requests_total", **labels, code="503") == 1
    assert value("anka_kube_requests_total", **labels, code="404") == 1
    assert value("anka_kube_retries_total", **labels, reason="ServerError") == 1
    assert value("anka_kube_request_seconds_count", **labels) == 2


async def test_skipped_writes_are_counted(api: ScriptedApi, client: KubeClient) -> None:
    obj = Unstructured.parse(api.put("gadgets", "a", status={"x": 1}))
    await Writer(client, GADGETS).patch_status(obj, {"x": 1}, guarded=True)
    assert value("anka_kube_skipped_writes_total", resource="gadgets.example.com") == 1


async def test_the_state_of_a_cache_can_be_seen(api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
    labels = {"resource": "things.example.com"}
    lists = value("anka_kube_relists_total", **labels, reason="expired")
    cuts = value("anka_kube_watch_restarts_total", **labels, reason="Unreachable")
    api.put("things", "a")
    async with running(api, client, clock) as rig:
        await rig.agree()
        assert value("anka_kube_cache_objects", **labels) == 1
        clock.advance(30)
        assert value("anka_kube_last_event_age_seconds", **labels) >= 30
        await api.watched()
        api.compact()
        api.cut()
        await rig.until(lambda: api.count("list") == 2)
        api.put("things", "b")
        await rig.agree()
    assert value("anka_kube_relists_total", **labels, reason="expired") == lists + 1
    assert value("anka_kube_watch_restarts_total", **labels, reason="Unreachable") == cuts + 1
