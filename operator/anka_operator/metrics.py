"""Prometheus metrics of the operator, and their labels. Those of the Kubernetes access layer come with it."""

from collections.abc import Iterable
from typing import Any, Self

from prometheus_client import Counter, Gauge, Histogram, Metric

from anka_crds.api import AnkaInstance, AnkaTemplate
from anka_kube.store import Store


class CloudMetric(Gauge):
    """A gauge that only the leader fills, about the whole cloud. It has no samples before it is first set, and none
    after `clear`: what a standby would show is old, or a zero that nobody has counted."""

    _is_filled = False

    def labels(self, *values: Any, **named: Any) -> Self:
        self._is_filled = True
        return super().labels(*values, **named)

    def set(self, value: float) -> None:
        self._is_filled = True
        super().set(value)

    def clear(self) -> None:
        self._is_filled = False
        super().clear()

    def collect(self) -> Iterable[Metric]:
        for family in super().collect():
            if not self._is_filled:
                family.samples.clear()
            yield family


LEADER = Gauge("anka_operator_leader", "1 while this process leads.")
LOOP_LAG = Histogram(
    "anka_operator_loop_lag_seconds",
    "Delay of a timer of the event loop: how busy or stuck the process is.",
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5),
)
PENDING = CloudMetric("anka_operator_pending_instances", "Instances that wait for a node, by reason.", ["reason"])
QUEUE_DEPTH = CloudMetric("anka_operator_queue_depth", "Instances that wait for a node.")
BOUND = Counter("anka_operator_bound_total", "Instances bound to a node.")
CONFLICTS = Counter("anka_operator_bind_conflicts_total", "Binds refused because the instance had changed.")
BIND_FAILURES = Counter("anka_operator_bind_failures_total", "Binds that failed otherwise, by reason.", ["reason"])
ASSUMED = CloudMetric("anka_operator_assumed_bindings", "Binds decided and not yet confirmed by the API.")
EXPIRED = Counter("anka_operator_assumed_expired_total", "Binds given up because their outcome remained unknown.")
WAITED = Histogram(
    "anka_operator_scheduling_seconds",
    "Time from the first event of an instance that needs a node to its confirmed bind.",
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
    "Duration of one round of scheduling decisions.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1),
)
NODES = CloudMetric("anka_operator_nodes", "Nodes by state.", ["state"])
LOST = Counter("anka_operator_lost_instances_total", "Instances whose node was lost, by policy.", ["policy"])
for _policy in ("Fail", "Reschedule"):
    # Starts at zero: Prometheus sees no increase from absent to one.
    LOST.labels(_policy)
ENDED = Counter(
    "anka_operator_ended_instances_total", "Instances ended because a time limit expired, by reason.", ["reason"]
)
REFUSED = Counter(
    "anka_operator_refused_instances_total",
    "Instances that their Mac could not start, by what became of them.",
    ["end"],
)
for _end in ("moved", "failed"):
    REFUSED.labels(_end)
RELEASED = Counter(
    "anka_operator_finalizers_removed_total", "Finalizers removed by the operator, by reason.", ["reason"]
)
AGENT_UPDATES = CloudMetric(
    "anka_operator_agent_updates", "Macs whose agent is to be updated, by the state of the update.", ["state"]
)
EVENTS = Counter("anka_operator_events_total", "Events posted or counted up, by type and reason.", ["type", "reason"])
EVENT_FAILURES = Counter("anka_operator_event_failures_total", "Events that could not be written.")
SECRET_RIGHTS = CloudMetric("anka_operator_secret_rights", "Instances whose node's agent may read their Secrets now.")
SECRET_RIGHTS_REFUSED = Counter(
    "anka_operator_secret_rights_refused_total", "Rights to read a Secret that the API did not let the operator grant."
)
DISTRIBUTIONS = CloudMetric("anka_operator_distributions", "TemplateDistributions by phase.", ["phase"])
REGISTRY_UP = CloudMetric("anka_operator_registry_up", "1 if the registry answered the last request.")
REGISTRY_UNCONFIRMED = Counter(
    "anka_operator_registry_unconfirmed_total",
    "Decisions about a template made from what was known, because the registry did not answer in time.",
)
REGISTRY_FAILURES = Counter("anka_operator_registry_failures_total", "Reads of the registry that failed.")
PASSES = Counter("anka_operator_passes_total", "Runs of a controller's loop.", ["controller"])
PASS_ERRORS = Counter("anka_operator_pass_errors_total", "Runs of a controller's loop that failed.", ["controller"])
EVENT_LOG = Counter(
    "anka_operator_event_log_total", "Lines of the event log that a sink took, or that were lost.", ["sink", "outcome"]
)
EVENT_LOG_FAILURES = Counter(
    "anka_operator_event_log_failures_total", "Attempts to send lines of the event log that failed, by sink.", ["sink"]
)
EVENT_LOG_PENDING = CloudMetric(
    "anka_operator_event_log_pending", "Lines of the event log that a sink has not taken yet.", ["sink"]
)

CLOUD = (
    PENDING,
    QUEUE_DEPTH,
    ASSUMED,
    NODES,
    AGENT_UPDATES,
    SECRET_RIGHTS,
    DISTRIBUTIONS,
    REGISTRY_UP,
    EVENT_LOG_PENDING,
)


def forget_cloud() -> None:
    """This process no longer leads: it does not know the whole cloud any more."""
    for gauge in CLOUD:
        gauge.clear()


# --- labels: there must never be many values, because each one is a time series for ever ---

OTHER = "other"
"""Stands for all values beyond the limit, and for unknown ones."""
LIMIT = 200


class LabelLimiter:
    """The first `limit` values keep their names."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._values: set[str] = set()

    def limit(self, value: str) -> str:
        if value not in self._values:
            if len(self._values) >= self._limit:
                return OTHER
            self._values.add(value)
        return value


class TemplateLabels:
    """Labels for templates: their names in the registry. A misspelled spec.template never becomes a label."""

    def __init__(self, templates: Store[AnkaTemplate], limit: int = LIMIT) -> None:
        self._templates = templates
        self._limiter = LabelLimiter(limit)

    def of_instance(self, instance: AnkaInstance) -> str:
        return self.of_template(template_reference(instance))

    def of_template(self, reference: str) -> str:
        """By UUID, by the name in the registry, or by displayName."""
        template = self._templates.get(reference)
        if template is None:
            names = ((other, (other.status.name, other.spec.display_name)) for other in self._templates)
            template = next((other for other, called in names if reference in called), None)
        if template is None:
            return OTHER
        return self._limiter.limit(template.spec.display_name or template.status.name or template.metadata.name)


def template_reference(instance: AnkaInstance) -> str:
    """UUID of its template once resolved; before that, what its spec says."""
    resolved = instance.status.template
    return resolved.id if resolved is not None else instance.spec.template
