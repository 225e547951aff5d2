"""Our conditions say to kstatus, the real library, what is true: in every phase of every kind."""

from __future__ import annotations

import pytest

from anka_crds.api import KINDS_WITH_STATUS
from anka_kube import merge_patch
from support.checkers import Kstatus
from support.phases import CURRENT, FAILED, IN_PROGRESS, TERMINATING, Seen, every

TABLE = every()


@pytest.fixture(scope="module")
def told(kstatus: Kstatus) -> dict[str, str]:
    """All of them by one call."""
    answers = kstatus.statuses(seen.object for seen in TABLE)
    return {str(seen): answer for seen, answer in zip(TABLE, answers, strict=True)}


@pytest.mark.parametrize("seen", TABLE, ids=str)
def test_whoever_waits_is_told_the_truth(told: dict[str, str], seen: Seen) -> None:
    assert told[str(seen)] == seen.kstatus


def test_every_kind_is_seen_in_every_state() -> None:
    seen = {(one.object["kind"], one.kstatus) for one in TABLE}
    states = (IN_PROGRESS, CURRENT, FAILED, TERMINATING)
    assert seen == {(kind.__name__, state) for kind in KINDS_WITH_STATUS for state in states}
    assert len({str(one) for one in TABLE}) == len(TABLE)


def test_a_change_of_the_spec_is_never_current_before_it_was_seen(kstatus: Kstatus) -> None:
    current = [one for one in TABLE if one.kstatus == CURRENT]
    changed = [
        merge_patch.apply(one.object, {"metadata": {"generation": one.object["metadata"]["generation"] + 1}})
        for one in current
    ]
    assert set(kstatus.statuses(changed)) == {IN_PROGRESS}


def test_an_object_without_our_conditions_would_be_current_at_once(kstatus: Kstatus) -> None:
    """Why a fresh object has a status before any controller wrote: the default in the CRD."""
    fresh = next(one.object for one in TABLE if one.name == "just created")
    assert kstatus.statuses([fresh, {**fresh, "status": {}}]) == [IN_PROGRESS, CURRENT]
