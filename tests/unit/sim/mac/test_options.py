"""The option parser."""

from __future__ import annotations

import pytest

from anka_sim.mac.errors import SimulatedAnkaError
from anka_sim.mac.options import parse, size

NAMES = ("f,force", "t,tag=", "v,volume,volumes-from=", "n", "wait")

PARSED = [
    ([], [], []),
    (["vm"], [], ["vm"]),
    (["-f", "vm"], [("force", "")], ["vm"]),
    (["vm", "--force"], [("force", "")], ["vm"]),
    (["--tag", "x", "vm"], [("tag", "x")], ["vm"]),
    (["--tag=x=y"], [("tag", "x=y")], []),
    (["-tx"], [("tag", "x")], []),
    (["-t", "-x"], [("tag", "-x")], []),
    (["-fn", "vm"], [("force", ""), ("n", "")], ["vm"]),
    (["-ft", "x"], [("force", ""), ("tag", "x")], []),
    (["-ftx"], [("force", ""), ("tag", "x")], []),
    (["--volumes-from", "a", "-v", "b"], [("volume", "a"), ("volume", "b")], []),
    (["--", "-f", "--tag"], [], ["-f", "--tag"]),
    (["-"], [], ["-"]),
    (["a", "--", "-f"], [], ["a", "-f"]),
]


@pytest.mark.parametrize(("argv", "given", "args"), PARSED, ids=[" ".join(row[0]) for row in PARSED])
def test_parse(argv: list[str], given: list[tuple[str, str]], args: list[str]) -> None:
    options = parse("cmd", argv, *NAMES)
    assert options._given == given
    assert options.args == args


def test_the_first_argument_ends_the_options_of_run() -> None:
    options = parse("run", ["-n", "vm", "ls", "-l", "--", "-f"], *NAMES, intermixed=False)
    assert options.flag("n")
    assert not options.flag("force")
    assert options.args == ["vm", "ls", "-l", "--", "-f"]


def test_values() -> None:
    options = parse("cmd", ["-v", "1", "-v", "2"], *NAMES)
    assert options.value("volume") == "2"
    assert options.values("volume") == ["1", "2"]
    assert options.integer("volume") == 2
    assert options.value("tag") is None
    assert options.integer("tag") is None


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["-x"], "cmd: unknown option -x"),
        (["--nope=1"], "cmd: unknown option --nope"),
        (["-fx"], "cmd: unknown option -x"),
        (["--tag"], "cmd: option --tag needs a value"),
        (["-t"], "cmd: option -t needs a value"),
        (["--force=1"], "cmd: option --force takes no value"),
    ],
)
def test_refusals(argv: list[str], message: str) -> None:
    with pytest.raises(SimulatedAnkaError, match=f"^{message}$"):
        parse("cmd", argv, *NAMES)


@pytest.mark.parametrize(("args", "fits"), [([], False), (["a"], True), (["a", "b"], True), (["a", "b", "c"], False)])
def test_positional(args: list[str], fits: bool) -> None:
    options = parse("cmd", args)
    if fits:
        assert options.positional("cmd", "A", "B", optional=1) == args
    else:
        with pytest.raises(SimulatedAnkaError, match="cmd: expected A B"):
            options.positional("cmd", "A", "B", optional=1)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4G", 4 << 30), ("4g", 4 << 30), ("4GB", 4 << 30), ("512M", 512 << 20), ("1T", 1 << 40), ("64K", 64 << 10),
        ("4", 4 << 30), ("4294967296", 4294967296), ("2048B", 2048),
    ],
)  # fmt: skip
def test_size(text: str, number: int) -> None:
    assert size(text, "ram") == number


@pytest.mark.parametrize("text", ["", "G", "4X", "0G", "-4G", "4.5G", "four"])
def test_bad_size(text: str) -> None:
    with pytest.raises(SimulatedAnkaError, match=r"ram: .* is not a size such as 4G"):
        size(text, "ram")
