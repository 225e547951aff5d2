"""One distribution, several processes: what a process needs beyond the agent's packages is an extra."""

from __future__ import annotations

from importlib.util import find_spec

from anka_crds.process.settings import fail


def require(prog: str, extra: str, *modules: str) -> None:
    """End the process with one clear line when a module of this extra is not installed."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        fail(prog, f"{', '.join(missing)} not installed: pip install 'anka-cloud[{extra}]'")
