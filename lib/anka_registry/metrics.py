"""Prometheus metrics of every process that uses the registry."""

from prometheus_client import Counter, Gauge

LOG_LINES = Counter("anka_central_log_lines_total", "Lines for the central logs", ["outcome"])
LOG_BUFFER_BYTES = Gauge("anka_central_log_buffer_bytes", "Bytes of lines that the registry has not taken yet")
REFUSED_CREDENTIALS = Counter(
    "anka_registry_refused_credentials_total", "Answers of the registry that were HTTP 401 or 403", ["code"]
)
LOG_FAILURES = Counter("anka_central_log_failures_total", "Batches of lines that the registry did not take")
