"""The invented cloud has what views must cope with."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from anka_dev.portal.fixtures import LONG, MARKUP, Cloud, change, make_cloud
from anka_dev.repository import ROOT

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TYPES = ROOT / "api-shim/anka_shim/portal/static/core/types.d.ts"
INTERFACES = {
    "cloud": "CloudRow",
    "nodes": "NodeRow",
    "instances": "InstanceRow",
    "templates": "TemplateRow",
    "groups": "GroupRow",
    "distributions": "DistributionRow",
    "saves": "SaveRow",
    "apiKeys": "ApiKeyRow",
    "permissionGroups": "PermissionGroupRow",
    "macPools": "MacPoolRow",
}


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    return make_cloud(NOW)


def fields_of(interface: str) -> tuple[set[str], set[str]]:
    """Fields of a row at its first level: all, and those that are always there."""
    body = re.search(rf"interface {interface} \{{(.*?)\n?\}}\n", TYPES.read_text(), re.DOTALL)
    assert body is not None, interface
    text = body[1]
    while re.search(r"\{[^{}]*\}", text):
        text = re.sub(r"\{[^{}]*\}", "object", text)
    found = re.findall(r"(?:^|[;\n])\s*(\w+)(\??):", text)
    return {name for name, _ in found}, {name for name, mark in found if not mark}


@pytest.mark.parametrize("kind", INTERFACES)
def test_rows_have_the_fields_that_views_know(kind: str, cloud: Cloud) -> None:
    known, needed = fields_of(INTERFACES[kind])
    rows = cloud.rows[kind].values()
    assert rows
    for row in rows:
        # What is absent is left out; only a node that has not reported yet has no state.
        assert needed - row.keys() <= {"state"}, row["id"]
        assert row.keys() <= known


def test_the_same_seed_makes_the_same_cloud() -> None:
    assert json.dumps(make_cloud(NOW).rows) == json.dumps(make_cloud(NOW).rows)


def test_sizes_and_oddities(cloud: Cloud) -> None:
    assert (len(cloud.rows["nodes"]), len(cloud.rows["instances"])) == (200, 1000)
    for kind in ("nodes", "instances", "templates", "saves", "permissionGroups"):
        assert MARKUP in json.dumps(cloud.rows[kind], ensure_ascii=False), kind
    assert LONG in json.dumps(cloud.rows["instances"])
    phases = {row["phase"] for row in cloud.rows["instances"].values()}
    assert {"Scheduling", "Pulling", "Started", "Terminating", "Terminated", "Error", "Pushing"} <= phases
    waiting = [row for row in cloud.rows["instances"].values() if row["phase"] == "Scheduling"]
    assert all(row["queueKey"] and row["message"] for row in waiting)
    assert {row["never"] for row in waiting} == {True, False}


def test_changes_are_of_rows_that_there_are(cloud: Cloud) -> None:
    before = {kind: set(rows) for kind, rows in cloud.rows.items()}
    for _ in range(500):
        kind, row = change(cloud)
        assert row["id"] in before[kind]
        assert cloud.rows[kind][row["id"]] == row
