"""Prometheus metrics of the Kubernetes access layer. Labels: resource = plural.group."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "anka_kube_requests_total", "Requests to the Kubernetes API; code 0 is no answer.", ["verb", "resource", "code"]
)
LATENCY = Histogram(
    "anka_kube_request_seconds",
    "Time from sending a request to its complete answer.",
    ["verb", "resource"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
RETRIES = Counter("anka_kube_retries_total", "Requests sent again.", ["verb", "resource", "reason"])
SKIPPED_WRITES = Counter("anka_kube_skipped_writes_total", "Writes not sent: nothing would change.", ["resource"])
REFUSED_WRITES = Counter(
    "anka_kube_refused_writes_total", "Writes that the API refuses for good: invalid, or too large.", ["resource"]
)
WATCH_RESTARTS = Counter("anka_kube_watch_restarts_total", "Watch streams that ended.", ["resource", "reason"])
RELISTS = Counter("anka_kube_relists_total", "Full lists.", ["resource", "reason"])
MISSED_EVENTS = Counter(
    "anka_kube_missed_events_total", "Objects of which a watch had missed events, found by comparison.", ["resource"]
)
UNPARSABLE = Counter("anka_kube_unparsable_objects_total", "Objects skipped: could not be parsed.", ["resource"])
CALLBACK_ERRORS = Counter("anka_kube_callback_errors_total", "Exceptions in event callbacks.", ["resource"])
CACHE_SIZE = Gauge("anka_kube_cache_objects", "Objects in the cache.", ["resource"])
LAST_EVENT_AGE = Gauge(
    "anka_kube_last_event_age_seconds", "Seconds since the API last sent anything for this cache.", ["resource"]
)
