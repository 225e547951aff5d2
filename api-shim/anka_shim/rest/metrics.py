"""Prometheus metrics of the REST API. `route` is the path of the endpoint, or "other"."""

from __future__ import annotations

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
REJECTED = Counter("anka_shim_requests_rejected_total", "Requests refused because too many were in flight.")
PEERS = Gauge("anka_shim_peers", "Other replicas that are told of writes.")
PEER_MISSES = Counter("anka_shim_peer_misses_total", "Times that another replica was left out: silent, or behind.")
BARRIER_SECONDS = Histogram(
    "anka_shim_barrier_seconds",
    "Time that a write waited for the other replicas to see it.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
)
UNDONE = Counter("anka_shim_creations_undone_total", "Instances removed again because their request failed as a whole.")
