"""Prometheus metrics of the agent. Those of the Kubernetes access layer come with it."""

from prometheus_client import Counter, Gauge, Histogram

TOKEN_EXPIRY = Gauge("anka_agent_token_expiry_timestamp_seconds", "When the token of this Mac expires, in Unix time")
TOKEN_RENEWALS = Counter("anka_agent_token_renewals_total", "Renewals of this Mac's token", ["outcome"])
PULL_SECONDS = Histogram(
    "anka_agent_pull_seconds",
    "Duration of pulls of templates, waiting for their turn left out, in seconds",
    ["result"],
    buckets=(1, 5, 15, 30, 60, 120, 300, 600, 1200, 2400, 3600, 7200, 21600),
)
PULL_PERCENT = Gauge(
    "anka_agent_pull_progress_percent", "Progress of pulls that are under way, in percent", ["template", "tag"]
)
TEMPLATES_REMOVED = Counter(
    "anka_agent_templates_removed_for_space_total", "Tags of templates removed to make room for a pull"
)
TEMPLATE_BYTES_REMOVED = Counter(
    "anka_agent_removed_for_space_bytes_total", "Size of tags removed to make room, in bytes"
)
PULLS_REFUSED = Counter("anka_agent_pulls_without_space_total", "Pulls that were not begun because they do not fit")
VMS = Gauge("anka_agent_vms", "VMs of instances on this Mac", ["status"])
UPDATES = Counter("anka_agent_updates_total", "Updates of the agent to another version, by outcome", ["outcome"])
SAVES = Counter("anka_agent_saves_total", "Instances saved to the registry, or not", ["outcome"])
SAVE_STEP_SECONDS = Histogram(
    "anka_agent_save_step_seconds",
    "Duration of the steps of saving an instance to the registry, in seconds",
    ["step", "outcome"],
    buckets=(0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14400),
)
ORPHANS_REMOVED = Counter("anka_agent_orphans_removed_total", "VMs removed because no instance had a claim on them")
STEPS = Counter("anka_agent_steps_total", "Steps done for instances", ["step", "outcome"])
REPORT_STARTED_SECONDS = Histogram(
    "anka_agent_report_started_seconds",
    "From the success of `anka start` to Started in the API, in seconds",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120),
)
COMMAND_SECONDS = Histogram(
    "anka_agent_command_seconds",
    "Duration of calls of the anka command, in seconds",
    ["command"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 600, 3600),
)
COMMAND_FAILURES = Counter(
    "anka_agent_command_failures_total", "Calls of the anka command that failed", ["command", "kind"]
)
