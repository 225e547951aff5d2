"""What takes long begins first: a long module that began last would leave all workers but one without work."""

from __future__ import annotations

import pytest

_FIRST = ("e2e", "integration")


def rank(markers: set[str]) -> int:
    """The lower, the earlier: whole processes, then a real apiserver, then all else."""
    return next((place for place, name in enumerate(_FIRST) if name in markers), len(_FIRST))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps the order within each kind, and so modules in one piece."""
    items.sort(key=lambda item: rank({mark.name for mark in item.iter_markers()}))
