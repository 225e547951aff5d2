"""The caches of the operator."""

from __future__ import annotations

from anka_crds.api import Phase
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint
from anka_operator.cluster import NODE, Cluster
from support.manual_clock import ManualClock
from support.objects import instance
from support.operator_rig import NODES
from support.scripted_api import ScriptedApi


async def test_a_new_leader_sees_binds_that_its_watch_has_not_brought_yet() -> None:
    clock = ManualClock()
    async with (
        ScriptedApi().serve() as api,
        KubeClient(Endpoint(api.url), clock, sleep=clock.sleep) as client,
        Cluster(client, clock, node_namespace=NODES) as cluster,
    ):
        await cluster.synced()
        await api.until(lambda: api.open_streams == len(cluster.reflectors))
        api.stall()
        fields = instance().to_api()
        bind = {"nodeName": "mac-1", "phase": "Scheduling"}
        api.put("ankainstances", "one", "default", spec=fields["spec"], status=bind)
        api.put("ankainstances", "odd", "default", spec={"template": 7}, status={})
        assert len(cluster.stores.instances) == 0
        await cluster.catch_up()
        (one,) = cluster.stores.instances.by_index(NODE, "mac-1")
        assert one.status.phase is Phase.SCHEDULING
