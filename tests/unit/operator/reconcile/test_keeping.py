from __future__ import annotations

from typing import Any

import pytest

from anka_operator.reconcile.keeping import judged, kept
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
    found = kept(MAC, [template(distribution=rules)], "http://r")
    assert [(one.template, one.tag, one.registry) for one in found] == [(TEMPLATE, tag, "http://r") for tag in tags]


def test_a_template_that_is_being_deleted_is_not_kept() -> None:
    leaving = template(distribution=[{}], meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert kept(MAC, [leaving], None) == []


def test_only_changes_are_written() -> None:
    ruled = [template(distribution=[{"tag": "v1"}])]
    patch = judged(MAC, ruled, None)
    assert patch == {"keptTemplates": [{"template": TEMPLATE, "tag": "v1"}]}
    has = node("mac-1", status=patch)
    assert judged(has, ruled, None) is None
    assert judged(has, [], None) == {"keptTemplates": []}
