"""What a check found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    ok: bool
    says: str
    """What was found."""
    do: str = ""
    """What to do about it; empty if all is well."""

    def line(self) -> str:
        return f"{'ok     ' if self.ok else 'PROBLEM'} {self.what}: {self.says}{f': {self.do}' if self.do else ''}"


def ok(what: str, says: str) -> Finding:
    return Finding(what, True, says)


def problem(what: str, says: str, do: str) -> Finding:
    return Finding(what, False, says, do)
