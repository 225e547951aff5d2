"""The command line that all programs share: which command runs, what help says, and how it ends."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from anka_runtime.cli import (
    READER_ENDED,
    Call,
    Command,
    CommandLine,
    LazyCommand,
    from_arguments,
    from_settings,
    require,
)
from anka_runtime.settings import USAGE, ProcessSettings
from anka_runtime.version import package_version


class Flags(ProcessSettings):
    """Flags of a test."""

    size: int = 1


class TestError(Exception):
    __test__ = False


class StrangeTestError(TestError):
    __test__ = False


class Program:
    """A command line, and what its commands were called with."""

    def __init__(self, *, default: bool = False, raises: BaseException | None = None) -> None:
        self.calls: list[tuple[str, object]] = []
        self.raises = raises
        count = Command("count", "count sizes", from_settings(Flags), self.count)
        self.line = CommandLine(
            "prog",
            "Tests things.",
            (
                count,
                Command("read", "read a file", from_arguments(self.add_arguments, "Reads a file."), self.read),
                LazyCommand("late", "imported late", "anka_test_late"),
            ),
            default=count if default else None,
            errors={StrangeTestError: 4, TestError: 3},
        )

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("-f", "--filename", required=True)

    def count(self, call: Call[Flags]) -> None:
        if self.raises is not None:
            raise self.raises
        self.calls.append((call.prog, call.options.size))

    def read(self, call: Call[argparse.Namespace]) -> int:
        self.calls.append((call.prog, call.options.filename))
        return 7


@pytest.mark.parametrize(
    ("argv", "default", "code", "calls"),
    [
        (["count", "--size=3"], False, 0, [("prog count", 3)]),
        (["count"], False, 0, [("prog count", 1)]),
        (["read", "-f", "x"], False, 7, [("prog read", "x")]),
        ([], True, 0, [("prog", 1)]),
        (["--size=3"], True, 0, [("prog", 3)]),
        (["read", "-f", "x"], True, 7, [("prog read", "x")]),
    ],
)
def test_the_first_argument_chooses_the_command(
    argv: list[str], default: bool, code: int, calls: list[tuple[str, object]]
) -> None:
    program = Program(default=default)
    assert program.line.run(argv) == code
    assert program.calls == calls


@pytest.mark.parametrize(
    ("argv", "default", "line"),
    [
        (["fly"], False, "prog: unknown command 'fly': see prog --help"),
        (["--size=3"], False, "prog: unknown command '--size=3': see prog --help"),
        (["fly"], True, "prog: unrecognized arguments: fly; see --help"),
        (["count", "--bogus"], False, "prog count: unrecognized arguments: --bogus; see --help"),
        (["count", "--size=x"], False, "prog count: --size: Input should be a valid integer"),
        (["read"], False, "prog read: error: the following arguments are required: -f/--filename"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    argv: list[str], default: bool, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    program = Program(default=default)
    with pytest.raises(SystemExit) as ended:
        program.line.run(argv)
    assert ended.value.code == 2
    assert [text.startswith(line) for text in capsys.readouterr().err.splitlines()][-1]
    assert program.calls == []


@pytest.mark.parametrize("word", ["-h", "--help", "help"])
@pytest.mark.parametrize("default", [False, True])
def test_help_lists_every_command(word: str, default: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        Program(default=default).line.run([word])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: prog ")
    for line in (
        "count    count sizes",
        "read     read a file",
        "late     imported late",
        "version  print the version",
    ):
        assert f"\n  {line}\n" in out
    assert "\nprog COMMAND --help describes a command.\n" in out
    assert ("Flags of a test." in out and "--size" in out) is default
    assert ("Tests things." in out) is not default


def test_no_command_at_all_shows_the_help_and_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        Program().line.run([])
    assert ended.value.code == 2
    assert "read a file" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "text"), [("count", "Flags of a test."), ("read", "Reads a file.")])
def test_help_of_a_command(name: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        Program().line.run([name, "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: prog {name} [-h]")
    assert text in out
    assert "commands:" not in out


@pytest.mark.parametrize("word", ["version", "--version"])
def test_version(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert Program().line.run([word]) == 0
    assert capsys.readouterr().out == f"prog {package_version()}\n"


@pytest.mark.parametrize(("error", "code"), [(TestError("no disk"), 3), (StrangeTestError("no disk"), 4)])
def test_an_expected_error_is_one_line_with_its_exit_code(
    error: TestError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        Program(raises=error).line.run(["count"])
    assert ended.value.code == code
    assert capsys.readouterr().err == "prog count: no disk\n"


def test_an_unexpected_error_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        Program(raises=ZeroDivisionError()).line.run(["count"])


def test_ctrl_c_is_exit_code_130() -> None:
    assert Program(raises=KeyboardInterrupt()).line.run(["count"]) == 130


def test_a_lazy_command_is_imported_when_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program()
    assert program.line.run(["count"]) == 0, "without the module, which does not exist yet"
    module = ModuleType("anka_test_late")
    module.__dict__["COMMAND"] = Command("late", "", from_settings(Flags), program.count)
    monkeypatch.setitem(sys.modules, "anka_test_late", module)
    assert program.line.run(["late", "--size=2"]) == 0
    assert program.calls[-1] == ("prog late", 2)


def test_arguments_are_rewritten_before_they_are_parsed() -> None:
    def rewrite(prog: str, argv: list[str]) -> list[str]:
        assert prog == "prog count"
        return [word.replace("--big", "--size=9") for word in argv]

    calls: list[Call[Flags]] = []
    line = CommandLine("prog", commands=(Command("count", "", from_settings(Flags), calls.append),), rewrite=rewrite)
    assert line.run(["count", "--big"]) == 0
    assert (calls[0].options.size, calls[0].argv) == (9, ["--size=9"])


def test_a_file_has_the_defaults_of_this_machine(tmp_path: Path) -> None:
    def find(argv: Sequence[str]) -> Path:
        return tmp_path / argv[0].removeprefix("--log-level=")

    (tmp_path / "ERROR").write_text(json.dumps({"size": 5}))
    parse = from_settings(Flags, file=find)
    assert parse("prog", ["--log-level=ERROR"], "").size == 5
    assert parse("prog", ["--log-level=ERROR", "--size=6"], "").size == 6
    assert parse("prog", ["--log-level=DEBUG"], "").size == 1


@pytest.mark.parametrize("buffering", ["-u", "-B"])
def test_a_reader_that_ends_early_leaves_no_traceback(buffering: str) -> None:
    source = "import sys; from anka_runtime.cli import CommandLine; sys.exit(CommandLine('prog', 'text').run(['help']))"
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, buffering, "-c", source],
        stdout=writer,
        stderr=subprocess.PIPE,
        env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"},
        check=False,
    )
    os.close(writer)
    assert (process.returncode, process.stderr) == (READER_ENDED, b"")


def test_a_missing_extra_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        require("anka-x", "x", "json", "no_such_module")
    assert ended.value.code == USAGE
    assert capsys.readouterr().err == "anka-x: no_such_module not installed: pip install 'anka-cloud[x]'\n"


def test_nothing_is_said_when_all_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    require("anka-x", "x", "json")
    assert capsys.readouterr().err == ""
