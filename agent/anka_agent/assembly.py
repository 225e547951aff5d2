"""The parts of a running agent and their dependencies. Nothing runs here."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from anka_agent.anka.cli import AnkaCli
from anka_agent.central_logs.spec_secrets import follow_instances, follow_saves
from anka_agent.distributions.controller import TemplateJobController
from anka_agent.distributions.worker import JobTracker, TemplateJobWorker
from anka_agent.identity.machine import MachineIdentity
from anka_agent.instances.controller import InstanceController
from anka_agent.instances.monitor import VmMonitor
from anka_agent.instances.orphans import Orphans
from anka_agent.instances.recovery import CheckMac
from anka_agent.instances.worker import WorkerFactory
from anka_agent.jobs.journal import Journal
from anka_agent.mac import hardware as host
from anka_agent.mac.facts import MacFacts
from anka_agent.mac.inventory import Inventory
from anka_agent.mac.mac_host import MacHost
from anka_agent.mac.pull_admission import PullAdmission
from anka_agent.mac.pulls import TemplatePuller
from anka_agent.mac.start_backoff import StartBackoff
from anka_agent.mac.tag_journal import TagJournal
from anka_agent.mac.templates import TemplateCache
from anka_agent.node.events import NodeEvents
from anka_agent.node.fleet import FleetSize
from anka_agent.node.heartbeat_pace import heartbeat_seconds
from anka_agent.node.reporter import NodeReporter
from anka_agent.node.usage import annotate_usage
from anka_agent.node.view import NodeView, owner_reference
from anka_agent.plan.distribution import TemplateJob
from anka_agent.plan.eviction import Need, list_needs
from anka_agent.saves.queue import make_save_store
from anka_agent.settings import AgentSettings
from anka_agent.steps.instance import InstanceSteps
from anka_agent.steps.power import PowerSteps
from anka_agent.steps.save import SaveSteps, StepSet
from anka_agent.steps.secrets import SecretReader
from anka_agent.update.updater import Updater, UpdateState
from anka_agent.update.versions import Versions
from anka_crds.api import AnkaInstance, AnkaNode, TemplateDistribution
from anka_crds.api.defaults import NODE_LOST_SECONDS
from anka_crds.resources import DISTRIBUTIONS, INSTANCES, NODES
from anka_crds.rules.assignment import concerns_agent, find_unfinished
from anka_crds.rules.challenger import Challenger
from anka_kube.api_clock import ApiClock
from anka_kube.cached_client import CachedClient
from anka_kube.client import KubeClient
from anka_kube.comparison import WatchComparison
from anka_kube.heartbeat import LeaseHeartbeat
from anka_kube.lease import Lease
from anka_kube.lease_claim import LeaseClaim
from anka_kube.on_demand import OnDemandWatch
from anka_kube.reflector import Reflector
from anka_kube.resource import ALL, M, Selection
from anka_kube.store import Store
from anka_kube.writer import Fence, Writer
from anka_registry.central_logs.secret_filter import SecretFilter
from anka_runtime.background import Background
from anka_runtime.backoff import system_random
from anka_runtime.clock import Clock

COMPARE_SECONDS = 900.0
"""Each comparison makes the apiserver look through all instances for those of one Mac, and there are many Macs."""
WATCH_SECONDS = 2700.0
"""How long a stream lasts, 20 % more or less. A token that has expired ends none; a dead connection is noticed by its
silence long before."""


@dataclass(frozen=True)
class Process:
    """The parts that need nothing from the API. `report_due`: set when the node's status is out of date."""

    settings: AgentSettings
    identity: MachineIdentity
    client: KubeClient
    clock: ApiClock
    anka: AnkaCli
    facts: MacFacts
    report_due: asyncio.Event
    secrets: SecretFilter
    """Learns every secret before it is used."""


def find_address(process: Process) -> str | None:
    """Address of this Mac as it is now; None without a network. Blocking."""
    return process.settings.host or host.address_towards(process.client.endpoint.server)


