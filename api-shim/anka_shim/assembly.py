"""All objects of the process, and how they are connected. A new resource adds its commands here."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_registry.access import make_access
from anka_registry.client import RegistryClient
from anka_runtime.clock import Clock
from anka_runtime.health import HealthChecks
from anka_runtime.secret_file import SHORTEST_TOKEN, SecretFile
from anka_runtime.tls_files import TlsFiles
from anka_shim import metrics
from anka_shim.access.api_keys import ApiKeyCatalog
from anka_shim.access.browser_session import BrowserSessions
from anka_shim.access.client_certificates import ClientCertificates
from anka_shim.access.group_rights import GroupRights
from anka_shim.access.handshake import Handshake
from anka_shim.access.kubernetes.access_review import AccessReviewRights
from anka_shim.access.kubernetes.reviewer import KubernetesReviewer
from anka_shim.access.kubernetes.token_review import TokenReviewAuthenticator
from anka_shim.access.login_limiter import LoginLimiter
from anka_shim.access.oidc.authenticator import OidcAuthenticator
from anka_shim.access.oidc.claims import ClaimRules
from anka_shim.access.oidc.code_flow import CodeFlow, CodeFlowRules
from anka_shim.access.oidc.provider import OidcProvider
from anka_shim.access.policy import RequiredAccess
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.access.root_token import RootTokenCredential
from anka_shim.access.seal_file import SealFile
from anka_shim.access.trusted_proxies import TrustedProxies
from anka_shim.api_key.commands import ApiKeyCommands
from anka_shim.api_key.sweep import ApiKeySweep
from anka_shim.distribution.commands import DistributionCommands
from anka_shim.group.commands import GroupCommands
from anka_shim.http.application import build
from anka_shim.http.authentication import AccessPolicy, Gate, OpenAccess
from anka_shim.http.body_budget import BodyBudget
from anka_shim.http.cross_origin import CrossOriginPolicy, parse_origins
from anka_shim.http.edge import Edge
from anka_shim.http.methods import ImpliedMethods
from anka_shim.http.origin import OriginPolicy
from anka_shim.http.rate import RateLimit
from anka_shim.http.simple_reads import SimpleReads
from anka_shim.image.commands import SaveCommands
from anka_shim.logs.central_logs import CentralLogs
from anka_shim.node.commands import NodeCommands
from anka_shim.node.heartbeats import NodeHeartbeats
from anka_shim.node.views import NodeViews
from anka_shim.permission.commands import PermissionCommands
from anka_shim.portal.detail.event_reader import EventReader
from anka_shim.portal.event_log.reader import EventLogReader
from anka_shim.portal.explain.explainer import Explainer
from anka_shim.portal.history.recorder import HistoryRecorder
from anka_shim.portal.history.sampler import HistorySampler
from anka_shim.portal.join.commands import JoinCommands
from anka_shim.portal.pages.entrance import BrowserEntrance
from anka_shim.portal.session.logins import PortalLogins
from anka_shim.portal.session.visitor import PortalAccess
from anka_shim.portal.stream.budget import TabBudget
from anka_shim.portal.stream.feeds import RowSources, make_feeds
from anka_shim.portal.stream.freshness import Freshness
from anka_shim.portal.stream.heartbeats import ShownHeartbeats
from anka_shim.portal.stream.hub import StreamHub
from anka_shim.replicas.barrier import PeerBarrier
from anka_shim.replicas.client import PeerClient
from anka_shim.replicas.peer_key import PeerKey
from anka_shim.replicas.peers import Peers
from anka_shim.replicas.used_secrets import UsedSecrets
from anka_shim.routers import ROUTER
from anka_shim.settings import ShimSettings
from anka_shim.stats.tracker import BindTracker
from anka_shim.store.caches import Stores, Watches
from anka_shim.store.object_writer import ObjectWriter
from anka_shim.store.registry_reader import RegistryReader
from anka_shim.store.registry_watch import RegistryWatch, watch_registry
from anka_shim.store.storage_budget import StorageBudget
from anka_shim.store.writes import WriteCoordinator
from anka_shim.template.commands import TemplateCommands
from anka_shim.vm.commands import InstanceCommands
from anka_shim.vm.idempotency import IdempotentCreates
from anka_shim.vm.queue_budget import QueueBudget
from anka_shim.vm.rollback import Rollback
from anka_shim.vm.views import InstanceViews
from anka_shim.vm.writer import InstanceWriter

ROLLBACK_SECONDS = 10.0
"""How long shutdown waits for the removal of instances of failed requests."""


@dataclass(frozen=True)
class Services:
    """The objects that endpoints use: `inject` finds each by its type."""

    settings: ShimSettings
    clock: Clock
    health: HealthChecks
    stores: Stores
    watches: Watches
    resource_rights: ResourceRights
    instance_views: InstanceViews
    node_views: NodeViews
    node_heartbeats: NodeHeartbeats
    instances: InstanceCommands
    nodes: NodeCommands
    groups: GroupCommands
    templates: TemplateCommands
    distributions: DistributionCommands
    images: SaveCommands
    logs: CentralLogs
    registry: RegistryWatch
    reader: RegistryReader
    peers: Peers
    api_keys: ApiKeyCommands
    permissions: PermissionCommands
    handshake: Handshake
    used_secrets: UsedSecrets
    kubernetes_tokens: TokenReviewAuthenticator
    kubernetes_rights: AccessReviewRights
    oidc_tokens: OidcAuthenticator | None
    code_flow: CodeFlow | None
    root_token: RootTokenCredential | None
    browsers: BrowserSessions
    login_limiter: LoginLimiter
    peer_key: PeerKey
    binds: BindTracker
    explainer: Explainer
    event_reader: EventReader
    event_log: EventLogReader
    history: HistoryRecorder
    joining: JoinCommands
    hub: StreamHub
    tabs: TabBudget


@contextlib.asynccontextmanager
async def services(
    settings: ShimSettings, endpoint: Endpoint, health: HealthChecks, clock: Clock | None = None
) -> AsyncIterator[Services]:
    """Run everything in the background while the block lasts. Returns at once: the caches fill later."""
    async with contextlib.AsyncExitStack() as stack:
        api_clock = ApiClock(clock)
        client = await stack.enter_async_context(KubeClient(endpoint, api_clock, user_agent="anka-shim"))
        clock = clock or api_clock
        registry_client = None
        if settings.registry_read_url:
            connection = RegistryClient(settings.registry_read_url, access=make_access(settings, clock))
            registry_client = await stack.enter_async_context(connection)
        registry = await stack.enter_async_context(watch_registry(registry_client, settings.registry_url))
        reader = RegistryReader(registry_client)
        stack.callback(reader.close)
        stores = Stores(
            settings.namespace,
            with_api_keys=settings.enable_api_keys,
            with_permission_groups=settings.enable_authorization,
            with_mac_pools=settings.manage_mac_addresses,
        )
        rights = ResourceRights(stores, is_on=settings.enable_resource_permissions)
        instance_views = InstanceViews(
            stores,
            clock,
            registry=settings.registry_url or "",
            terminated_seconds=settings.terminated_seconds,
            rights=rights,
        )
        binds = BindTracker(stores.instances, clock)
        node_heartbeats = NodeHeartbeats(client, settings.node_namespace, clock)
        node_views = NodeViews(stores, node_heartbeats, rights)
        budget = StorageBudget(
            (
                stores.instances,
                stores.saves,
                stores.distributions,
                stores.groups,
                stores.api_keys,
                stores.permission_groups,
            ),
            settings.max_stored_bytes,
        )
        queue = QueueBudget(stores, settings.max_waiting, settings.max_waiting_per_client)
        watches = await stack.enter_async_context(Watches(client, stores))
        peer_key = PeerKey(settings.peer_key_file, clock)
        transport = await stack.enter_async_context(
            PeerClient(settings.peer_seconds, peer_key, tls=settings.tls_cert_file is not None)
        )
        peers = await stack.enter_async_context(Peers(settings.peer_addresses, transport))
        writes = WriteCoordinator(
            settings.write_seconds, PeerBarrier(peers, settings.peer_seconds), batch_seconds=settings.batch_seconds
        )
        rollback = Rollback(client, stores.instances)
        stack.push_async_callback(rollback.close, ROLLBACK_SECONDS)
        creates = IdempotentCreates(client, stores, instance_views.find_gone, clock, namespace=settings.namespace)
        writer = InstanceWriter(
            client,
            stores.instances,
            namespace=settings.namespace,
            writes=writes,
            creates=creates,
            rollback=rollback,
            inline_bytes=settings.inline_script_bytes,
        )
        instances = ObjectWriter(client, stores.instances, writes, budget)
        nodes = ObjectWriter(client, stores.nodes, writes, budget)
        seal_keys = SealFile(settings.seal_key_file, clock).keys
        used_secrets = UsedSecrets(peers, clock, settings.peer_seconds)
        key_catalog = ApiKeyCatalog(stores, watches, clock)
        handshake = Handshake(
            key_catalog,
            seal_keys,
            clock,
            used_secrets,
            session_seconds=settings.api_key_session_seconds,
        )
        if settings.enable_api_keys:
            await stack.enter_async_context(ApiKeySweep(client, stores, clock, settings.api_key_sweep_seconds))
        reviewer = KubernetesReviewer(client, settings.write_seconds)
        kubernetes_tokens = TokenReviewAuthenticator(reviewer, clock, audience=settings.token_audience)
        stack.push_async_callback(kubernetes_tokens.close)
        root_token = None
        if settings.enable_auth and settings.root_token_file is not None:
            root_token = RootTokenCredential(SecretFile(settings.root_token_file, clock, shortest=SHORTEST_TOKEN))
        browsers = BrowserSessions(
            seal_keys,
            clock,
            root=root_token,
            api_keys=key_catalog if settings.enable_api_keys else None,
            tokens=kubernetes_tokens if settings.enable_kubernetes_tokens else None,
        )
        oidc_tokens, code_flow = await _start_oidc(settings, seal_keys, browsers, clock, stack)
        kubernetes_rights = AccessReviewRights(
            reviewer,
            clock,
            namespace=settings.namespace,
            narrowed=(settings.node_namespace, settings.joining_namespace),
        )
        stack.push_async_callback(kubernetes_rights.close)
        logs = CentralLogs(registry_client, settings.namespace)
        history = HistoryRecorder(stores, node_heartbeats, clock, rights)
        if settings.portal:
            await stack.enter_async_context(HistorySampler(history, watches.missing_caches))
        explainer = Explainer(
            stores, clock, settings.placement, enforces_permissions=settings.enable_resource_permissions
        )
        stack.callback(explainer.close)
        shown = ShownHeartbeats(node_heartbeats)
        hub = StreamHub(stores.nodes, shown, Freshness(watches.reflectors, clock), clock)
        rows = RowSources(settings, stores, shown, registry, binds, peers, history.node_failures)
        hub.feeds = make_feeds(rows, hub.wake)
        if settings.portal:
            await stack.enter_async_context(hub)
        tabs = TabBudget(settings.portal_max_tabs, settings.portal_tabs_per_client)
        metrics.PORTAL_TABS.set_function(lambda: tabs.open)
        health.ready["caches"] = watches.missing_caches
        if settings.peer_addresses:
            health.ready["peers"] = peers.incomplete
        yield Services(
            settings=settings,
            clock=clock,
            health=health,
            stores=stores,
            watches=watches,
            resource_rights=rights,
            instance_views=instance_views,
            node_views=node_views,
            node_heartbeats=node_heartbeats,
            instances=InstanceCommands(
                stores, instance_views, writer, instances, reader, budget, queue, clock, settings, rights
            ),
            nodes=NodeCommands(stores, nodes, settings, rights),
            groups=GroupCommands(stores, ObjectWriter(client, stores.groups, writes, budget), nodes, rights),
            templates=TemplateCommands(
                registry_client,
                stores.templates,
                ObjectWriter(client, stores.templates, writes, budget),
                writes,
                follow_seconds=settings.write_seconds,
            ),
            distributions=DistributionCommands(
                stores, ObjectWriter(client, stores.distributions, writes, budget), reader, rights
            ),
            images=SaveCommands(
                stores,
                instance_views,
                ObjectWriter(client, stores.saves, writes, budget),
                reader,
                rights,
                settings.push_registry,
            ),
            logs=logs,
            registry=registry,
            reader=reader,
            peers=peers,
            api_keys=ApiKeyCommands(stores, ObjectWriter(client, stores.api_keys, writes, budget), clock),
            permissions=PermissionCommands(stores, ObjectWriter(client, stores.permission_groups, writes, budget)),
            handshake=handshake,
            used_secrets=used_secrets,
            kubernetes_tokens=kubernetes_tokens,
            kubernetes_rights=kubernetes_rights,
            oidc_tokens=oidc_tokens,
            code_flow=code_flow,
            root_token=root_token,
            browsers=browsers,
            login_limiter=LoginLimiter(clock),
            peer_key=peer_key,
            binds=binds,
            explainer=explainer,
            event_reader=EventReader(client),
            event_log=EventLogReader(logs),
            history=history,
            joining=JoinCommands(client, stores, settings),
            hub=hub,
            tabs=tabs,
        )


async def _start_oidc(
    settings: ShimSettings,
    seal_keys: Callable[[], list[bytes]],
    browsers: BrowserSessions,
    clock: Clock,
    stack: contextlib.AsyncExitStack,
) -> tuple[OidcAuthenticator | None, CodeFlow | None]:
    """For machines with a provider, for people where they log in with a browser."""
    if not settings.oidc_provider_url:
        return None, None
    tls = TlsFiles(settings.oidc_ca_file, None, None, clock) if settings.oidc_ca_file else None
    provider = await stack.enter_async_context(OidcProvider(settings.oidc_provider_url, clock, tls=tls))
    rules = ClaimRules(settings.oidc_accepted_audiences, settings.oidc_username_claim, settings.oidc_groups_claim)
    authenticator = OidcAuthenticator(provider, clock, url=settings.oidc_provider_url, rules=rules)
    stack.push_async_callback(authenticator.close)
    if settings.oidc_client_secret_file is None:
        return authenticator, None
    flow = CodeFlow(
        provider,
        browsers,
        seal_keys,
        SecretFile(settings.oidc_client_secret_file, clock, shortest=1).content,
        clock,
        CodeFlowRules(
            settings.site_url,
            settings.oidc_client_id,
            settings.oidc_scope_list,
            replace(rules, audiences=frozenset((settings.oidc_client_id,))),
        ),
    )
    return authenticator, flow


def access_policy(found: Services) -> AccessPolicy:
    settings = found.settings
    metrics.AUTHENTICATION.set(found.root_token is not None)
    if found.root_token is None:
        return OpenAccess()
    certificates = None
    if settings.client_ca_file is not None:
        certificates = ClientCertificates(
            settings.client_ca_file,
            settings.client_crl_file,
            found.clock,
            proxies=TrustedProxies(settings.proxy_addresses),
            header=settings.client_cert_header,
        )
    return RequiredAccess(
        found.root_token,
        found.login_limiter,
        handshake=found.handshake if settings.enable_api_keys else None,
        rights=GroupRights(found.stores, found.watches) if settings.enable_authorization else None,
        certificates=certificates,
        tokens=(found.kubernetes_tokens,) if settings.enable_kubernetes_tokens else (),
        kubernetes_rights=found.kubernetes_rights,
        oidc=found.oidc_tokens,
        browsers=found.browsers if settings.portal or found.code_flow is not None else None,
    )


def application(found: Services, policy: AccessPolicy | None = None) -> Edge:
    """Everything, ready to be served."""
    settings = found.settings
    bodies = BodyBudget(longest=settings.max_body_bytes, limit=settings.max_bodies_bytes)
    policy = policy or access_policy(found)
    access = PortalAccess(policy, settings, found.stores, found.resource_rights)
    logins = PortalLogins(policy, found.browsers, found.clock)
    api = build(ROUTER, (*vars(found).values(), access, logins), bodies=bodies)
    gate = Gate(ImpliedMethods(SimpleReads(api), api=api), api=api, policy=policy)
    return Edge(
        BrowserEntrance(gate) if settings.portal else gate,
        max_in_flight=settings.max_in_flight,
        access_log=settings.access_log,
        origins=OriginPolicy(settings.host_names),
        cross_origin=CrossOriginPolicy(parse_origins(settings.allow_cors)),
        rate_limit=RateLimit(settings.rate_limit) if settings.rate_limit else None,
    )
