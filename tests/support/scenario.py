"""Modules whose tests are one story on one cluster: each test begins where the one before it in the file has ended.

Such a module says so: ``pytestmark = pytest.mark.scenario``. Whatever is selected of it, in whatever order, runs from
the beginning of the file to the last test that is wanted. A failure names the first test of the story that failed.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

_FAILED = pytest.StashKey[str]()
"""Of a module: its first test that failed."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "scenario: the tests of this module are one story, and run in its order")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """The selected tests of a scenario and all before them, in one piece, where the first of them was."""
    ordered: list[pytest.Item] = []
    done: set[pytest.Module] = set()
    for item in items:
        module = item.getparent(pytest.Module)
        if module is None or item.get_closest_marker("scenario") is None:
            ordered.append(item)
        elif module not in done:
            done.add(module)
            ordered += _up_to_the_last({other.nodeid for other in items}, list(session.genitems(module)))
    items[:] = ordered


def _up_to_the_last(wanted: set[str], story: list[pytest.Item]) -> list[pytest.Item]:
    last = max(place for place, item in enumerate(story) if item.nodeid in wanted)
    return story[: last + 1]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    module = item.getparent(pytest.Module)
    if report.failed and module is not None and item.get_closest_marker("scenario") is not None:
        first = module.stash.setdefault(_FAILED, item.name)
        if first != item.name:
            report.sections.append(("scenario", f"{first} failed before, and this test goes on where that one ended"))
    return report
