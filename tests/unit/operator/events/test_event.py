"""Events for people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anka_crds.rules.lifetime import Expiry
from anka_operator.events.event import count_patch, end_event, failure_event, reschedule_event, state_event, wait_event
from support.objects import START, instance, node

READY = {
    "type": "Ready",
    "status": "False",
    "reason": "ScriptFailed",
    "message": "the startup script failed",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}


def test_it_names_the_instance_and_says_why() -> None:
    sad = instance("sad", status={"phase": "Error", "conditions": [READY]})
    event = failure_event(sad, now=START, reporter="operator-1")
    assert event["involvedObject"]["name"] == "sad"
    assert event["involvedObject"]["uid"] == "uid-sad"
    assert event["metadata"]["namespace"] == "default"
    assert (event["type"], event["reason"], event["message"]) == (
        "Warning",
        "ScriptFailed",
        "the startup script failed",
    )


def test_the_message_of_the_status_comes_first() -> None:
    sad = instance("sad", status={"phase": "Error", "message": "x" * 3000, "conditions": [READY]})
    assert failure_event(sad, now=START, reporter="r")["message"] == "x" * 1023 + "…"


def test_who_asked_by_rest_is_named_however_long_the_message() -> None:
    asked = {"annotations": {"anka.veertu.com/requested-by": "jenkins"}}
    sad = instance("sad", status={"phase": "Error", "message": "no disk"}, meta=asked)
    assert failure_event(sad, now=START, reporter="r")["message"] == "no disk (requested by jenkins)"
    long = wait_event(sad, "x" * 3000, now=START, reporter="r")["message"]
    assert (len(long), long[-24:]) == (1024, " (requested by jenkins)"[-24:].rjust(24, "…"))


def test_an_error_without_any_words() -> None:
    event = failure_event(instance(status={"phase": "Error"}), now=START, reporter="r")
    assert (event["reason"], event["message"]) == ("Failed", "The instance failed")


def test_one_failure_has_one_name() -> None:
    first = {"phase": "Error", "finishedAt": "2026-01-01T00:00:00Z"}
    second = {"phase": "Error", "finishedAt": "2026-01-01T00:00:05Z"}
    names = {
        failure_event(instance("a" * 253, status=status), now=START, reporter="r")["metadata"]["name"]
        for status in (first, first, second)
    }
    assert len(names) == 2
    assert all(len(name) <= 253 for name in names)


def test_a_failure_and_an_end_of_one_second_are_two() -> None:
    expired = instance(status={"phase": "Error", "finishedAt": START.isoformat()}, ttlSecondsAfterFinished=0)
    end = end_event(expired, Expiry.TTL, now=START, reporter="r")
    assert end["metadata"]["name"] != failure_event(expired, now=START, reporter="r")["metadata"]["name"]
    assert (end["type"], end["reason"]) == ("Normal", "TTLAfterFinished")
    assert end["message"] == "Deleted: ttlSecondsAfterFinished 0 have passed since it ended"


def test_one_reason_of_one_object_has_one_event() -> None:
    def name(of: str = "one", words: str = "x", at: float = 0) -> str:
        moment = START + timedelta(seconds=at)
        event = wait_event(instance(of), words, now=moment, reporter="operator-1")
        return str(event["metadata"]["name"])

    assert name() == name(words="y", at=60)
    assert name() != name("two")
    other = reschedule_event(instance(), "x", now=START, reporter="operator-1")
    assert other["metadata"]["name"] != name()


def test_words_of_what_was_lost() -> None:
    event = reschedule_event(
        instance(), "Node mac-1 is lost: no heartbeat for 0:05:00", now=START, reporter="operator-1"
    )
    assert (event["type"], event["reason"], event["message"]) == (
        "Normal", "Rescheduled", "Node mac-1 is lost: no heartbeat for 0:05:00; starts again on another node",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "type_"),
    [
        ("Active", "Normal"),
        ("Drain Mode", "Normal"),
        ("Updating", "Normal"),
        ("Offline", "Warning"),
        ("Inactive (Invalid License)", "Warning"),
        ("Unhealthy", "Warning"),
    ],
)
def test_a_bad_state_is_a_warning(state: str, type_: str) -> None:
    event = state_event(node(state=state), now=START, reporter="operator-1")
    assert event["type"] == type_
    assert event["message"].startswith(f"{state}: ")
    assert event["metadata"]["namespace"] == "default"
    assert "namespace" not in event["involvedObject"]


@pytest.mark.parametrize(("before", "after"), [({"count": 4}, 5), ({}, 2), ({"count": None}, 2)])
def test_counting_up(before: dict[str, Any], after: int) -> None:
    event = wait_event(instance(), "newest", now=START, reporter="operator-2")
    patch = count_patch(before, event)
    assert (patch["count"], patch["message"], patch["reportingInstance"]) == (after, "newest", "operator-2")
    assert "firstTimestamp" not in patch
