"""``anka-dev dashboards``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from anka_dev.dashboards.boards import BOARDS
from anka_dev.dashboards.panel import Dashboard, grafana
from anka_dev.errors import DevError

FOLDER = Path(__file__).resolve().parents[3] / "charts" / "anka-cloud" / "files" / "dashboards"


def register(subparsers: Any) -> None:
    """Add ``dashboards``."""
    parser = subparsers.add_parser("dashboards", help="write the Grafana dashboards of the chart")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when one is not as it would be")
    parser.set_defaults(run=_run)


def text_of(board: Dashboard) -> str:
    return json.dumps(grafana(board), indent=2, ensure_ascii=False) + "\n"


def _run(options: argparse.Namespace) -> int:
    for board in BOARDS:
        path = FOLDER / f"{board.uid}.json"
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text_of(board))
            print(path, file=sys.stderr)
        elif not path.is_file() or path.read_text() != text_of(board):
            raise DevError(f"{path.name} is not what it is made from: run make dashboards")
    return 0
