"""Property tests on a busy machine: how long an example takes says nothing about the code.

Hypothesis's own profile fails a test whose examples take more than 200 ms, or are made too slowly."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "busy machine",
    parent=settings.default,
    deadline=None,
    suppress_health_check=[*settings().suppress_health_check, HealthCheck.too_slow],
)
settings.load_profile("busy machine")
