"""What is read after each list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_operator.registry_view.sweep import DETAILS_PER_SECOND, SWEEP_SECONDS, choose_due
from anka_registry.models import RegistryTemplate, RegistryVersion

LIST_SECONDS = 4.0


def template(versions: int) -> RegistryTemplate:
    made = [RegistryVersion(number=number, tag=f"v{number}") for number in range(versions)]
    return RegistryTemplate.model_construct(id="big", name="big", versions=made)


@given(total=st.integers(1, 600), changed=st.sets(st.integers(0, 599), max_size=20))
def test_each_has_its_turn_within_the_sweep(total: int, changed: set[int]) -> None:
    ids = [str(number) for number in range(total)]
    first = [str(number) for number in sorted(changed) if number < total]
    tried_at: dict[str, int] = {}
    moment = 0
    for _ in range(round(SWEEP_SECONDS / LIST_SECONDS) + 1):
        due = choose_due(ids, tried_at, {}, first, list_seconds=LIST_SECONDS)
        assert due[: len(first)] == first
        assert len(due) == len(set(due))
        for uuid in due:
            moment += 1
            tried_at[uuid] = moment
    assert tried_at.keys() == set(ids)


@pytest.mark.parametrize(("total", "number"), [(0, 0), (1, 1), (5, 5), (40, 40), (100, 40), (300, 40), (600, 80)])
def test_how_many_are_read_at_a_time(total: int, number: int) -> None:
    """Ten a second; more of them only where the sweep would take longer than its time."""
    ids = [str(number) for number in range(total)]
    assert len(choose_due(ids, {}, {}, (), list_seconds=LIST_SECONDS)) == number
    assert DETAILS_PER_SECOND * LIST_SECONDS == 40


def test_a_template_of_many_versions_takes_the_turn_of_many() -> None:
    ids = ["big", *map(str, range(200))]
    assert choose_due(ids, {"0": 1}, {"big": template(5000)}, (), list_seconds=LIST_SECONDS)[0] == "big"
    assert len(choose_due(ids, {}, {"big": template(5000)}, (), list_seconds=LIST_SECONDS)) == 40 - 20 + 1


def test_at_least_one_is_read() -> None:
    assert choose_due(["big"], {}, {"big": template(50_000)}, (), list_seconds=0.1) == ["big"]
