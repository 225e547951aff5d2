"""The page has a line for each route."""

from __future__ import annotations

from anka_dev.reference.rest_rights import page
from anka_shim.http.rights import RIGHTS


def test_a_line_for_each_route() -> None:
    lines = [line for line in page().text().splitlines() if line.startswith("| `")]
    assert len(lines) == len(RIGHTS)
    assert "| `POST /api/v1/vm` | `start_vm` | `create ankainstances` in the namespace of `--namespace` |" in lines
    assert "| `GET /livez` | nothing | |" in lines
