"""docs/operate/from-the-old-controller.md: the old controller's settings, from the table that translates them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from anka_agent.cli.ankacluster import INSTEAD, SAME, UNNEEDED, UNNEEDED_VALUES
from anka_dev.reference.page import Page, code, sentence, table
from anka_shim.old_settings.table import CONTROLLER, MAC, REGISTRY, SettingAnswer

HEAD = ("setting", "default", "here", "ours", "meaning")
INTRODUCTION = (
    "Every documented setting of the old controller, its registry and `ankacluster join`, as of controller 1.50, and "
    "what it is here. Values of veertuinc's chart: [old-chart.md](old-chart.md). How to move: [migrate.md](migrate.md)."
)
COMMAND = (
    "`anka-shim translate-env FILE` prints the values of [the chart](../reference/values.md) that do what an old "
    "controller's environment says. FILE is its docker-compose file (`--service NAME` if the controller is not called "
    "so there), a file of `NAME=VALUE` lines with or without `export` and quotes, or its INI file; `-` is standard "
    "input. What has no equivalent, is not needed, or needs a Secret is told on standard error, one line each. Secrets "
    "are never printed: it says where to put them. The exit code is 1 if a setting could not be read. For example "
    "`anka-shim translate-env docker-compose.yml > values.yaml`; from the image, "
    "`docker run --rm -i anka-cloud anka-shim translate-env - < docker-compose.yml > values.yaml`."
)
OUTCOMES = (
    "The column *here*: *translated* by the command; *by hand*, since it needs what the file does not have, such as a "
    "Secret, or is a choice; *not needed*, for what it was about does not exist here; *missing*: it did something that "
    "nothing here does. Several defaults are in the order of the settings."
)
FLAGS = (
    "Flags of `ankacluster join` that have another name in `anka-agent join`, or none. Those with the same name: [join "
    "the first Mac](../start/first-mac.md#join)."
)


def page() -> Page:
    made = Page("From the old controller's settings to ours", [INTRODUCTION])
    made.section("The command", COMMAND)
    made.section("Controller", OUTCOMES, table(HEAD, map(row, CONTROLLER)))
    made.section("Registry", table(HEAD, map(row, REGISTRY)))
    made.section("Macs", table(HEAD, map(row, MAC)), FLAGS, table(("flag of the old join", "ours"), flags()))
    return made


def row(answer: SettingAnswer) -> tuple[str, ...]:
    return (
        codes(answer.names),
        answer.default,
        answer.outcome,
        codes((*answer.values, *answer.flags)),
        sentence("; ".join(filter(None, (answer.text[:1].upper() + answer.text[1:], answer.rest)))),
    )


def codes(words: Iterable[str]) -> str:
    return ", ".join(map(code, words))


def flags() -> Iterator[tuple[str, str]]:
    for old, ours in SAME.items():
        yield code(old), code(ours)
    for reason, words in by_reason(INSTEAD).items():
        yield codes(words), f"refused: {reason}"
    for reason, words in by_reason({**UNNEEDED, **UNNEEDED_VALUES}).items():
        yield codes(words), f"left out: {reason}"


def by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for flag, reason in reasons.items():
        found.setdefault(reason, []).append(flag)
    return found
