from __future__ import annotations

from typing import Any

import pytest

from anka_kube.initial_events import InitialEvents, is_end


def test_what_changes_meanwhile_counts_as_it_is_last() -> None:
    initial = InitialEvents[Any](begun=1, started=0.0)
    initial.put(("ns", "a"), "1", "first")
    initial.put(("ns", "b"), "2", "stays")
    initial.put(("ns", "a"), "1", "second")
    initial.put(("ns", "b"), "2", None)
    initial.put(("ns", "c"), "3", "goes")
    initial.remove(("ns", "c"))
    initial.remove(("ns", "never"))
    assert initial.objects == {("ns", "a"): "second"}
    assert initial.unparsable == {"2"}


@pytest.mark.parametrize(
    ("metadata", "end"),
    [
        ({"annotations": {"k8s.io/initial-events-end": "true"}}, True),
        ({"annotations": {"k8s.io/initial-events-end": "false"}}, False),
        ({"annotations": None}, False),
        ({}, False),
    ],
)
def test_the_bookmark_after_the_last(metadata: dict[str, Any], end: bool) -> None:
    assert is_end(metadata) is end
