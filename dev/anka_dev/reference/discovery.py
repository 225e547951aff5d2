"""Finds what the pages describe by importing the product, so that no page names one of its modules."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from anka_dev.repository import ROOT

T = TypeVar("T")

PROGRAMS = ("anka-operator", "anka-shim", "anka-agent")


def package_of(program: str) -> str:
    """The import package of a console script."""
    [script] = entry_points(group="console_scripts", name=program)
    return script.value.partition(".")[0]


@cache
def modules(package: str) -> tuple[ModuleType, ...]:
    """All modules of a package, imported."""
    top = importlib.import_module(package)
    names = [found.name for found in pkgutil.walk_packages(top.__path__, f"{package}.")]
    return (top, *(importlib.import_module(name) for name in sorted(names)))


def classes(package: str, base: type[T]) -> Iterator[type[T]]:
    """Subclasses of `base` that the package defines, by name."""
    found = {
        value
        for module in modules(package)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__.startswith(f"{package}.")
    }
    return iter(sorted(found, key=lambda one: one.__name__))


def instances(package: str, kind: type[T]) -> list[T]:
    """Module-level objects of this class, each once."""
    found: dict[int, Any] = {
        id(value): value for module in modules(package) for value in vars(module).values() if isinstance(value, kind)
    }
    return list(found.values())


def source_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))
