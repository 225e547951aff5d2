"""Each Mac has its turn once, and the numbers always add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api.distribution import NodeProgress, TemplateDistributionStatus
from anka_operator.distributions import turns
from anka_operator.distributions.turns import Turns, advance_turns, begin_turns

ROUNDS = st.lists(st.lists(st.sampled_from(("works", "done", "failed")), min_size=5, max_size=5), max_size=20)


def to_status(taken: Turns) -> TemplateDistributionStatus:
    entries, counts = taken
    return TemplateDistributionStatus(nodes=entries, **counts)


def after(entry: NodeProgress, what: str) -> NodeProgress:
    if entry.done or what == "works":
        return entry
    return entry.model_copy(update={"done": True, "message": "it broke" if what == "failed" else None})


@given(total=st.integers(0, 17), rounds=ROUNDS)
def test_every_mac_is_working_finished_listed_as_failed_or_waiting(total: int, rounds: list[list[str]]) -> None:
    names = [f"mac-{number:02}" for number in range(total)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "MAX_TARGETS", 5)
        status = to_status(begin_turns(names, {}, 3))
        asked = [entry.node_name for entry in status.nodes]
        for outcomes in rounds:
            entries = [after(entry, what) for entry, what in zip(status.nodes, outcomes, strict=False)]
            failed = [entry.node_name for entry in entries if entry.message]
            before = [entry.node_name for entry in entries]
            status = to_status(advance_turns(status, entries, names))
            listed = [entry.node_name for entry in status.nodes]
            asked += [name for name in listed if name not in before]
            assert len(listed) <= 5
            assert set(failed) <= set(listed)
            assert len(listed) + (status.finished or 0) + (status.waiting or 0) == total
            assert status.waiting is None or (status.next_node == names[len(asked)] and len(listed) == 5)
            # A place is free, or could be made, only once nobody waits for it.
            assert status.waiting is None or not [one for one in status.nodes if one.done and not one.message]
            assert {entry.round for entry in status.nodes} <= {3}
    assert asked == names[: len(asked)]


def test_what_is_known_of_a_mac_stays() -> None:
    known = NodeProgress(node_name="b", done=True, round=1)
    entries, counts = begin_turns(["a", "b"], {"b": known, "c": known}, 2)
    assert entries == [NodeProgress(node_name="a", round=2), known]
    assert counts == {"finished": None, "next_node": None, "waiting": None}
