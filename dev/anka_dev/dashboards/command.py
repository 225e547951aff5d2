"""``anka-dev dashboards``."""

from __future__ import annotations

import argparse
import json
import sys

from anka_dev.dashboards.boards import BOARDS
from anka_dev.dashboards.panel import Dashboard, grafana
from anka_dev.repository import CHART
from anka_runtime.cli import Call, Command, from_arguments
from localkube.errors import DevError

FOLDER = CHART / "files" / "dashboards"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")


def text_of(board: Dashboard) -> str:
    return json.dumps(grafana(board), indent=2, ensure_ascii=False) + "\n"


def run(call: Call[argparse.Namespace]) -> int:
    options = call.options
    for board in BOARDS:
        path = FOLDER / f"{board.uid}.json"
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text_of(board))
            print(path, file=sys.stderr)
        elif not path.is_file() or path.read_text() != text_of(board):
            raise DevError(f"{path.name} is out of date: run make dashboards")
    return 0


COMMAND = Command("dashboards", "write the Grafana dashboards of the chart", from_arguments(add_arguments), run)
