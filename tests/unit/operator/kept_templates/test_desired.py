from __future__ import annotations

from typing import Any

import pytest

from anka_operator.kept_templates.desired import compute_status, list_kept
from support.objects import TEMPLATE, node, template

MAC = node("mac-1", groups=["ios"])


@pytest.mark.parametrize(
    ("rules", "tags"),
    [
        ([], []),
        ([{}], ["v2"]),
        ([{"tag": "v1"}], ["v1"]),
        ([{"version": 0}, {"groups": ["ios"]}], ["v1", "v2"]),
        ([{"tag": "v1", "nodes": ["mac-2"]}], []),
        ([{"tag": "v1", "nodes": ["mac-1"]}, {"tag": "v1"}], ["v1"]),
        ([{"tag": "soon"}], []),
    ],
)
def test_kept(rules: list[dict[str, Any]], tags: list[str]) -> None:
    found = list_kept(MAC, [template(distribution=rules)], "http://r")
    assert [(one.template, one.tag, one.registry) for one in found] == [(TEMPLATE, tag, "http://r") for tag in tags]


def test_what_is_kept_is_the_content_that_the_registry_has() -> None:
    ruled = template(distribution=[{"tag": "v1"}])
    versions = [one.model_copy(update={"content_id": f"content-{one.tag}"}) for one in ruled.status.versions]
    ruled = ruled.model_copy(update={"status": ruled.status.model_copy(update={"versions": versions})})
    assert [one.content_id for one in list_kept(MAC, [ruled], None)] == ["content-v1"]


def test_a_template_that_is_being_deleted_is_not_kept() -> None:
    leaving = template(distribution=[{}], meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert list_kept(MAC, [leaving], None) == []


def test_only_changes_are_written() -> None:
    ruled = [template(distribution=[{"tag": "v1"}])]
    patch = compute_status(MAC, ruled, None)
    assert patch == {"keptTemplates": [{"template": TEMPLATE, "tag": "v1"}]}
    has = node("mac-1", status=patch)
    assert compute_status(has, ruled, None) is None
    assert compute_status(has, [], None) == {"keptTemplates": []}


def test_tags_without_a_place_are_counted() -> None:
    tags = tuple(f"v{index:04}" for index in range(300))
    ruled = [template(tags=tags, distribution=[{"tag": tag} for tag in tags])]
    patch = compute_status(MAC, ruled, None)
    assert patch is not None
    assert (len(patch["keptTemplates"]), patch["unkept"]) == (256, 44)
    cut = node("mac-1", groups=["ios"], status=patch)
    assert compute_status(cut, ruled, None) is None
    assert compute_status(cut, [], None) == {"keptTemplates": [], "unkept": None}


def test_long_tags_are_cut_by_bytes() -> None:
    tags = tuple(f"v{index:04}" + "é" * 1500 for index in range(200))
    patch = compute_status(MAC, [template(tags=tags, distribution=[{"tag": tag} for tag in tags])], None)
    assert patch is not None
    assert 0 < len(patch["keptTemplates"]) < 60
    assert patch["unkept"] == 200 - len(patch["keptTemplates"])
