"""Prometheus metrics of the operator. Those of the Kubernetes access layer come with it."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

LEADER = Gauge("anka_operator_leader", "1 while this process leads.")
LOOP_LAG = Histogram(
    "anka_operator_loop_lag_seconds",
    "How much later than asked for the event loop woke us.",
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5),
)
PENDING = Gauge("anka_operator_pending_instances", "Instances that wait for a node, by reason.", ["reason"])
QUEUE_DEPTH = Gauge("anka_operator_queue_depth", "Instances that wait for a node.")
BOUND = Counter("anka_operator_bound_total", "Instances given a node.")
CONFLICTS = Counter("anka_operator_bind_conflicts_total", "Binds refused because the instance had changed.")
BIND_FAILURES = Counter("anka_operator_bind_failures_total", "Binds that failed otherwise, by reason.", ["reason"])
ASSUMED = Gauge("anka_operator_assumed_bindings", "Binds decided and not yet confirmed by the API.")
EXPIRED = Counter("anka_operator_assumed_expired_total", "Binds given up because their outcome stayed unknown.")
WAITED = Histogram(
    "anka_operator_scheduling_seconds",
    "Time from first seeing an instance that needs a node to its confirmed bind.",
    ["template"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300, 1800),
)
START_SECONDS = Histogram(
    "anka_operator_start_seconds",
    "Time from the creation of an instance, or the loss of its node, to Started.",
    ["template"],
    buckets=(1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600),
)
FAILED = Counter("anka_operator_failed_instances_total", "Instances that failed, by reason.", ["reason", "when"])
ROUND = Histogram(
    "anka_operator_scheduling_round_seconds",
    "Time of one round of decisions.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1),
)
NODES = Gauge("anka_operator_nodes", "Nodes by state.", ["state"])
LOST = Counter("anka_operator_lost_instances_total", "Instances whose node was lost, by policy.", ["policy"])
for _policy in ("Fail", "Reschedule"):
    # From zero: an increase from nothing to one is none to Prometheus.
    LOST.labels(_policy)
ENDED = Counter(
    "anka_operator_ended_instances_total", "Instances ended because their time was over, by reason.", ["reason"]
)
RELEASED = Counter(
    "anka_operator_finalizers_removed_total", "Finalizers removed by the operator, by reason.", ["reason"]
)
AGENT_UPDATES = Gauge(
    "anka_operator_agent_updates", "Macs whose agent is to be another version, by where that is.", ["state"]
)
EVENTS = Counter("anka_operator_events_total", "Events posted or counted up, by type and reason.", ["type", "reason"])
EVENT_FAILURES = Counter("anka_operator_event_failures_total", "Events that could not be written.")
SECRET_RIGHTS = Gauge("anka_operator_secret_rights", "Instances whose node's agent may read their Secrets now.")
SECRET_RIGHTS_REFUSED = Counter(
    "anka_operator_secret_rights_refused_total",
    "Times that the API did not let us hand out the right to read a Secret.",
)
DISTRIBUTIONS = Gauge("anka_operator_distributions", "TemplateDistributions by phase.", ["phase"])
REGISTRY_UP = Gauge("anka_operator_registry_up", "1 when the registry answered the last time it was asked.")
REGISTRY_FAILURES = Counter("anka_operator_registry_failures_total", "Times that the registry did not answer.")
PASSES = Counter("anka_operator_passes_total", "Runs of a controller's loop.", ["controller"])
PASS_ERRORS = Counter("anka_operator_pass_errors_total", "Runs of a controller's loop that failed.", ["controller"])
