"""`anka-sim`: its commands and exit codes."""

from __future__ import annotations

import pytest

from anka_sim import cli


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([name, "--help"])
    assert exit_.value.code == 0
    assert f"usage: anka-sim {name}" in capsys.readouterr().out


@pytest.mark.parametrize("words", ["", "fly", "mac", "registry fly"])
def test_bad_arguments_exit_2(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(words.split())
    assert exit_.value.code == 2
    assert "usage: anka-sim" in capsys.readouterr().err


def test_a_failure_is_one_line_and_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["mac", "vms", "/nowhere"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