class ClusterAccess:
    """What this Mac sees of the cluster: its own node and its instances; its saves and all distributions while there
    are any for it (decision 22). `fence`: what every write has to pass. `has_begun_saves`: some that the agent before
    this one began have not ended, so this one has to see them, whatever its node says."""

    def __init__(self, process: Process, joined: AnkaNode, fence: Fence, *, has_begun_saves: bool) -> None:
        client, clock = process.client, process.clock
        name = joined.metadata.name
        self.selector = f"status.nodeName={name}"
        nodes: Store[AnkaNode] = Store(NODES)
        nodes.apply_written(joined)
        instances: Store[AnkaInstance] = Store(INSTANCES)
        self.distributions: Store[TemplateDistribution] = Store(DISTRIBUTIONS)
        self.instances = CachedClient(client, instances, fence=fence)
        self.saves = CachedClient(client, make_save_store(), fence=fence)
        self.node_writer = Writer(client, NODES, nodes, fence=fence)
        follow_instances(instances, process.secrets)
        follow_saves(self.saves.store, process.secrets)
        self.node = NodeView(nodes, joined, lambda: find_address(process))
        self.fleet = fleet = FleetSize(client)

        def watch(store: Store[M], selection: Selection, *, prompt: bool = False) -> Reflector[M]:
            return Reflector(
                client,
                store,
                selection=selection,
                server_timeout_seconds=WATCH_SECONDS,
                spread=fleet.spread(prompt=prompt),
                clock=clock,
            )

        def compare(store: Store[M], selection: Selection) -> WatchComparison[M]:
            return WatchComparison(client, store, selection=selection, interval_seconds=COMPARE_SECONDS, page_size=0)

        def is_here(uid: str) -> bool:
            return instances.by_uid(uid) is not None

        itself, ours = Selection(field_selector=f"metadata.name={name}"), Selection(field_selector=self.selector)
        saves = self.saves.store
        self.node_watch = watch(nodes, itself)
        self.instance_watch = watch(instances, ours, prompt=True)
        self.comparisons: list[Background] = [compare(nodes, itself), compare(instances, ours)]
        self.save_watch = OnDemandWatch(
            lambda: watch(saves, ours),
            compare(saves, ours),
            is_wanted=lambda: self.node.assigned.saves is not False,
            is_in_use=lambda: any(concerns_agent(save, is_here) for save in saves),
            stores=(nodes, instances),
            must_look=has_begun_saves,
        )
        self.distribution_watch = OnDemandWatch(
            lambda: watch(self.distributions, ALL),
            compare(self.distributions, ALL),
            is_wanted=lambda: self.node.assigned.distributions is not False,
            is_in_use=lambda: any(find_unfinished(one, name) for one in self.distributions),
            stores=(nodes,),
        )

    def has_fresh_instances(self) -> bool:
        return self.instance_watch.synced.is_set() and self.instance_watch.connected


@dataclass(frozen=True)
class Parts:
    """What the supervisor runs."""

    cluster: ClusterAccess
    mac: MacHost
    heartbeat: LeaseHeartbeat
    reporter: NodeReporter
    instances: InstanceController
    monitor: VmMonitor | None
    distributions: TemplateJobController
    updater: Updater


def assemble(
    process: Process, joined: AnkaNode, claimed: Lease | None, *, launched: bool, leave: Callable[[], None]
) -> Parts:
    """`joined`: the AnkaNode of this Mac. `claimed`: its Lease, which this Mac may take. `launched`: a launcher runs
    this process, which can start other versions. `leave`: ends this process so that another version is started."""
    settings, clock = process.settings, process.clock
    heartbeat = _make_heartbeat(process, joined, claimed)
    journal = Journal(settings.state_dir / "instances")
    cluster = ClusterAccess(process, joined, heartbeat.check_held, has_begun_saves=journal.has_unfinished_saves())
    tracker = JobTracker(process.report_due)
    update = UpdateState(process.report_due, joined.status.agent_update)
    mac = _make_mac(process, cluster, journal, tracker)
    heartbeat.annotate = lambda: annotate_usage(mac, settings.state_dir)
    heartbeat.pace = lambda: heartbeat_seconds(settings.heartbeat, settings.lease_duration, cluster.fleet.macs)
    reporter = NodeReporter(
        cluster.node_writer,
        cluster.node,
        mac,
        tracker.report,
        update.report,
        disk=settings.state_dir,
        hardware_uuid=process.identity.hardware_uuid,
        clock=clock,
        due=process.report_due,
    )
    updater = Updater(
        cluster.node,
        Versions(settings.state_dir / "versions"),
        update,
        package_url=settings.package_url,
        package_key=settings.package_key,
        launched=launched,
        is_reported=reporter.is_healthy,
        leave=leave,
    )
    instances = _make_instance_controller(process, cluster, mac, journal, heartbeat, reporter.check)
    return Parts(
        cluster,
        mac,
        heartbeat,
        reporter,
        instances,
        _make_monitor(process, cluster, mac, instances),
        _make_distribution_controller(cluster, mac, tracker, clock),
        updater,
    )


