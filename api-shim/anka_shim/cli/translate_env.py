"""Prints the values of the chart that do what an old controller's environment says, as YAML.

FILE is its docker-compose file, an env file of NAME=VALUE lines, or its INI file. What has no equivalent, or needs a
Secret, is told on standard error, a line each. No value of a secret is printed."""

import argparse
import sys
from pathlib import Path

import yaml

from anka_runtime.cli import Call, Command, from_arguments
from anka_runtime.settings import fail
from anka_shim.old_settings.chart_values import translate
from anka_shim.old_settings.environment_file import UnreadableEnvironment, parse

MOST_BYTES = 1 << 20
"""Of the file: an environment takes a few KiB."""
WRONG_SETTINGS = 1
"""Exit code if a setting could not be read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the old controller's environment; - reads stdin")
    parser.add_argument("--service", help="service of the docker-compose file; by default the one called controller")


def run(call: Call[argparse.Namespace]) -> int:
    """Exit code: 0 all that has an equivalent is printed, 1 a setting is wrong, 2 the file cannot be read."""
    file, service = call.options.file, call.options.service
    where = "stdin" if file == "-" else file
    try:
        environment = parse(_read(call.prog, file), service)
    except UnreadableEnvironment as error:
        fail(call.prog, f"{where}: {error}")
    translation = translate(environment.settings)
    print(f"# Values of the chart anka-cloud, from {where}")
    if translation.values:
        print(yaml.safe_dump(translation.values, sort_keys=True), end="")
    for line in (*environment.remarks, *translation.remarks, *translation.faults):
        print(f"{call.prog}: {line}", file=sys.stderr)
    return WRONG_SETTINGS if translation.faults else 0


def _read(prog: str, file: str) -> str:
    """Ends the process if it cannot be read."""
    try:
        if file == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(MOST_BYTES + 1)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(prog, f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}")
    if len(data) > MOST_BYTES:
        fail(prog, f"{file} is larger than {MOST_BYTES} bytes: that is no environment")
    return text


COMMAND = Command(
    "translate-env",
    "print an old controller's environment as values of the chart",
    from_arguments(add_arguments, __doc__),
    run,
)
