import pytest

from anka_dev import cli
from anka_runtime.cli import LazyCommand
from localkube.errors import DevError

NAMES = [command.name for command in cli.COMMAND_LINE.commands]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([name, "--help"])
    assert exit_.value.code == 0
    assert f"anka-dev {name}" in capsys.readouterr().out


def test_the_row_of_a_command_and_its_module_agree() -> None:
    for row in cli.COMMAND_LINE.commands:
        command = row.load() if isinstance(row, LazyCommand) else row
        assert (command.name, command.help) == (row.name, row.help)


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["control-plane"], ["control-plane", "fly"], ["mac", "fly"]])
def test_bad_arguments_exit_2_without_a_traceback(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    assert exit_.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_an_error_is_one_line_and_exit_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object) -> None:
        raise DevError("no disk left: free some")

    for variable in ("CLUSTER", "ANKA_KUBECONFIG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("localkube.programs.binaries.ensure", fail)
    with pytest.raises(SystemExit) as exit_:
        cli.main(["control-plane", "build"])
    assert exit_.value.code == 1
    assert capsys.readouterr().err == "anka-dev control-plane: no disk left: free some\n"


def test_an_error_of_the_simulated_mac_is_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["mac", "vms", "/nowhere"])
    assert exit_.value.code == 1
    assert capsys.readouterr().err.startswith("anka-dev mac: /nowhere is not a simulated Mac")
