"""Alerts and dashboards of the chart name only metrics that there are, and every alert has a page that helps."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from anka_dev.dashboards.boards import BOARDS
from anka_dev.dashboards.command import FOLDER, text_of
from support.checkers import Checker
from support.promql import known, wrong

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "charts" / "anka-cloud" / "files" / "rules").glob("*.yaml"))
RUNBOOKS = ROOT / "docs" / "operate" / "runbooks"
HEADINGS = ["What it means", "How to check", "What to do"]


def rules() -> list[dict[str, Any]]:
    return [rule for path in FILES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def dashboards() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]


@pytest.mark.parametrize(
    ("expression", "problems"),
    [
        ("sum(anka_operator_leader) > 1", []),
        ("rate(anka_operator_start_seconds_bucket[5m])", []),
        ('anka_kube_requests_total{code=~"5..", job="shim"}', []),
        ("anka_operator_leaders > 1", ["no metric anka_operator_leaders"]),
        ("rate(anka_operator_bound[5m]) > 1", ["no metric anka_operator_bound"]),
        ('anka_operator_failed_instances_total{why="x"}', ["anka_operator_failed_instances_total has no label why"]),
    ],
)
def test_what_is_wrong_is_found(expression: str, problems: list[str]) -> None:
    assert wrong(expression, known()) == problems


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_is_whole(rule: dict[str, Any]) -> None:
    assert wrong(rule["expr"], known()) == []
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    notes = rule["annotations"]
    assert notes["summary"]
    assert notes["description"]
    assert notes["runbook_url"] == f"docs/operate/runbooks/{rule['alert']}.md"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_has_a_page(rule: dict[str, Any]) -> None:
    text = (ROOT / rule["annotations"]["runbook_url"]).read_text()
    title, *parts = re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]
    assert title.strip() == rule["alert"]
    assert [part.partition("\n")[0] for part in parts] == HEADINGS
    assert all(part.partition("\n")[2].strip() for part in parts)
    assert [problem for line in text.splitlines() for problem in wrong(line, known())] == []


def test_every_page_is_of_an_alert() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) >= 20
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == set(names)


def test_dashboards_are_what_they_are_made_from() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == {f"{board.uid}.json" for board in BOARDS}
    for board in BOARDS:
        assert (FOLDER / f"{board.uid}.json").read_text() == text_of(board), "run make dashboards"


@pytest.mark.parametrize("board", dashboards(), ids=lambda board: board["uid"])
def test_a_dashboard_is_whole(board: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert [problem for target in panel["targets"] for problem in wrong(target["expr"], known())] == []
        place = panel["gridPos"]
        cells = {(x, place["y"]) for x in range(place["x"], place["x"] + place["w"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_prometheus_takes_the_rules(promtool: Checker) -> None:
    promtool.run("check", "rules", *map(str, FILES))


def test_prometheus_raises_the_alerts_when_it_should(promtool: Checker, tmp_path: Path) -> None:
    cases = ROOT / "tests" / "data" / "alerts.yaml"
    text = cases.read_text().replace("RULES", str(FILES[0].parent))
    (tmp_path / "alerts.yaml").write_text(text)
    promtool.run("test", "rules", str(tmp_path / "alerts.yaml"))
