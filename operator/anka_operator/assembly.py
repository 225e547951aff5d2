"""The parts of the operator: the sources of its stores, and the leader's controllers."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

from anka_crds.resources import INSTANCES
from anka_kube.comparison import WatchComparison
from anka_kube.reflector import Reflector
from anka_kube.resource import Selection
from anka_operator import metrics
from anka_operator.access_secret.controller import AccessSecretController
from anka_operator.accounts.controller import AccountCleanup
from anka_operator.agent_updates.controller import RolloutController
from anka_operator.assigned_work.controller import AssignedWorkController
from anka_operator.cluster.access import AnkaCluster
from anka_operator.cluster.addresses import follow_addresses
from anka_operator.distributions.controller import DistributionController
from anka_operator.events.recorder import EventRecorder
from anka_operator.groups.controller import GroupController
from anka_operator.instances.cleanup import InstanceCleanup
from anka_operator.instances.handler import FAILED_ONLY, FailureHandler
from anka_operator.instances.lifetimes import InstanceLifetimes
from anka_operator.kept_templates.controller import TemplateRetention
from anka_operator.kopf_watch.feed import KopfFeed
from anka_operator.kopf_watch.runner import KopfRunner
from anka_operator.mac_pools.conflicts import AddressConflicts
from anka_operator.mac_pools.controller import MacPoolController
from anka_operator.monitoring.collector import FLEET
from anka_operator.monitoring.outcomes import OutcomeCounter
from anka_operator.nodes.controller import NodeController
from anka_operator.registry_view.view import RegistryView
from anka_operator.saves.controller import SaveController
from anka_operator.scheduling.controller import SchedulingController
from anka_operator.scheduling.refusals import RefusalController
from anka_operator.scheduling.wait_reasons import WaitReasonReporter
from anka_operator.secret_grants.controller import SecretGrantController
from anka_operator.settings import OperatorSettings
from anka_operator.templates.controller import TemplateController
from anka_registry.access import make_access
from anka_registry.client import RegistryClient
from anka_runtime.background import Background, child_tasks
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.1
"""How long a heartbeat may wait for others: 1,000 Macs send a hundred a second, and silence is noticed after 40 s."""

FIRST_BINDS_SECONDS = 2.0
"""How long a new leader binds before it begins with everything else."""


@asynccontextmanager
async def watch_cluster(
    cluster: AnkaCluster,
    failures: FailureHandler,
    settings: OperatorSettings,
    clock: Clock,
    take_signals: Callable[[], None] = lambda: None,
) -> AsyncIterator[None]:
    """Fill the stores and keep them current in this block, whether this process leads or not.

    Each kind has one source: reflectors where many objects change quickly, kopf for all others (decision 0014).
    """
    client, stores = cluster.client, cluster.stores
    pools = (KopfFeed(stores.pools, clock),) if settings.manage_mac_addresses else ()
    permission_groups = (KopfFeed(stores.permission_groups, clock),) if settings.enable_resource_permissions else ()
    reflectors = (
        Reflector(client, stores.instances, clock=clock),
        Reflector(
            client,
            stores.leases,
            selection=Selection(settings.node_namespace),
            gather_seconds=GATHER_SECONDS,
            clock=clock,
        ),
    )
    feeds = (
        KopfFeed(stores.nodes, clock),
        KopfFeed(stores.groups, clock),
        KopfFeed(stores.templates, clock),
        KopfFeed(stores.distributions, clock),
        KopfFeed(stores.saves, clock),
        *pools,
        *permission_groups,
    )
    runner = KopfRunner(
        client,
        feeds,
        identity=settings.identity,
        register=failures.register,
        field_selectors={INSTANCES: FAILED_ONLY},
        take_signals=take_signals,
    )
    cluster.add_sources((*reflectors, *feeds))
    comparisons = (
        WatchComparison(client, stores.leases, selection=Selection(settings.node_namespace)),
        *(WatchComparison(client, source.store) for source in (reflectors[0], *feeds)),
    )
    async with AsyncExitStack() as running:
        if settings.manage_mac_addresses:
            running.callback(follow_addresses(stores, cluster.addresses, clock))
        tasks: list[Background] = [*reflectors, runner, *comparisons]
        for task in tasks:
            await running.enter_async_context(task)
        yield


@asynccontextmanager
async def run_controllers(
    cluster: AnkaCluster, failures: FailureHandler, settings: OperatorSettings, clock: Clock
) -> AsyncIterator[None]:
    """Run the leader's controllers in this block. It begins when the stores are current. Raises ApiError."""
    await cluster.wait_synced()
    recorder = EventRecorder(cluster, clock, identity=settings.identity)
    async with AsyncExitStack() as running:
        running.callback(metrics.forget_cloud)  # last of all: a controller may set them until it ends
        registry = None
        if settings.registry_read_url:
            client = RegistryClient(settings.registry_read_url, access=make_access(settings, clock))
            registry = await running.enter_async_context(client)
        grants = SecretGrantController(cluster, clock, node_namespace=settings.node_namespace)
        view = RegistryView(cluster.stores.templates, registry, list_seconds=settings.registry_seconds)
        for needed_by_binds in (view, grants):
            await running.enter_async_context(needed_by_binds)
        scheduling = SchedulingController(
            cluster,
            clock,
            view,
            registry_url=settings.registry_url,
            around_bind=grants.grant_before_bind,
            placement=settings.placement,
            enforces_permissions=settings.enable_resource_permissions,
        )
        running.push_async_exit(scheduling)
        async with child_tasks(cluster.catch_up()) as (catching_up,):
            # While the API answers: what it brings gets there as any other change does.
            await scheduling.state.load()
            await catching_up
        running.callback(OutcomeCounter(cluster.stores).close)
        running.callback(FLEET.start(cluster.stores, scheduling.state, clock))
        failures.recorder = recorder
        running.callback(setattr, failures, "recorder", None)
        await scheduling.__aenter__()
        # Instances have waited for the next leader for long enough; nobody waits for the first look of all others.
        await scheduling.wait_for_rest(FIRST_BINDS_SECONDS)
        for controller in make_others(cluster, settings, clock, recorder, view, scheduling):
            await running.enter_async_context(controller)
            await asyncio.sleep(0)  # each begins with a look at everything: renewing the Lease comes in between
        log.info("at work", extra={"instances": len(cluster.stores.instances), "nodes": len(cluster.stores.nodes)})
        yield


