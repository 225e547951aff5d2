"""docs/reference/cli.md: the commands of each program and their own arguments, from the parsers that make `--help`."""

from __future__ import annotations

import argparse
import contextlib
import inspect
import io
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from anka_dev.reference.discovery import PROGRAMS, instances, package_of
from anka_dev.reference.page import Page, code, sentence, table
from anka_dev.reference.settings import HEADINGS, process_settings
from anka_runtime.cli import Command, CommandLine, LazyCommand

INTRODUCTION = (
    "The commands of the three programs. `PROGRAM COMMAND --help` prints the same and more. Exit codes: 0 is success, "
    "1 a failure that the last line explains, 2 bad arguments or settings, 130 Ctrl-C."
)


def page() -> Page:
    made = Page("Command line", [INTRODUCTION])
    for program in PROGRAMS:
        [line] = instances(package_of(program), CommandLine)
        anchor = HEADINGS[program].lower()
        made.section(line.prog, line.description, table(("command", "what it does"), overview(line)))
        if line.default is not None:
            made.blocks.append(f"`{line.prog}` takes the [settings](settings.md#{anchor}).")
        for command in line.commands:
            parser = parser_of(line, command)
            rows = list(own_arguments(program, parser))
            if has_settings(program, parser):
                also = " as well" if rows else ""
                settings = f"It takes the [settings of the {anchor}](settings.md#{anchor}){also}."
            else:
                settings = ""
            arguments = table(("argument", "default", "meaning"), rows)
            made.section(f"{line.prog} {command.name}", parser.description or "", arguments, settings, level=3)
    return made


def overview(line: CommandLine) -> Iterator[tuple[str, str]]:
    if line.default is not None:
        yield code(line.prog), described(line.default.help)
    for command in line.commands:
        yield code(f"{line.prog} {command.name}"), described(command.help)
    yield code(f"{line.prog} version"), "Print the version."


def described(text: str) -> str:
    """A help line as a sentence."""
    return sentence(text[:1].upper() + text[1:])


class Parsed(Exception):
    """Carries a parser out of its `--help`."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__(parser.prog)
        self.parser = parser


def parser_of(line: CommandLine, command: Command[Any] | LazyCommand) -> argparse.ArgumentParser:
    """The parser that prints a command's help: argparse's own, or that which pydantic-settings makes."""

    def stop(parser: argparse.ArgumentParser, file: object = None) -> None:
        raise Parsed(parser)

    with patch.object(argparse.ArgumentParser, "print_help", stop), contextlib.redirect_stdout(io.StringIO()):
        try:
            line.run([command.name, "--help"])
        except Parsed as found:
            found.parser.description = inspect.cleandoc(found.parser.description or "")
            return found.parser
    raise AssertionError(f"{line.prog} {command.name} --help prints no help of argparse")


def own_arguments(program: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, str]]:
    """Arguments that are not settings of the program."""
    inherited = flags_of_settings(program)
    for action in parser._actions:
        if inherited & set(action.option_strings) and has_settings(program, parser):
            continue
        if isinstance(action, argparse._HelpAction):
            continue
        names = ", ".join(code(name) for name in action.option_strings) or code(metavar(action))
        text, _, default = (action.help or "").partition(" (default: ")
        yield names, default_of(action, default.rstrip(")")), described(text.removesuffix(" (required)"))


def metavar(action: argparse.Action) -> str:
    return action.metavar if isinstance(action.metavar, str) else action.dest.upper()


def default_of(action: argparse.Action, shown: str) -> str:
    """`shown`: what pydantic-settings appends to the help of a flag."""
    value = getattr(action.default, "value", action.default)
    text = shown or ("" if value in (None, argparse.SUPPRESS) else str(value))
    return {"True": "yes", "False": "no"}.get(text, "" if text in ("None", "PydanticUndefined") else code(text))


def has_settings(program: str, parser: argparse.ArgumentParser) -> bool:
    offered = {name for action in parser._actions for name in action.option_strings}
    return flags_of_settings(program) <= offered


def flags_of_settings(program: str) -> set[str]:
    return {f"--{name.replace('_', '-')}" for name in process_settings(program).model_fields}
