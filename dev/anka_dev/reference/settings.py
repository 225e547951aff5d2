"""docs/reference/settings.md: the flags of each program, from its settings model."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from anka_dev.reference.discovery import PROGRAMS, classes, package_of
from anka_dev.reference.page import Page, code, sentence, table
from anka_runtime.settings import ProcessSettings

COMPUTED = "(computed)"
HEAD = ("flag", "environment", "type", "default", "meaning")
INTRODUCTION = (
    "Flags of the programs, and the environment variables that set the same. A flag wins over the environment; for the "
    "agent, the environment wins over what `anka-agent join` has written to `agent.json`. `--help` prints these lists."
)
HEADINGS = {"anka-operator": "Operator", "anka-shim": "Shim", "anka-agent": "Agent"}


def page() -> Page:
    made = Page("Settings", [INTRODUCTION])
    made.section("All programs", fields_table(ProcessSettings.model_fields, ProcessSettings))
    for program in PROGRAMS:
        model = process_settings(program)
        own = {name: field for name, field in model.model_fields.items() if name not in ProcessSettings.model_fields}
        made.section(HEADINGS[program], f"`{program}`", fields_table(own, model))
    return made


def process_settings(program: str) -> type[BaseSettings]:
    """The settings model of a program: the one in its module `settings` that the others there, if any, extend. What it
    is put together from is in other modules."""
    package = package_of(program)
    found = {one for one in classes(package, ProcessSettings) if one.__module__ == f"{package}.settings"}
    [model] = [one for one in found if not found & set(one.__mro__[1:])]
    return model


def fields_table(fields: Iterable[str], model: type[BaseSettings]) -> str:
    return table(HEAD, [row(name, model.model_fields[name], model) for name in fields])


def row(name: str, field: FieldInfo, model: type[BaseSettings]) -> tuple[str, str, str, str, str]:
    flag = f"--{name.replace('_', '-')}"
    environment = f"{model.model_config.get('env_prefix', '')}{name}".upper()
    return code(flag), code(environment), type_name(field.annotation), default(field), sentence(field.description or "")


def default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return COMPUTED
    value = field.default
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None or field.is_required() else code(value)


def type_name(annotation: Any) -> str:
    """A word for people: text, integer, number, yes/no, path, or the values to choose from."""
    if get_origin(annotation) is Annotated:
        return type_name(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return ", ".join(code(value) for value in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return ", ".join(code(member.value) for member in annotation)
    alternatives = [one for one in get_args(annotation) if one is not NoneType]
    if alternatives:
        return " or ".join(dict.fromkeys(type_name(one) for one in alternatives))
    return {bool: "yes/no", int: "integer", float: "number", str: "text", Path: "path"}.get(annotation, "text")
