"""Subcommands: each has help of its own, and is imported only when it runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from anka_agent.cli.main import COMMAND_LINE, main
from anka_runtime.cli import LazyCommand


@pytest.mark.parametrize("name", [command.name for command in COMMAND_LINE.commands])
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: anka-agent {name} " in capsys.readouterr().out


def test_the_row_of_a_command_and_its_module_agree() -> None:
    for row in COMMAND_LINE.commands:
        assert isinstance(row, LazyCommand)
        command = row.load()
        assert (command.name, command.help) == (row.name, row.help)


HEAVY = ("aiohttp", "yaml", "prometheus_client", "anka_kube", "anka_agent.doctor", "anka_agent.membership.join")
"""What takes memory, and a launcher or an agent that runs for weeks may have no use for it."""


@pytest.mark.parametrize(
    ("module", "needs"),
    [("main", set()), ("launch", set()), ("run", {"aiohttp", "yaml", "prometheus_client", "anka_kube"})],
)
def test_what_a_process_holds_for_weeks(module: str, needs: set[str]) -> None:
    program = f"import anka_agent.cli.{module}, sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == needs
