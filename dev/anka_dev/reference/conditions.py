"""docs/reference/conditions.md: the types and reasons of conditions, and the reasons of Events."""

from __future__ import annotations

from collections.abc import Iterable

from anka_crds.api.conditions import CONDITIONS, DocumentedEnum, EventReason, InitialReason
from anka_dev.reference.page import Page, code, table

INTRODUCTION = (
    "What `status.conditions` of each kind can hold. The types follow kstatus, so that `kubectl wait`, Helm, Flux and "
    "Argo CD understand them. The reason of an instance or a SaveImage that failed is in `Ready` and `Stalled`. What "
    "to do about each: [troubleshooting](../operate/troubleshooting.md)."
)
EVENTS = (
    "An Event that repeats a condition has the reason of that condition. These are the other reasons of Events; "
    "`kubectl describe` and `kubectl get events` show them for an hour."
)


def page() -> Page:
    made = Page("Conditions, reasons, Events", [INTRODUCTION])
    for kind, (types, reasons) in CONDITIONS.items():
        made.section(kind, rows_of("type", types), rows_of("reason", reasons))
    made.section("Every kind", rows_of("reason", InitialReason))
    made.section("Events", EVENTS, rows_of("reason", EventReason))
    return made


def rows_of(head: str, members: Iterable[DocumentedEnum]) -> str:
    return table((head, "meaning"), [(code(member.value), member.meaning) for member in members])
