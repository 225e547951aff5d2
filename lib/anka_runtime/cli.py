"""The command line of all our programs: subcommands as data, help generated from them, one line for each error."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic_settings import BaseSettings

from anka_runtime.settings import USAGE, fail, load
from anka_runtime.version import package_version

T = TypeVar("T")
S = TypeVar("S", bound=BaseSettings)

INTERRUPTED = 130
"""Exit code after Ctrl-C, as in shells."""
READER_ENDED = 141
"""Exit code when the reader of the output has exited, as in shells after SIGPIPE."""


OptionsParser = Callable[[str, list[str], str], T]
"""Makes a command's options from `prog`, its arguments and the epilog of its help. `--help` ends the process with exit
code 0, bad input with 2."""


def from_settings(model: type[S], *, file: Callable[[Sequence[str]], Path] | None = None) -> OptionsParser[S]:
    """Flags and environment of a settings model. `file` finds the JSON file that has the defaults of this machine."""

    def parse(prog: str, argv: list[str], epilog: str) -> S:
        return load(model, prog, argv, file=None if file is None else file(argv), epilog=epilog)

    return parse


def from_arguments(
    add: Callable[[argparse.ArgumentParser], None], description: str = ""
) -> OptionsParser[argparse.Namespace]:
    """Arguments that `add` declares."""

    def parse(prog: str, argv: list[str], epilog: str) -> argparse.Namespace:
        parser = argparse.ArgumentParser(
            prog, description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        add(parser)
        return parser.parse_args(argv)

    return parse


@dataclass(frozen=True)
class Call(Generic[T]):
    """A command as typed: `prog` names it in messages, `argv` is what `options` was made from."""

    prog: str
    argv: list[str]
    options: T


@dataclass(frozen=True)
class Command(Generic[T]):
    """`help`: one line. `run`: returns the exit code; None is 0."""

    name: str
    help: str
    options: OptionsParser[T]
    run: Callable[[Call[T]], int | None]


@dataclass(frozen=True)
class LazyCommand:
    """A command in a module that is imported only when it runs: the module's `COMMAND`."""

    name: str
    help: str
    module: str

    def load(self) -> Command[Any]:
        command: Command[Any] = importlib.import_module(self.module).COMMAND
        return command


@dataclass(frozen=True)
class CommandLine:
    """A program: `default` runs when the first argument names no command; its help is then the program's.

    `description`: for the help of a program without a default. `rewrite` changes a command's arguments before they are
    parsed. `errors`: exit codes of exceptions whose str() is one line for the user."""

    prog: str
    description: str = ""
    commands: Sequence[Command[Any] | LazyCommand] = ()
    default: Command[Any] | None = None
    rewrite: Callable[[str, list[str]], list[str]] | None = None
    errors: Mapping[type[Exception], int] = field(default_factory=dict)

    def run(self, argv: Sequence[str] | None = None) -> int:
        """Run what `argv` says, by default the process's arguments. Returns the exit code, or raises SystemExit."""
        try:
            try:
                return self._run_words(list(sys.argv[1:] if argv is None else argv))
            finally:
                sys.stdout.flush()
        except BrokenPipeError:  # the reader of the output has exited, as in `anka-agent --help | head`
            # The interpreter flushes once more on exit, and would complain: give it a file that accepts everything.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return READER_ENDED

    def _run_words(self, words: list[str]) -> int:
        first = words[0] if words else ""
        by_name = {command.name: command for command in self.commands}
        if first in ("version", "--version"):
            print(f"{self.prog} {package_version()}")
            return 0
        if first in by_name:
            return self._run(by_name[first], f"{self.prog} {first}", words[1:])
        if self.default is not None:
            return self._run(self.default, self.prog, ["--help"] if first == "help" else words, self._list_commands())
        if first in ("", "-h", "--help", "help"):
            print(self._help())
            raise SystemExit(0 if first else USAGE)
        return fail(self.prog, f"unknown command {first!r}: see {self.prog} --help")

    def _run(self, command: Command[Any] | LazyCommand, prog: str, argv: list[str], epilog: str = "") -> int:
        command = command.load() if isinstance(command, LazyCommand) else command
        argv = argv if self.rewrite is None else self.rewrite(prog, argv)
        try:
            return command.run(Call(prog, argv, command.options(prog, argv, epilog))) or 0
        except tuple(self.errors) as error:
            code = next(code for kind, code in self.errors.items() if isinstance(error, kind))
            return fail(prog, str(error), code=code)
        except KeyboardInterrupt:
            return INTERRUPTED

    def _help(self) -> str:
        usage = f"usage: {self.prog} COMMAND [arguments]"
        return "\n\n".join([usage, self.description, self._list_commands()])

    def _list_commands(self) -> str:
        rows = [(command.name, command.help) for command in self.commands]
        rows.append(("version", "print the version"))
        width = max(len(name) for name, _ in rows)
        lines = [f"  {name:<{width}}  {text}" for name, text in rows]
        more = [f"\n{self.prog} COMMAND --help describes a command."] if self.commands else []
        return "\n".join(["commands:", *lines, *more])


def require(prog: str, extra: str, *modules: str) -> None:
    """End the process with one clear line if a module of this extra of the distribution is not installed."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        fail(prog, f"{', '.join(missing)} not installed: pip install 'anka-cloud[{extra}]'")
