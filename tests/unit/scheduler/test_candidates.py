"""Which nodes could take a shape if they were empty."""

from __future__ import annotations

from typing import Any

from anka_scheduler import reasons
from anka_scheduler.catalog import ResolvedVersion
from anka_scheduler.filters import Requirements
from anka_scheduler.node import SchedulableNode, to_schedulable
from anka_scheduler.snapshot import find_candidates
from support.objects import TEMPLATE, node


def nodes(*specs: dict[str, Any]) -> list[SchedulableNode]:
    return [to_schedulable(node(f"mac-{number}", **spec)) for number, spec in enumerate(specs)]


def requirements(*groups: str) -> Requirements:
    return Requirements(ResolvedVersion(TEMPLATE, "macos-15", "v2", 1, "arm64"), groups)


def test_each_has_its_place_in_the_chain_of_groups_and_its_pull_effort() -> None:
    found = find_candidates(
        requirements("ios", "spare"),
        nodes(
            {"groups": ["spare"], "holds": ("v2",)},
            {"groups": ["ios"], "holds": ("v1",)},
            {"groups": ["ios"]},
            {"groups": ["other"]},
        ),
    )
    order = sorted((position, effort, each.name) for each, position, effort in found.nodes)
    assert [name for _, _, name in order] == ["mac-1", "mac-2", "mac-0"]
    assert (found.rejections, found.total) == ({reasons.not_in_group("ios"): 1}, 4)


def test_what_an_instance_takes_does_not_matter_but_what_the_node_is_does() -> None:
    found = find_candidates(requirements(), nodes({"slots": 1}, {"arch": "amd64"}, {"arch": "amd64"}))
    assert [each.name for each, _, _ in found.nodes] == ["mac-0"]
    assert found.rejections == {reasons.not_of_arch("arm64"): 2}
    assert found.only is None


def test_without_nodes() -> None:
    found = find_candidates(requirements(), [], "mac-9")
    assert (found.nodes, found.total, found.only) == ((), 0, "mac-9")