def make_others(
    cluster: AnkaCluster,
    settings: OperatorSettings,
    clock: Clock,
    recorder: EventRecorder,
    view: RegistryView,
    scheduling: SchedulingController,
) -> Iterator[Background]:
    """The controllers beside scheduling, each made when the one before it has begun."""
    lost_seconds, registry_url = settings.node_lost_seconds, settings.registry_url
    node_namespace, enforces = settings.node_namespace, settings.enable_resource_permissions
    yield NodeController(
        cluster, clock, recorder, node_namespace=node_namespace, duration_seconds=settings.heartbeat_seconds
    )
    yield AccountCleanup(cluster, clock, node_namespace=node_namespace, joining_namespace=settings.joining_namespace)
    yield GroupController(cluster, clock)
    templates = TemplateController(cluster, clock, view)
    yield templates
    yield DistributionController(
        cluster,
        clock,
        view,
        lost_seconds=lost_seconds,
        registry_url=registry_url,
        enforces_permissions=enforces,
    )
    yield AssignedWorkController(cluster, clock)
    yield TemplateRetention(cluster, clock, view, registry_url=registry_url)
    yield SaveController(cluster, clock, view, templates, lost_seconds=lost_seconds, registry_url=registry_url)
    yield RolloutController(cluster, clock, limit=settings.agent_updates, failures=settings.agent_update_failures)
    yield InstanceCleanup(cluster, clock, recorder, lost_seconds=lost_seconds)
    yield InstanceLifetimes(cluster, clock, recorder)
    yield WaitReasonReporter(cluster, scheduling, clock, recorder)
    yield RefusalController(cluster, scheduling, clock, recorder)
    if settings.manage_mac_addresses:
        yield MacPoolController(cluster, clock)
        yield AddressConflicts(cluster, clock)
    if settings.make_access_secret:
        yield AccessSecretController(cluster, clock, namespace=settings.namespace)