def make_claim(process: Process, joined: AnkaNode) -> LeaseClaim:
    """The claim of this Mac to be this node."""
    settings, name, clock = process.settings, joined.metadata.name, process.clock

    def describe() -> str:
        found = Challenger(host_name=host.host_name(), address=find_address(process), at=clock.now())
        return found.model_copy(update={"hardware_uuid": process.identity.hardware_uuid}).to_annotation()

    return LeaseClaim(
        process.client,
        settings.lease_namespace,
        name,
        process.identity.holder(name),
        duration_seconds=settings.lease_duration,
        look_seconds=settings.heartbeat,
        given_up_seconds=NODE_LOST_SECONDS,
        describe=describe,
        clock=clock,
    )


def _make_heartbeat(process: Process, joined: AnkaNode, claimed: Lease | None) -> LeaseHeartbeat:
    settings, name = process.settings, joined.metadata.name
    return LeaseHeartbeat(
        process.client,
        settings.lease_namespace,
        name,
        process.identity.holder(name),
        claimed=claimed,
        duration_seconds=settings.lease_duration,
        renew_seconds=settings.heartbeat,
        owner_reference=owner_reference(joined),
        clock=process.clock,
    )


def _make_mac(process: Process, cluster: ClusterAccess, journal: Journal, tracker: JobTracker) -> MacHost:
    settings, anka, clock, due = process.settings, process.anka, process.clock, process.report_due
    inventory = Inventory(anka, cluster.node.spec.vm_prefix, journal.owners)
    tag_journal = TagJournal(settings.state_dir / "templates.json")
    templates = TemplateCache(anka, inventory, tag_journal, clock=clock, report_due=due)

    def needs() -> list[Need]:
        kept = cluster.node.rule_templates
        return list_needs(cluster.instances.store, cluster.saves.store, kept, tracker.list_unfinished())

    def reserve() -> int:
        return host.disk_bytes(settings.state_dir) * cluster.node.spec.reserve_space_percent // 100

    events = NodeEvents(process.client, cluster.node, clock)
    admission = PullAdmission(anka, inventory, templates, needs, reserve, events.record)
    puller = TemplatePuller(anka, templates, admission.admit)
    slots = asyncio.Semaphore(settings.num_workers)
    return MacHost(
        anka, inventory, templates, puller, process.facts, slots, StartBackoff(templates, clock, due, system_random)
    )


def _make_steps(process: Process, cluster: ClusterAccess, mac: MacHost, journal: Journal) -> StepSet:
    settings, clock = process.settings, process.clock
    secrets = SecretReader(process.client, process.secrets.learn, timeout=settings.secret_timeout, clock=clock)
    power = PowerSteps(mac, cluster.instances, journal, secrets)
    instance = InstanceSteps(
        mac, cluster.node, cluster.instances, journal, secrets, network_timeout=settings.network_timeout, clock=clock
    )
    return StepSet(instance, power, SaveSteps(mac, instance, power, journal))


def _make_instance_controller(
    process: Process,
    cluster: ClusterAccess,
    mac: MacHost,
    journal: Journal,
    heartbeat: LeaseHeartbeat,
    check_mac: CheckMac,
) -> InstanceController:
    instances, saves = cluster.instances, cluster.saves
    steps = _make_steps(process, cluster, mac, journal)
    factory = WorkerFactory(
        instances, saves, mac, cluster.node, journal, steps, process.clock, heartbeat.check_held, check_mac
    )

    def knows_instances() -> bool:
        return heartbeat.is_held and cluster.has_fresh_instances()

    orphans = Orphans(instances, mac.anka, mac.inventory, journal, cluster.selector, knows_instances)
    return InstanceController(instances.store, saves.store, mac.inventory, cluster.node, orphans, factory.create)


def _make_monitor(
    process: Process, cluster: ClusterAccess, mac: MacHost, controller: InstanceController
) -> VmMonitor | None:
    settings = process.settings
    if not settings.enable_vm_monitor:
        return None
    return VmMonitor(
        cluster.instances.store,
        mac.anka,
        mac.inventory,
        controller.find_worker,
        process.clock,
        delay=settings.vm_stuck_delay,
        timeout=settings.vm_stuck_timeout,
    )


def _make_distribution_controller(
    cluster: ClusterAccess, mac: MacHost, tracker: JobTracker, clock: Clock
) -> TemplateJobController:
    def create(job: TemplateJob) -> TemplateJobWorker:
        return TemplateJobWorker(job, mac, cluster.instances.store, cluster.node, tracker, clock)

    return TemplateJobController(cluster.distributions, cluster.node, mac.inventory, mac.templates, tracker, create)
