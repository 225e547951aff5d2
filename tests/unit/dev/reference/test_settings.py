"""Tables of flags, from settings models."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from anka_agent.settings import AgentSettings
from anka_dev.reference.discovery import PROGRAMS
from anka_dev.reference.settings import COMPUTED, page, process_settings, row, type_name
from anka_operator.settings import OperatorSettings
from anka_runtime.settings import ProcessSettings
from anka_shim.settings import ShimSettings


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class ExampleSettings(ProcessSettings):
    how_long: Annotated[float, Field(gt=0)] = Field(default=40.0, description="How long it is waited for")
    needed: int = Field(description="Needed.")
    path: Path | None = Field(default=None, description="A file.")
    found: str = Field(default_factory=lambda: "here", description="Found out.")
    size: Size = Field(default=Size.LARGE, description="The size.")
    on: bool = Field(default=False, description="Whether.")


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("how_long", ("`--how-long`", "`ANKA_HOW_LONG`", "number", "`40`", "How long it is waited for.")),
        ("needed", ("`--needed`", "`ANKA_NEEDED`", "integer", "", "Needed.")),
        ("path", ("`--path`", "`ANKA_PATH`", "path", "", "A file.")),
        ("found", ("`--found`", "`ANKA_FOUND`", "text", COMPUTED, "Found out.")),
        ("size", ("`--size`", "`ANKA_SIZE`", "`small`, `large`", "`large`", "The size.")),
        ("on", ("`--on`", "`ANKA_ON`", "yes/no", "no", "Whether.")),
    ],
)
def test_a_row(name: str, cells: tuple[str, ...]) -> None:
    assert row(name, ExampleSettings.model_fields[name], ExampleSettings) == cells


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Literal["a", "b"], "`a`, `b`"),
        (int | str, "integer or text"),
        (str | None, "text"),
        (Annotated[int, "x"], "integer"),
    ],
)
def test_types_for_people(annotation: Any, expected: str) -> None:
    assert type_name(annotation) == expected


def test_every_setting_of_every_program_is_on_the_page() -> None:
    text = page().text()
    for program in PROGRAMS:
        for name, field in process_settings(program).model_fields.items():
            assert f"| `--{name.replace('_', '-')}` |" in text
            assert field.description, name


def test_a_program_has_all_of_its_settings() -> None:
    found = {program: process_settings(program) for program in PROGRAMS}
    assert found == {"anka-operator": OperatorSettings, "anka-shim": ShimSettings, "anka-agent": AgentSettings}
