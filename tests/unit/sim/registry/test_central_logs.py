"""Central logs in files: one for each service and machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from anka_sim.registry.catalog import CatalogError
from anka_sim.registry.central_logs import CentralLogFiles


@pytest.fixture
def logs(tmp_path: Path) -> CentralLogFiles:
    return CentralLogFiles(tmp_path)


def test_lines_are_added_and_each_ends(logs: CentralLogFiles) -> None:
    logs.add("agent", "mac-1", "one")
    logs.add("agent", "mac-1", "two\n")
    assert logs.path("agent", "mac-1").read_text() == "one\ntwo\n"
    assert len(logs.all()) == 1


@pytest.mark.parametrize(("last_bytes", "start"), [(None, 0), (100, 0), (8, 0), (7, 4), (4, 4), (3, 8), (0, 8)])
def test_the_last_bytes_begin_with_a_whole_line(logs: CentralLogFiles, last_bytes: int | None, start: int) -> None:
    logs.add("agent", "mac-1", "one\ntwo\n")
    assert logs.find_start(logs.path("agent", "mac-1"), last_bytes) == start


def test_names_stay_in_the_directory(logs: CentralLogFiles, tmp_path: Path) -> None:
    logs.add("AWS Cloud Connect Service", "../../etc/passwd", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["AWS%20Cloud%20Connect%20Service"]
    with pytest.raises(CatalogError, match="is too long"):
        logs.add("x" * 300, "mac-1", "x")
    with pytest.raises(CatalogError, match="no log of agent on mac-9"):
        logs.path("agent", "mac-9")
