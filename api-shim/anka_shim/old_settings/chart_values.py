"""From the settings of an old controller to values of the chart. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from anka_shim.old_settings.table import ANSWERS, SettingAnswer

_LEADS = {"by hand": "set this by hand", "missing": "no equivalent", "not needed": "not needed"}


_SWITCH = "ANKA_ENABLE_AUTH"
_WAS_OPEN = (
    "is not set, so the old controller let everybody in; here the REST API answers only who logs in, "
    "unless auth.enabled is false"
)


@dataclass(frozen=True)
class ChartTranslation:
    """`values`: of the chart, nested. `remarks`: a line for each setting that is not in them, or only in part.
    `faults`: a line for each that the old controller could not have read either."""

    values: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def translate(settings: Mapping[str, str]) -> ChartTranslation:
    """`settings`: texts by the name of the environment variable. No line repeats a text: it may be a secret."""
    found = ChartTranslation()
    if _SWITCH not in settings:
        found.remarks.append(f"{_SWITCH}: {_WAS_OPEN}")
    for name, text in settings.items():
        row = ANSWERS.get(name)
        if row is None:
            found.remarks.append(f"{name}: is no documented setting of the old controller")
        elif row.convert is None:
            found.remarks.append(f"{name}: {_describe(row)}")
        elif text:
            try:
                values = row.convert(text)
            except ValueError as error:
                found.faults.append(f"{name}: {error}")
                continue
            for path, value in values.items():
                _put(found.values, path, value)
            if values and row.rest:
                found.remarks.append(f"{name}: {row.rest}")
    return found


def _describe(row: SettingAnswer) -> str:
    places = [*row.values, *row.flags]
    see = f" ({', '.join(places)})" if places else ""
    return f"{_LEADS[row.outcome]}: {row.text}{see}"


def _put(values: dict[str, Any], path: str, value: object) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
    values[last] = value
