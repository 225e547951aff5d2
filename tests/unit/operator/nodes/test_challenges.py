from __future__ import annotations

from anka_kube.lease import CHALLENGER, Lease
from anka_kube.unstructured import Meta
from anka_operator.nodes.challenges import FORGET_SECONDS, ChallengeTracker


def lease(text: str | None) -> Lease:
    return Lease(Meta("m1", "ns", annotations={} if text is None else {CHALLENGER: text}))


def told(tracker: ChallengeTracker, now: float) -> str | None:
    found = tracker.find("m1", now)
    return None if found is None else found.host_name


def test_it_counts_while_it_is_repeated() -> None:
    tracker = ChallengeTracker()
    assert not tracker.observe(lease(None), 0)
    assert tracker.observe(lease("a"), 10)
    assert told(tracker, 10) == "a"
    assert not tracker.observe(lease("a"), 20), "the holder's own heartbeat is nothing new"
    assert told(tracker, 10 + FORGET_SECONDS - 1) == "a"
    assert told(tracker, 10 + FORGET_SECONDS) is None
    assert tracker.observe(lease("b"), 300)
    assert told(tracker, 300) == "b"
    assert tracker.observe(lease(None), 301)
    assert told(tracker, 301) is None


def test_what_was_there_before_may_be_old() -> None:
    tracker = ChallengeTracker()
    tracker.observe(lease("a"), 0, first=True)
    assert told(tracker, 1) is None
    assert not tracker.is_known("m1", 1), "what was told before is to stay"
    assert tracker.is_known("m1", FORGET_SECONDS)
    assert tracker.observe(lease("b"), 60)
    assert told(tracker, 61) == "b"
    assert tracker.is_known("m1", 61)


def test_a_node_that_is_gone() -> None:
    tracker = ChallengeTracker()
    tracker.observe(lease("a"), 0)
    tracker.forget("m1")
    assert told(tracker, 1) is None
