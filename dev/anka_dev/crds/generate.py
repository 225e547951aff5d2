"""Write ``crds/*.yaml`` from the models: ``python -m anka_dev.crds.generate [--check]``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from anka_crds.api import KINDS
from anka_dev.crds.crd import crd
from anka_dev.repository import CRDS

HEADER = "# Generated from the models in crds/anka_crds/api by `make crds`: change those, not this file.\n"
FOLDER = CRDS


class _Dumper(yaml.SafeDumper):
    """Without anchors, and with lists indented below their key."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def render() -> dict[str, str]:
    """File name -> content, the same on every machine."""
    options: dict[str, Any] = {"Dumper": _Dumper, "sort_keys": False, "allow_unicode": True, "width": 110}
    return {f"{model.DEFINITION.plural}.yaml": HEADER + yaml.dump(crd(model), **options) for model in KINDS}


def find_drift(folder: Path) -> list[str]:
    """Names of files that are missing, differ from the models, or have no model."""
    wanted = render()
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m anka_dev.crds.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not up to date")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the YAML files are (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        print(f"{options.folder}: no such folder", file=sys.stderr)
        return 2
    files, drift = render(), find_drift(options.folder)
    for path in (options.folder / name for name in drift):
        if options.check:
            print(f"{path} does not match the models: run make crds", file=sys.stderr)
        elif path.name in files:
            path.write_text(files[path.name], encoding="utf-8")
            print(f"wrote {path}")
        else:
            path.unlink()
            print(f"removed {path}")
    return 1 if options.check and drift else 0


if __name__ == "__main__":
    sys.exit(main())
