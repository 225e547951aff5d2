"""The table of docs/reference/rights.md: what each right is for, and which test misses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from anka_dev.repository import ROOT
from support.rights import Right

FILE = ROOT / "docs" / "reference" / "rights.md"
PEOPLE = {"anka-view": "view", "anka-edit": "edit"} | {
    role: role
    for role in (
        "anka-push",
        "anka-repair",
        "anka-api-keys",
        "anka-permission-groups",
        "anka-resource-permissions",
        "anka-reviews",
        "anka-mac-pools",
        "anka-mac-pool-counts",
    )
}
"""Our roles for people, and the role by which each is granted. ``who`` is then our role, which has no binding."""
WHO = {
    "operator": "system:serviceaccount:anka-system:anka-operator",
    "shim": "system:serviceaccount:anka-system:anka-shim",
    "agent": "system:serviceaccounts:anka-nodes",
    "join token": "system:serviceaccounts:anka-joining",
    **{f"role {role}": role for role in PEOPLE},
}
BOUND_BY_DEFAULT = {"anka-api-keys": WHO["shim"]}
"""Such roles that the chart binds to one of ours, unless its values say otherwise."""
EVERYWHERE = "everywhere"


@dataclass(frozen=True)
class Row:
    right: Right
    test: str
    """The test that fails without it."""


def rows(text: str | None = None) -> Iterator[Row]:
    """One for each verb, of ``text`` or of the file. ValueError for rows about an unknown subject."""
    about = ""
    for line in (FILE.read_text() if text is None else text).splitlines():
        if line.startswith("## "):
            about = line[3:]
        elif line.startswith("| `"):
            if about.lower() not in WHO:
                raise ValueError(f"rights of {about}: add it to WHO or correct the heading")
            who = WHO[about.lower()]
            verbs, resource, where, _, test = (cell.strip() for cell in line.strip("|").split("|"))
            name, _, group = resource.strip("`").partition(".")
            subresource = ""
            if "/" in group or "/" in name:
                name, _, subresource = name.partition("/")
                subresource = f"/{subresource}"
            one, _, place = where.rpartition(" in ")
            namespace = "" if place == EVERYWHERE else place.strip("`")
            for verb in verbs.split(","):
                right = Right(who, namespace, group, name + subresource, verb.strip().strip("`"), one.strip("`"))
                yield Row(right, test.strip("`"))
