import pytest

from anka_dev import __main__ as cli
from anka_dev.errors import DevError


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([name, "--help"])
    assert exit_.value.code == 0
    assert f"anka-dev {name}" in capsys.readouterr().out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    out = capsys.readouterr().out
    assert all(name in out and command.help in out for name, command in cli.COMMANDS.items())


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["control-plane"], ["control-plane", "fly"]])
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
    monkeypatch.setattr("anka_dev.controlplane.binaries.ensure", fail)
    assert cli.main(["control-plane", "build"]) == 1
    assert capsys.readouterr().err == "anka-dev control-plane: no disk left: free some\n"


def test_a_judge_that_cannot_be_had_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ensure(name: str, *_: object) -> str:
        if name == "kstatus":
            raise DevError("no route")
        return f"/cache/{name}"

    said: list[str] = []
    monkeypatch.setattr("anka_dev.controlplane.binaries.ensure_judge", ensure)
    monkeypatch.setattr("anka_dev.controlplane.cli.say_on_stderr", said.append)
    assert cli.main(["control-plane", "judges"]) == 0
    assert capsys.readouterr().out.split() == ["/cache/kube-score", "/cache/actionlint"]
    assert cli.main(["control-plane", "judges", "--all"]) == 0
    assert capsys.readouterr().out.split()[-1] == "/cache/promtool"
    assert said == 2 * ["tests that need kstatus will be skipped: no route"]
