"""Which part of the event log."""

from __future__ import annotations

from anka_shim.portal.event_log.request import DEFAULT_EVENTS, EventQuery


def test_defaults_and_words() -> None:
    assert EventQuery().limit == DEFAULT_EVENTS
    assert EventQuery.model_validate({"limit": "0"}).limit == DEFAULT_EVENTS
    assert EventQuery.model_validate({"limit": "7", "before": "e1"}).limit == 7
