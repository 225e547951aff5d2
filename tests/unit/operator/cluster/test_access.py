"""The caches of the operator."""

from __future__ import annotations

import pytest

from anka_crds.api import Phase
from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.errors import NotLeading
from anka_operator.cluster.access import AnkaCluster, ClusterWriters
from anka_operator.cluster.stores import BY_NODE, ClusterStores
from support.manual_clock import ManualClock
from support.objects import instance
from support.operator_rig import watch
from support.scripted_api import ScriptedApi


async def test_a_new_leader_sees_binds_that_its_watch_has_not_brought_yet() -> None:
    clock = ManualClock()
    async with (
        ScriptedApi().serve() as api,
        KubeClient(Endpoint(api.url), ApiClock(clock), sleep=clock.sleep) as client,
        watch(AnkaCluster(client), clock) as cluster,
    ):
        await api.until(lambda: api.open_streams == len(cluster.sources))
        api.stall()
        fields = instance().to_api()
        bind = {"nodeName": "mac-1", "phase": "Scheduling"}
        api.put("ankainstances", "one", "default", spec=fields["spec"], status=bind)
        api.put("ankainstances", "odd", "default", spec={"template": 7}, status={})
        assert len(cluster.stores.instances) == 0
        await cluster.catch_up()
        (one,) = cluster.stores.instances.by_index(BY_NODE, "mac-1")
        assert one.status.phase is Phase.SCHEDULING


def refuse() -> None:
    raise NotLeading


async def test_nothing_is_sent_by_a_process_that_does_not_lead() -> None:
    async with ScriptedApi().serve() as api, KubeClient(Endpoint(api.url)) as client:
        writers = ClusterWriters(client, ClusterStores(), refuse)
        for writer in vars(writers).values():
            with pytest.raises(NotLeading):
                await writer.create({"metadata": {"name": "x"}}, "default")
        assert api.seen == []


async def test_what_was_written_can_be_read_at_once() -> None:
    async with ScriptedApi().serve() as api, KubeClient(Endpoint(api.url)) as client:
        stores = ClusterStores()
        await ClusterWriters(client, stores).groups.create({"metadata": {"name": "ios"}, "spec": {}})
        assert stores.groups.get("ios") is not None
