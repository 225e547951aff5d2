"""Prometheus metrics of the REST API. `route` is the path of the endpoint, or "other"."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "anka_shim_requests_total", "Requests answered, by the envelope's status.", ["method", "route", "status", "code"]
)
LATENCY = Histogram(
    "anka_shim_request_seconds",
    "Time from a request's headers to the last byte of the answer.",
    ["method", "route"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IN_FLIGHT = Gauge("anka_shim_requests_in_flight", "Requests being worked on.")
LIMITED = Counter("anka_shim_requests_limited_total", "Requests refused because their client sent too many.")
AUTHENTICATION = Gauge(
    "anka_shim_authentication_enabled", "1 where only who logs in is answered, 0 where everybody may do everything."
)
REFUSED_LOGINS = Counter(
    "anka_shim_refused_logins_total",
    "Requests with credentials that are wrong, or limited: too many wrong ones came from the address.",
    ["reason"],
)
FAILED_TLS = Counter(
    "anka_shim_failed_tls_total",
    "Connections that ended before TLS was agreed on: of clients that speak none, or whose certificate is refused.",
)
CRL_EXPIRY = Gauge(
    "anka_shim_crl_expiry_timestamp_seconds",
    "When the first revocation list of --client-crl-file is out of date; 0 without one. Certificates are refused then.",
)
BUDGET_REFUSALS = Counter(
    "anka_shim_budget_refusals_total",
    "Requests refused because too much is stored (storage), asked for at once (request), or waits (queue, client).",
    ["budget"],
)
REJECTED = Counter(
    "anka_shim_requests_rejected_total", "Requests refused because too many, or too many bytes of them, were in flight."
)
CONNECTIONS = Gauge("anka_shim_connections", "Open connections of clients.")
CONNECTIONS_LIMITED = Counter(
    "anka_shim_connections_limited_total",
    "Connections beyond --max-connections (all) or --max-connections-per-client (client).",
    ["limit"],
)
PEERS = Gauge("anka_shim_peers", "Other replicas that writes wait for.")
PEER_MISSES = Counter("anka_shim_peer_misses_total", "Times that another replica was left out: silent, or behind.")
REFUSED_PEERS = Counter(
    "anka_shim_refused_peers_total", "Questions to this replica that were not signed as another replica signs them."
)
BARRIER_SECONDS = Histogram(
    "anka_shim_barrier_seconds",
    "Time that a write waited for the other replicas to see it.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
)
UNDONE = Counter("anka_shim_creations_undone_total", "Instances removed because their request failed as a whole.")
PROVIDER_READS = Counter(
    "anka_shim_oidc_reads_total", "Readings of what the OIDC provider publishes: ok or failed.", ["outcome"]
)
WEBSOCKET_MESSAGES = Counter("anka_shim_websocket_messages_total", "Messages to browsers that have the portal open.")
WEBSOCKET_BYTES = Counter("anka_shim_websocket_bytes_total", "Bytes of these messages, compressed, before TLS.")
PORTAL_TABS = Gauge("anka_shim_portal_tabs", "Open streams of the portal: one for each tab of a browser.")
PORTAL_BEGINNINGS = Counter(
    "anka_shim_portal_beginnings_total",
    "Kinds of objects that a stream began with: snapshot, all rows; or resume, the changes since the last stream.",
    ["how"],
)
PORTAL_ENDS = Counter(
    "anka_shim_portal_ends_total",
    "Streams that ended: closed by the browser, or by us, with the reason that it was given.",
    ["reason"],
)
PORTAL_FLUSH_SECONDS = Histogram(
    "anka_shim_portal_flush_seconds",
    "Time in which changes were gathered, encoded and handed to all streams.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
)
