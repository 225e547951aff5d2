"""Figures as a table for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from anka_dev.bench.figures import Figure

_HEAD = ("figure", "value", "unit", "goal", "beside it", "ratio")


def table(figures: Iterable[Figure]) -> str:
    """One line for each figure; a ratio above 1 means ahead."""
    rows = [_HEAD, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join(_line(row, widths) for row in rows)


def number(value: float) -> str:
    """Three significant digits, but whole numbers whole."""
    if value == int(value) and abs(value) < 1e12:
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _row(figure: Figure) -> tuple[str, ...]:
    goal = ""
    if figure.goal is not None:
        sign = "≥" if figure.better == "more" else "≤"
        goal = f"{sign} {number(figure.goal)} {'met' if figure.met else 'MISSED'}"
    beside = f"{figure.peer.name} {number(figure.peer.value)}" if figure.peer else ""
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}×"
    return figure.name, number(figure.value), figure.unit, goal, beside, ratio


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    right = {1, 5}
    cells = [
        cell.rjust(width) if column in right else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
