from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from anka_shim.portal.stream.freshness import QUIET_SECONDS, Freshness
from support.manual_clock import ManualClock


def test_since_when_a_watch_is_not_in_step() -> None:
    clock = ManualClock()
    store, optional = object(), object()
    reflector = SimpleNamespace(store=store, connected=True, last_event_age=1.0)
    freshness = Freshness([reflector], clock)  # type: ignore[list-item]
    sources: dict[str, Any] = {"nodes": [store], "groups": [optional], "cloud": []}
    assert freshness.stale(sources) == {}
    # A watch that is opened anew at once is no news.
    clock.advance(4)
    reflector.connected, reflector.last_event_age = False, 5.0
    assert freshness.stale(sources) == {}
    clock.advance(6)
    reflector.last_event_age = 11.0
    assert freshness.stale(sources) == {"nodes": 10.0}
    reflector.connected, reflector.last_event_age = True, 0.0
    assert freshness.stale(sources) == {}
    # One that seems to be open, and says nothing.
    clock.advance(QUIET_SECONDS + 5)
    reflector.last_event_age = QUIET_SECONDS + 5
    assert freshness.stale(sources) == {"nodes": QUIET_SECONDS + 5}


def test_before_anything_was_read() -> None:
    store = object()
    reflector = SimpleNamespace(store=store, connected=False, last_event_age=float("inf"))
    clock = ManualClock()
    freshness = Freshness([reflector], clock)  # type: ignore[list-item]
    assert freshness.stale({"nodes": [store]}) == {}  # type: ignore[list-item]
