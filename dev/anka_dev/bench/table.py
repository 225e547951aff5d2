"""Figures as a table for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from anka_dev.bench.figures import Figure, PeerFigure

_HEAD = ("figure", "value", "unit", "goal", "beside it", "ratio")


def table(figures: Iterable[Figure]) -> str:
    """One line for each figure, and one more for each further peer; a ratio above 1 means ahead."""
    rows = [_HEAD, *(row for figure in figures for row in _rows(figure))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join(_line(row, widths) for row in rows)


def number(value: float) -> str:
    """Three significant digits, but whole numbers whole."""
    if value == int(value) and abs(value) < 1e12:
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _rows(figure: Figure) -> list[tuple[str, ...]]:
    goal = ""
    if figure.goal is not None:
        sign = "≥" if figure.better == "more" else "≤"
        goal = f"{sign} {number(figure.goal)} {'met' if figure.is_met else 'MISSED'}"
    beside = [_beside(figure, peer) for peer in figure.peers] or [("", "")]
    first = (figure.name, number(figure.value), figure.unit, goal, *beside[0])
    return [first, *(("", "", "", "", *more) for more in beside[1:])]


def _beside(figure: Figure, peer: PeerFigure) -> tuple[str, str]:
    ratio = figure.ratio_to(peer)
    return f"{peer.name} {number(peer.value)}", "" if ratio is None else f"{ratio:.2f}×"


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    right = {1, 5}
    cells = [
        cell.rjust(width) if column in right else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
