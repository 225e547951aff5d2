"""What the operator consists of."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from prometheus_client import REGISTRY

from anka_crds.resources import INSTANCES
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_operator.assembly import run_controllers, watch_cluster
from anka_operator.cluster.access import AnkaCluster
from anka_operator.instances.handler import FAILED_ONLY, FailureHandler
from anka_operator.settings import OperatorSettings
from anka_runtime.clock import SystemClock
from anka_runtime.settings import load
from support.discoverable_api import DiscoverableApi
from support.objects import FINALIZER, instance, node, template


class Assembled:
    def __init__(self, api: DiscoverableApi, client: KubeClient, *flags: str) -> None:
        self.api = api
        self.clock = SystemClock()
        self.cluster = AnkaCluster(client)
        self.failures = FailureHandler()
        self.settings = load(OperatorSettings, "anka-operator", ["--identity=operator-1", *flags])


SWITCHED = {"macaddresspools", "permissiongroups"}


@asynccontextmanager
async def assemble(*flags: str) -> AsyncIterator[Assembled]:
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(DiscoverableApi().serve())
        client = await stack.enter_async_context(KubeClient(Endpoint(api.url)))
        made = Assembled(api, client, *flags)
        await stack.enter_async_context(watch_cluster(made.cluster, made.failures, made.settings, made.clock))
        await made.cluster.wait_synced()
        await api.until(lambda: api.open_streams == len(made.cluster.sources) + 1)
        yield made


@pytest.fixture
async def assembled() -> AsyncIterator[Assembled]:
    """With all that can be switched on."""
    async with assemble("--manage-mac-addresses", "--enable-resource-permissions") as made:
        yield made


async def test_every_store_has_one_source(assembled: Assembled) -> None:
    stores = vars(assembled.cluster.stores).values()
    kinds = [source.resource.plural for source in assembled.cluster.sources]
    assert sorted(kinds) == sorted(store.resource.plural for store in stores)


async def test_what_is_off_is_not_watched() -> None:
    """Nor needs it any right, or a kind that an older installation has not."""
    async with assemble() as made:
        assert SWITCHED.isdisjoint(source.resource.plural for source in made.cluster.sources)
        async with run_controllers(made.cluster, made.failures, made.settings, made.clock):
            made.api.put("nodegroups", "ios", "", spec={})
            await made.cluster.stores.groups.wait_for(
                lambda store: (group := store.get("ios")) is not None and group.status.conditions, 10
            )
        assert not [seen for seen in made.api.seen if any(kind in seen.path for kind in SWITCHED)]


async def test_every_kind_is_watched_once(assembled: Assembled) -> None:
    """Only the failures of instances are a second watch, of the few that the server selects."""
    watches = [seen for seen in assembled.api.seen if seen.verb == "watch"]
    whole = Counter(seen.path.rpartition("/")[2] for seen in watches if "fieldSelector" not in seen.query)
    assert set(whole.values()) == {1}
    selected = [(seen.path, seen.query["fieldSelector"]) for seen in watches if "fieldSelector" in seen.query]
    assert selected == [(INSTANCES.path(), FAILED_ONLY)]


async def test_a_process_that_does_not_lead_writes_nothing(assembled: Assembled) -> None:
    assembled.api.put("nodegroups", "ios", "", spec={})
    await assembled.cluster.stores.groups.wait_for(lambda store: store.get("ios"), 10)
    assert {seen.verb for seen in assembled.api.seen} == {"list", "watch"}


async def test_the_leader_works_and_reports_failures(assembled: Assembled) -> None:
    assembled.api.put("nodegroups", "ios", "", spec={})
    async with run_controllers(assembled.cluster, assembled.failures, assembled.settings, assembled.clock):
        assert assembled.failures.recorder is not None
        await assembled.cluster.stores.groups.wait_for(
            lambda store: (group := store.get("ios")) is not None and group.status.conditions, 10
        )
    assert assembled.failures.recorder is None


async def test_a_new_leader_binds_before_all_else(assembled: Assembled) -> None:
    """Its controllers look at everything there is when they begin: instances have waited for long enough."""
    api, stores = assembled.api, assembled.cluster.stores
    for kind, obj in (("ankatemplates", template()), ("ankanodes", node(holds=("v2",)))):
        fields = obj.to_api()
        api.put(kind, obj.metadata.name, "", spec=fields["spec"], status=fields["status"])
    api.put("nodegroups", "ios", "", spec={})
    for name in ("one", "two"):
        api.put(
            "ankainstances", name, "default", spec=instance().to_api()["spec"], metadata={"finalizers": [FINALIZER]}
        )
    await stores.nodes.wait_for(lambda store: store.get("mac-1"), 10)
    await stores.groups.wait_for(lambda store: store.get("ios"), 10)
    await stores.templates.wait_for(lambda store: list(store), 10)
    await stores.instances.wait_for(lambda store: len(store) == 2 or None, 10)
    async with run_controllers(assembled.cluster, assembled.failures, assembled.settings, assembled.clock):
        await stores.groups.wait_for(lambda store: (one := store.get("ios")) is not None and one.status.conditions, 10)
    writes = [seen.path.split("/")[-3] for seen in api.seen if seen.verb in ("create", "update", "patch")]
    assert writes[:2] == ["ankainstances"] * 2
    assert "nodegroups" in writes[2:]


async def test_who_leads_a_second_time_does_everything_once(assembled: Assembled) -> None:
    """Controllers of a term that is over react to nothing: each would do the work of the others again."""

    def followers() -> dict[str, int]:
        return {store.resource.plural: len(store._callbacks) for store in vars(assembled.cluster.stores).values()}

    standby, terms = followers(), []
    for _ in range(2):
        async with run_controllers(assembled.cluster, assembled.failures, assembled.settings, assembled.clock):
            terms.append(followers())
        assert followers() == standby
    assert terms[0] == terms[1]
    assert all(number > standby[kind] for kind, number in terms[0].items())


async def test_who_no_longer_leads_shows_nothing_of_the_cloud(assembled: Assembled) -> None:
    def depth() -> float | None:
        return REGISTRY.get_sample_value("anka_operator_queue_depth")

    assembled.api.put("nodegroups", "ios", "", spec={})
    async with run_controllers(assembled.cluster, assembled.failures, assembled.settings, assembled.clock):
        await assembled.cluster.stores.groups.wait_for(
            lambda store: (group := store.get("ios")) is not None and group.status.conditions, 10
        )
        assert depth() == 0
    assert depth() is None
