"""The table of the old controller's settings: each documented one once, and what it names of ours exists."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from anka_agent.settings import AgentSettings
from anka_dev.repository import CHART
from anka_operator.settings import OperatorSettings
from anka_shim.old_settings.chart_values import translate
from anka_shim.old_settings.table import ANSWERS, CONTROLLER, MAC, REGISTRY, SettingAnswer
from anka_shim.settings import ShimSettings

ROWS = (*CONTROLLER, *REGISTRY, *MAC)
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
SETTINGS: dict[str, type[BaseSettings]] = {
    "anka-operator": OperatorSettings,
    "anka-shim": ShimSettings,
    "anka-agent": AgentSettings,
}
DOCUMENTED = 151
"""Settings of controller, registry and agent in the vendor's documentation."""
SAMPLES = ("true", "90s", "http://r:8089", ":80", "4", "https://portal.example.com", "http://push.example.com:8089")


def name_of(row: SettingAnswer) -> str:
    return row.names[0]


def has_value(path: str) -> bool:
    """Whether the chart has it; `shim.flags` and the like take any flag below."""
    place: Any = SCHEMA
    for part in path.split("."):
        properties = place.get("properties", {})
        if part not in properties:
            return False
        place = properties[part]
    return True


def test_each_setting_is_there_once() -> None:
    counted = Counter(name for row in ROWS for name in row.names)
    assert [name for name, times in counted.items() if times > 1] == []
    assert len(counted) == len(ANSWERS) == DOCUMENTED


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_each_setting_has_an_answer(row: SettingAnswer) -> None:
    assert row.text
    assert (row.outcome == "translated") == (row.convert is not None)
    assert bool(row.values or row.flags) == (row.outcome in ("translated", "by hand"))
    assert not row.rest or row.convert


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_what_is_named_exists(row: SettingAnswer) -> None:
    assert [path for path in row.values if not has_value(path)] == []
    for flag in row.flags:
        program, _, name = flag.partition(" --")
        assert name.replace("-", "_") in SETTINGS[program].model_fields, flag


@pytest.mark.parametrize("row", [row for row in ROWS if row.convert], ids=name_of)
def test_what_it_becomes_exists(row: SettingAnswer) -> None:
    """Each path that the conversion fills is of the chart; below `flags`, it is a flag."""
    assert row.convert is not None
    found: dict[str, object] = {}
    for text in SAMPLES:
        try:
            found.update(row.convert(text))
        except ValueError:
            continue
    assert found
    for path in found:
        part, middle, flag = (*path.split("."), "", "")[:3]
        if middle == "flags":
            assert flag.replace("-", "_") in SETTINGS[f"anka-{part}"].model_fields, path
        else:
            assert has_value(path), path


def test_all_at_once_are_values_that_the_chart_knows() -> None:
    found = translate({"ANKA_ENABLE_AUTH": "true", "ANKA_ENABLE_API_KEYS": "true", "ANKA_V": "0"})
    assert set(found.values) <= set(SCHEMA["properties"])
