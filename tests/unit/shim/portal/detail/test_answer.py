"""Objects for people, without secrets; Events of anybody."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from anka_shim.portal.detail.answer import HIDDEN, MOST_EVENTS, event_answers, to_yaml, without_secrets
from support.objects import instance

SECRET = "hush-hush"


def test_no_secret_is_shown() -> None:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": f'{{"vncPassword": "{SECRET}"}}', "mine": "stays"}
    one = instance(vncPassword=SECRET, meta={"annotations": applied})
    shown = without_secrets({**one.to_api()})
    assert SECRET not in to_yaml(shown)
    assert shown["spec"]["vncPassword"] == HIDDEN
    assert shown["metadata"]["annotations"] == {"mine": "stays"}
    assert one.spec.vnc_password == SECRET
    assert without_secrets({"metadata": {"managedFields": [1]}}) == {"metadata": {}}


def test_yaml_is_what_kubectl_takes() -> None:
    shown = without_secrets(instance(tag="ünï: #1", metadata={"a": 1}).to_api())
    assert yaml.safe_load(to_yaml(shown)) == shown
    assert to_yaml(shown).startswith("metadata:") or "apiVersion" in to_yaml(shown)


def test_events_are_sorted_whichever_api_wrote_them() -> None:
    old = {"lastTimestamp": "2026-01-01T10:00:00Z", "reason": "Old", "type": "Warning", "count": 3, "message": "m"}
    new = {
        "eventTime": "2026-01-01T11:00:00.5Z",
        "reason": "New",
        "reportingComponent": "anka-operator",
        "series": {"count": 7, "lastObservedTime": "2026-01-01T12:00:00Z"},
    }
    found = event_answers([old, {"reason": "without a time"}, new, {"lastTimestamp": "yesterday"}])
    assert found == [
        {"at": "2026-01-01T12:00:00Z", "type": "", "reason": "New", "message": "", "count": 7, "by": "anka-operator"},
        {"at": "2026-01-01T10:00:00Z", "type": "Warning", "reason": "Old", "message": "m", "count": 3, "by": ""},
    ]


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
)
_KEYS = st.sampled_from(
    ["type", "reason", "message", "count", "series", "lastTimestamp", "eventTime", "metadata", "source", "other"]
)


@given(st.lists(st.dictionaries(_KEYS, _ANY), max_size=5))
def test_any_event_can_be_read(raw: list[dict[str, object]]) -> None:
    for event in event_answers(raw):
        assert isinstance(event["message"], str)
        assert event["count"] >= 1


def test_events_are_bounded() -> None:
    raw = [{"lastTimestamp": "2026-01-01T10:00:00Z", "message": "x" * 100_000}] * (MOST_EVENTS + 1)
    found = event_answers(raw)
    assert len(found) == MOST_EVENTS
    assert len(found[0]["message"]) <= 4096
