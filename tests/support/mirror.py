"""Which modules of the product have no unit test at their mirrored path: ``python -m support.mirror`` lists them.

``operator/anka_operator/nodes/heartbeat.py`` is mirrored by ``tests/unit/operator/nodes/test_heartbeat.py``.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
EXCEPTIONS = ROOT / "tests" / "data" / "modules-without-unit-test.yaml"
# A module without a function of more statements has nothing that a test of its own would show.
MAX_STATEMENTS = 5
PACKAGES = {
    "agent/anka_agent": "agent",
    "operator/anka_operator": "operator",
    "operator/anka_scheduler": "scheduler",
    "api-shim/anka_shim": "shim",
    "crds/anka_crds": "crds",
    "lib/anka_kube": "kube",
    "lib/anka_runtime": "runtime",
    "lib/anka_registry": "registry",
}
"""The folder of tests/unit by the package's folder."""


def longest_function(source: str) -> int:
    """The number of statements of the longest function or method, without docstrings; 0 when there is none."""
    functions = (
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return max((_statements(function) for function in functions), default=0)


def _statements(function: ast.AST) -> int:
    inside = (node for node in ast.walk(function) if isinstance(node, ast.stmt) and node is not function)
    return sum(1 for node in inside if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)))


def untested(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Module and missing test of each module with logic, both as paths below ``root``."""
    for package, folder in PACKAGES.items():
        for module in sorted((root / package).rglob("*.py")):
            if module.name == "__init__.py" or longest_function(module.read_text()) <= MAX_STATEMENTS:
                continue
            parent = module.relative_to(root / package).parent
            test = root / "tests" / "unit" / folder / parent / f"test_{module.stem.strip('_')}.py"
            if not test.is_file():
                yield str(module.relative_to(root)), str(test.relative_to(root))


def exceptions() -> dict[str, str]:
    """The reason for each module that needs no unit test of its own."""
    found = yaml.safe_load(EXCEPTIONS.read_text()) or {}
    assert isinstance(found, dict)
    return found


if __name__ == "__main__":
    excepted = exceptions()
    for name, missing in untested():
        if name not in excepted:
            sys.stdout.write(f"{name}  ->  {missing}\n")
