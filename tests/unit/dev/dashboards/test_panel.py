"""A dashboard as Grafana's JSON."""

from __future__ import annotations

from anka_dev.dashboards.panel import COLUMNS, HEIGHT, Dashboard, Panel, Query, grafana


def panel(title: str, width: int = 12, **more: object) -> Panel:
    return Panel(title, "what it answers", "s", [Query("up"), Query("down", "{{pod}}")], width=width, **more)  # type: ignore[arg-type]


def test_panels_fill_rows_from_left_to_right() -> None:
    widths = [8, 8, 8, 12, 16, 24]
    board = Dashboard("u", "title", "text", [panel(str(width), width) for width in widths])
    places = [(each["gridPos"]["x"], each["gridPos"]["y"]) for each in grafana(board)["panels"]]
    assert places == [(0, 0), (8, 0), (16, 0), (0, HEIGHT), (0, 2 * HEIGHT), (0, 3 * HEIGHT)]
    assert all(x + width <= COLUMNS for (x, _), width in zip(places, widths, strict=True))


def test_numbers_are_of_now_and_lines_are_of_a_range() -> None:
    board = Dashboard("u", "title", "text", [panel("now", kind="stat"), panel("line")])
    now, line = (each["targets"] for each in grafana(board)["panels"])
    assert [(target["refId"], target["instant"], target["range"]) for target in now] == [
        ("A", True, False),
        ("B", True, False),
    ]
    assert [(target["instant"], target["range"]) for target in line] == [(False, True)] * 2
    assert line[1]["legendFormat"] == "{{pod}}"
