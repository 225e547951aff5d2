"""Tiny executables that stand for `anka` where only its manners matter."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest


class FakeAnka:
    """An executable with a Python body; every call's arguments are recorded, one JSON list a line."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "anka"
        self.calls_file = directory / "calls"
        self.answer([])

    def body(self, code: str) -> None:
        """What it does; `argv`, `say(body)`, `sys`, `time` and `os` are at hand."""
        head = (
            f"#!{sys.executable}\n"
            "import json, os, signal, sys, time\n"
            "argv = sys.argv[1:]\n"
            f"with open({str(self.calls_file)!r}, 'a') as calls:\n"
            "    calls.write(json.dumps(argv) + '\\n')\n"
            "def say(body, **more):\n"
            "    sys.stdout.write(json.dumps({'status': 'OK', 'body': body, **more}))\n"
        )
        new = self.path.with_suffix(".new")
        new.write_text(head + code)
        new.chmod(0o755)
        os.replace(new, self.path)

    def answer(self, body: Any) -> None:
        """Every command succeeds with this body."""
        self.body(f"say(json.loads({json.dumps(json.dumps(body))}))\n")

    def table(self, answers: dict[str, Any]) -> None:
        """The body by the beginning of the command line; what is not listed is code 3."""
        self.body(
            f"answers = json.loads({json.dumps(json.dumps(answers))})\n"
            "line = ' '.join(argv[1:])\n"
            "found = [key for key in answers if line == key or line.startswith(key + ' ')]\n"
            "if found:\n"
            "    say(answers[max(found, key=len)])\n"
            "else:\n"
            "    print(json.dumps({'status': 'ERROR', 'code': 3, 'message': line + ': not found'}), end='')\n"
            "    sys.exit(3)\n"
        )

    @property
    def calls(self) -> list[list[str]]:
        if not self.calls_file.exists():
            return []
        return [json.loads(line) for line in self.calls_file.read_text().splitlines()]


@pytest.fixture
def fake_anka(tmp_path: Path) -> FakeAnka:
    directory = tmp_path / "fake-anka"
    directory.mkdir()
    return FakeAnka(directory)
