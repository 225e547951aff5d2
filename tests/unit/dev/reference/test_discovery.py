"""The product is found by import: its programs, modules, classes and objects."""

from __future__ import annotations

import pytest

from anka_dev.reference.discovery import PROGRAMS, classes, instances, modules, package_of, source_files
from anka_dev.reference.page import Page
from anka_runtime.cli import CommandLine


def test_packages_of_the_programs() -> None:
    assert [package_of(program) for program in PROGRAMS] == ["anka_operator", "anka_shim", "anka_agent"]


def test_a_program_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        package_of("anka-nothing")


def test_all_modules_of_a_package() -> None:
    names = {module.__name__ for module in modules("anka_dev.reference")}
    files = {path.stem for path in source_files("dev/anka_dev/reference")} - {"__init__"}
    assert names == {"anka_dev.reference", *(f"anka_dev.reference.{stem}" for stem in files)}


def test_classes_that_a_package_defines() -> None:
    assert list(classes("anka_dev.reference", Page)) == [Page]
    assert list(classes("anka_dev.dashboards", Page)) == []


def test_objects_are_found_once() -> None:
    assert len(instances("anka_operator", CommandLine)) == 1
