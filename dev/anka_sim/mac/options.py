"""Command line options. Both argparse and getopt import gettext and re, which cost more than all of `anka`."""

from __future__ import annotations

from anka_sim.mac.errors import USAGE, SimulatedAnkaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Options:
    """What was given: `flag` and `value` by the option's first long name."""

    def __init__(self, given: list[tuple[str, str]], args: list[str]) -> None:
        self._given = given
        self.args = args

    def flag(self, name: str) -> bool:
        return any(key == name for key, _ in self._given)

    def value(self, name: str) -> str | None:
        """The last value given, None if none was."""
        return next((value for key, value in reversed(self._given) if key == name), None)

    def values(self, name: str) -> list[str]:
        return [value for key, value in self._given if key == name]

    def integer(self, name: str) -> int | None:
        value = self.value(name)
        return None if value is None else integer(value, f"--{name}")

    def positional(self, command: str, *names: str, optional: int = 0) -> list[str]:
        """Exactly these arguments, of which the last `optional` may be missing."""
        if not len(names) - optional <= len(self.args) <= len(names):
            expected = " ".join(names) or "no arguments"
            raise SimulatedAnkaError(f"{command}: expected {expected}, got: {' '.join(self.args) or 'nothing'}", USAGE)
        return self.args


def integer(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SimulatedAnkaError(f"{what}: {text!r} is not a whole number", USAGE) from None


def parse(command: str, argv: Sequence[str], *names: str, intermixed: bool = True) -> Options:
    """Parse `argv` for options such as `"f,force"` (a flag) or `"t,tag="` (with a value): an option's names, by commas.

    With `intermixed` options may follow arguments; without, the first argument ends them (`anka run VM ls -l`).
    """
    known: dict[str, tuple[str, bool]] = {}
    for entry in names:
        spellings = entry.rstrip("=").split(",")
        first = next((name for name in spellings if len(name) > 1), spellings[0])
        for name in spellings:
            known[f"-{name}" if len(name) == 1 else f"--{name}"] = (first, entry.endswith("="))
    given: list[tuple[str, str]] = []
    args: list[str] = []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--" or not word.startswith("-") or word == "-":
            if word != "--":
                args.append(word)
            if word == "--" or not intermixed:
                args += rest
                break
        elif word.startswith("--"):
            name, inline, value = word.partition("=")
            _take(command, known, name, value if inline else None, given, rest)
        else:
            _take(command, known, word[:2], word[2:] or None, given, rest)
    return Options(given, args)


def _take(
    command: str,
    known: dict[str, tuple[str, bool]],
    name: str,
    attached: str | None,
    given: list[tuple[str, str]],
    rest: list[str],
) -> None:
    """One option: its value is attached (`--tag=x`, `-tx`) or the next word; flags may be clustered (`-rf`)."""
    if name not in known:
        raise SimulatedAnkaError(f"{command}: unknown option {name}", USAGE)
    first, takes_value = known[name]
    if takes_value:
        if attached is None and not rest:
            raise SimulatedAnkaError(f"{command}: option {name} needs a value", USAGE)
        given.append((first, rest.pop(0) if attached is None else attached))
        return
    given.append((first, ""))
    if attached is not None:
        if name.startswith("--"):
            raise SimulatedAnkaError(f"{command}: option {name} takes no value", USAGE)
        _take(command, known, f"-{attached[0]}", attached[1:] or None, given, rest)


def size(text: str, what: str) -> int:
    """Bytes from `4G`, `4096M`, `8589934592`; plain numbers below 1024 mean GiB as in `ram 4`."""
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "")
    number = number[:-1] if unit == "B" and number[-1:].isalpha() else number
    if unit == "B" and text[-2:-1].isalpha():
        unit = text[-2].upper()
    shifts = {"": 0, "B": 0, "K": 10, "M": 20, "G": 30, "T": 40}
    if not number.isdigit() or unit not in shifts or int(number) == 0:
        raise SimulatedAnkaError(f"{what}: {text!r} is not a size such as 4G or 80G", USAGE)
    if not unit and int(number) < 1024:
        return int(number) << 30
    return int(number) << shifts[unit]
