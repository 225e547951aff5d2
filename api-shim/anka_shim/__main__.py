"""`anka-shim`: see --help."""

from __future__ import annotations

from anka_crds.process.extras import require


def main(argv: list[str] | None = None) -> None:
    # Before anything that needs them is imported: an agent's installation has the command, too.
    require("anka-shim", "shim", "fastapi", "uvicorn", "limits")
    from anka_shim import command

    command.main(argv)


if __name__ == "__main__":
    main()
