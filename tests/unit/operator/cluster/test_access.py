"""The caches of the operator."""

from __future__ import annotations

import pytest

from anka_crds.api import Phase
from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.errors import NotLeading
from anka_operator.cluster import access
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


async def test_a_new_leader_reads_only_what_its_watch_has_not_brought(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    async with (
        ScriptedApi().serve() as api,
        KubeClient(Endpoint(api.url), ApiClock(clock), sleep=clock.sleep) as client,
        watch(AnkaCluster(client), clock) as cluster,
    ):
        await api.until(lambda: api.open_streams == len(cluster.sources))
        fields = instance().to_api()
        for number in range(20):
            api.put("ankainstances", f"known-{number}", "default", spec=fields["spec"], status={})
        await cluster.stores.instances.wait_for(lambda store: len(store) == 20 or None, 10)
        api.stall()
        api.put("ankainstances", "known-7", "default", spec=fields["spec"], status={"nodeName": "mac-1"})
        api.put("ankainstances", "new", "default", spec=fields["spec"], status={"nodeName": "mac-1"})
        before = len(api.seen)
        await cluster.catch_up()
        assert {one.metadata.name for one in cluster.stores.instances.by_index(BY_NODE, "mac-1")} == {"known-7", "new"}
        assert len(api.seen) - before == 3
        assert api.seen[before].query["fieldSelector"] == "status.nodeName!=", "those that wait take nothing"
        # A watch that was away for long: one list, in pages, instead of many reads.
        monkeypatch.setattr(access, "MAX_SINGLE_READS", 1)
        for name in ("known-7", "known-8"):
            api.put("ankainstances", name, "default", spec=fields["spec"], status={"nodeName": "mac-2"})
        before = len(api.seen)
        await cluster.catch_up()
        assert len(cluster.stores.instances.by_index(BY_NODE, "mac-2")) == 2
        assert len(api.seen) - before == 2


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
