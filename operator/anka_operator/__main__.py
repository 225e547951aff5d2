"""`anka-operator`: see --help."""

import sys

from anka_runtime.cli import require
from anka_runtime.imports import uncollected


def main(argv: list[str] | None = None) -> int:
    # Before importing what needs them: an installation of the agent has this command, too.
    require("anka-operator", "operator", "kopf", "uvloop")
    with uncollected():
        from anka_operator.cli import main as command

    return command.main(argv)


if __name__ == "__main__":
    sys.exit(main())
