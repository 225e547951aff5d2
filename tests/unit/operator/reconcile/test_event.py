"""Events for people."""

from __future__ import annotations

from anka_crds.core.lifetime import End
from anka_operator.reconcile.event import ended, failed
from support.objects import START, instance

READY = {
    "type": "Ready",
    "status": "False",
    "reason": "ScriptFailed",
    "message": "the startup script failed",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}


def test_it_names_the_instance_and_says_why() -> None:
    sad = instance("sad", status={"phase": "Error", "conditions": [READY]})
    event = failed(sad, now=START, reporter="operator-1")
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
    assert failed(sad, now=START, reporter="r")["message"] == "x" * 1023 + "…"


def test_an_error_without_any_words() -> None:
    event = failed(instance(status={"phase": "Error"}), now=START, reporter="r")
    assert (event["reason"], event["message"]) == ("Failed", "The instance failed")


def test_one_failure_has_one_name() -> None:
    first = {"phase": "Error", "finishedAt": "2026-01-01T00:00:00Z"}
    second = {"phase": "Error", "finishedAt": "2026-01-01T00:00:05Z"}
    names = {
        failed(instance("a" * 253, status=status), now=START, reporter="r")["metadata"]["name"]
        for status in (first, first, second)
    }
    assert len(names) == 2
    assert all(len(name) <= 253 for name in names)


def test_a_failure_and_an_end_of_one_second_are_two() -> None:
    kept = instance(status={"phase": "Error", "finishedAt": START.isoformat()}, ttlSecondsAfterFinished=0)
    end = ended(kept, End.KEPT, now=START, reporter="r")
    assert end["metadata"]["name"] != failed(kept, now=START, reporter="r")["metadata"]["name"]
    assert (end["type"], end["reason"]) == ("Normal", "TTLAfterFinished")
    assert end["message"] == "Deleted: ttlSecondsAfterFinished 0 have passed since it ended"
