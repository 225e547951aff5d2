"""`anka-operator`: see --help."""

from __future__ import annotations

import sys

from anka_crds.process.extras import require


def main(argv: list[str] | None = None) -> int:
    # Before anything that needs them is imported: an agent's installation has the command, too.
    require("anka-operator", "operator", "kopf", "uvloop")
    from anka_operator import command

    return command.main(argv)


if __name__ == "__main__":
    sys.exit(main())
