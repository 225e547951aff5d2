"""Command lines as tables, from the parsers that make `--help`."""

from __future__ import annotations

import argparse

from anka_dev.reference.commands import has_settings, overview, own_arguments, page, parser_of
from anka_runtime.cli import Command, CommandLine, from_arguments


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-f", "--filename", required=True, help="a manifest")
    parser.add_argument("--count", type=int, default=3, help="how many")
    parser.add_argument("name", help="what it is called")


COMMAND = Command("show", "show one", from_arguments(add, "Shows one.\n\nAnd nothing else."), lambda call: None)
LINE = CommandLine("anka-example", "An example.", (COMMAND,))


def test_the_parser_of_a_command_is_caught_before_it_prints(capsys: object) -> None:
    parser = parser_of(LINE, COMMAND)
    assert parser.prog == "anka-example show"
    assert parser.description == "Shows one.\n\nAnd nothing else."


def test_arguments() -> None:
    assert list(own_arguments("anka-agent", parser_of(LINE, COMMAND))) == [
        ("`-f`, `--filename`", "", "A manifest."),
        ("`--count`", "`3`", "How many."),
        ("`NAME`", "", "What it is called."),
    ]
    assert not has_settings("anka-agent", parser_of(LINE, COMMAND))


def test_overview() -> None:
    assert list(overview(LINE)) == [
        ("`anka-example show`", "Show one."),
        ("`anka-example version`", "Print the version."),
    ]


def test_every_command_of_every_program_is_on_the_page() -> None:
    text = page().text()
    for heading in (
        "anka-operator explain",
        "anka-agent run",
        "anka-agent join",
        "anka-agent disjoin",
        "anka-agent doctor",
    ):
        assert f"\n### {heading}\n" in text
    join = text.partition("### anka-agent join")[2].partition("\n### ")[0]
    assert "| `--token` |" in join
    assert "`--node-name`" not in join, "it is on the page of settings"
    assert "settings.md#agent" in join
