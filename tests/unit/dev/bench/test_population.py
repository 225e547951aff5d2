"""Groups and templates of clouds of any size."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from anka_dev.bench.cluster_objects import TEMPLATE
from anka_dev.bench.population import Population, template_id

numbers = st.integers(1, 60)


@given(macs=numbers, groups=numbers)
def test_groups_are_of_equal_size(macs: int, groups: int) -> None:
    sizes = Counter(Population(groups=groups).group_of(mac) for mac in range(macs))
    assert len(sizes) == min(macs, groups)
    assert max(sizes.values()) - min(sizes.values()) <= 1


def test_without_groups_a_mac_is_in_none() -> None:
    assert Population().group_of(3) == ""


@given(mac=numbers, templates=numbers, held=numbers)
def test_a_mac_holds_the_first_template_and_others(mac: int, templates: int, held: int) -> None:
    found = Population(templates=templates, held=held).templates_of(mac)
    assert found[0] == 0
    assert len(found) == len(set(found)) == min(held, templates)
    assert set(found) <= set(range(templates))


def test_each_template_is_on_as_many_macs_as_any_other() -> None:
    population = Population(templates=10, held=4)
    on = Counter(number for mac in range(30) for number in population.templates_of(mac))
    assert on.pop(0) == 30
    assert set(on.values()) == {10}


def test_ids_are_the_same_in_every_process() -> None:
    assert template_id(0) == TEMPLATE
    assert template_id(7) == template_id(7) != template_id(8)
