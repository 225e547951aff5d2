"""Write ``crds/*.yaml`` from the models: ``python -m anka_crds.schema.generate [--check]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from anka_crds.api import KINDS
from anka_crds.schema.crd import crd

HEADER = "# Generated from the models in crds/anka_crds/api by `make crds`: change those, not this file.\n"
FOLDER = Path(__file__).resolve().parents[2]


class _Dumper(yaml.SafeDumper):
    """Without anchors, and with lists indented below their key."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def rendered() -> dict[str, str]:
    """File name -> content, the same on every machine."""
    return {f"{model.SERVED.plural}.yaml": HEADER + _yaml(crd(model)) for model in KINDS}


def _yaml(data: dict[str, Any]) -> str:
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))


def drifted(folder: Path) -> list[str]:
    """Names of files that are missing, differ from the models, or have no model any more."""
    wanted = rendered()
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m anka_crds.schema.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not up to date")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the YAML files are (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        print(f"{options.folder}: no such folder", file=sys.stderr)
        return 2
    names = drifted(options.folder)
    if options.check:
        for name in names:
            print(f"{options.folder / name} does not match the models: run make crds", file=sys.stderr)
        return 1 if names else 0
    files = rendered()
    for name in names:
        path = options.folder / name
        if name in files:
            path.write_text(files[name], encoding="utf-8")
        else:
            path.unlink()
        print(f"{'wrote' if name in files else 'removed'} {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
