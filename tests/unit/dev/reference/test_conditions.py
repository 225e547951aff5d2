"""Conditions and reasons as tables."""

from __future__ import annotations

from anka_crds.api import KINDS_WITH_STATUS
from anka_crds.api.conditions import CONDITIONS, EventReason
from anka_dev.reference.conditions import page


def test_every_kind_and_word_is_on_the_page() -> None:
    text = page().text()
    assert {model.__name__ for model in KINDS_WITH_STATUS} == CONDITIONS.keys()
    for kind, (types, reasons) in CONDITIONS.items():
        part = text.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
        for member in (*types, *reasons):
            assert f"| `{member.value}` | {member.meaning} |" in part
    assert all(f"| `{reason.value}` |" in text for reason in EventReason)
