"""The operator behind a proxy that loses events of its watches while the streams go on, against a real apiserver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from anka_crds.api.meta import FINALIZER
from anka_crds.resources import GROUPS, INSTANCES
from anka_dev.cloud import LocalCloud
from anka_kube import comparison
from anka_kube.config import load_endpoint
from anka_kube.endpoint import Endpoint
from anka_kube.metrics import MISSED_EVENTS
from anka_operator.process import Operator
from anka_operator.settings import OperatorSettings
from anka_runtime.settings import load
from support.lossy_proxy import LossyProxy
from support.operators import NAMESPACE, OPERATOR_FLAGS, SECONDS, Fleet, until

pytestmark = pytest.mark.integration


@pytest.fixture
async def proxied(
    operator_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[LossyProxy, Operator]]:
    """A proxy, and an operator behind it, which compares often."""
    monkeypatch.setattr(comparison, "INTERVAL_SECONDS", 2.0)
    monkeypatch.setattr(comparison, "GRACE_SECONDS", 1.0)
    endpoint = await asyncio.to_thread(load_endpoint, operator_cloud.cluster.kubeconfig, environ={})
    async with LossyProxy(endpoint).serve() as proxy:
        flags = [*OPERATOR_FLAGS, "--health-port=0", "--health-host=127.0.0.1"]
        operator = Operator(load(OperatorSettings, "anka-operator", flags), Endpoint(proxy.url))
        running = asyncio.create_task(operator.run())
        yield proxy, operator
        operator._stop.set()
        await asyncio.wait_for(running, SECONDS)


async def test_what_was_lost_happens_in_the_end(fleet: Fleet, proxied: tuple[LossyProxy, Operator]) -> None:
    proxy, operator = proxied
    await fleet.instance("lost", finalizers=[FINALIZER])
    await fleet.group("early")
    await fleet.see(GROUPS, "early", lambda group: group.status.nodes is not None)
    known = operator._cluster.stores.instances
    await known.wait_for(lambda store: store.get("lost", NAMESPACE), SECONDS)

    def loses(type_: str, obj: dict[str, Any]) -> bool:
        name = obj["metadata"]["name"]
        return (name == "lost" and "deletionTimestamp" in obj["metadata"]) or (name == "unheard" and type_ == "ADDED")

    proxy.loses = loses
    before = {kind.label: MISSED_EVENTS.labels(kind.label)._value.get() for kind in (INSTANCES, GROUPS)}
    await fleet.client.delete(INSTANCES, "lost", NAMESPACE)
    await fleet.group("unheard")
    # The streams go on: what happens later is seen.
    await fleet.instance("later")
    await fleet.group("heard")
    await fleet.see(GROUPS, "heard", lambda group: group.status.nodes is not None)

    await fleet.gone("lost")
    await known.wait_for(lambda store: store.get("lost", NAMESPACE) is None, SECONDS)
    await fleet.see(GROUPS, "unheard", lambda group: group.status.nodes is not None)

    # A comparison may have been faster than the stream, and counts once it has compared all.
    async def are_counted() -> bool:
        counted = all(MISSED_EVENTS.labels(label)._value.get() > count for label, count in before.items())
        return counted and {"MODIFIED lost", "ADDED unheard"} <= set(proxy.lost)

    await until(are_counted, "what was lost, and is counted")
