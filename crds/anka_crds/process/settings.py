"""Settings of a process: one pydantic-settings model, read from flags and environment; errors in one line each."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    CliApp,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from anka_crds.process.logs import LogFormat

USAGE = 2
"""Exit code for bad input, as argparse has it."""

S = TypeVar("S", bound=BaseSettings)


class ProcessSettings(BaseSettings):
    """Base of the three settings models. Flags are kebab-case; the environment is ANKA_<FIELD>."""

    model_config = SettingsConfigDict(
        env_prefix="ANKA_",
        extra="ignore",
        cli_kebab_case=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
        cli_implicit_flags=True,
        cli_exit_on_error=False,
        nested_model_default_partial_update=True,
    )

    kubeconfig: Path | None = Field(
        default=None, description="Kubeconfig of the cluster; else KUBECONFIG, else the pod's service account."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Least level logged.")
    log_format: LogFormat = Field(default="json", description="One JSON object a line, or text.")

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level


class RegistryUser(ProcessSettings):
    """A process that reads the registry."""

    registry_url: str | None = Field(
        default=None, description="URL of the Anka registry, such as http://registry:8089."
    )

    @field_validator("registry_url")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url.rstrip("/") if url else None


def load(model: type[S], prog: str, argv: list[str] | None = None, *, file: Path | None = None) -> S:
    """Settings from `argv`, the environment and, if it is there, the JSON `file`, in this order.

    Ends the process with one clear line for each wrong value."""
    # --help begins with the docstring, which a subclass would not have of itself.
    body: dict[str, Any] = {"model_config": SettingsConfigDict(cli_prog_name=prog), "__doc__": inspect.getdoc(model)}
    if file is not None:
        body["settings_customise_sources"] = classmethod(_with_defaults(_read(prog, file)))
    named = type(model.__name__, (model,), body)
    try:
        return CliApp.run(named, cli_args=sys.argv[1:] if argv is None else argv)
    except ValidationError as error:
        lines = [_line(item["loc"], item["msg"], item.get("input")) for item in error.errors()]
    except SettingsError as error:
        lines = [f"{str(error).removeprefix('error parsing CLI: ')}; see --help"]
    return fail(prog, *lines)


def _read(prog: str, file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        fail(prog, f"{file} cannot be read: {' '.join(str(error).split())}")
    if not isinstance(values, dict):
        fail(prog, f"{file} is not a JSON object of settings")
    return values


def _with_defaults(values: dict[str, Any]) -> Callable[..., tuple[PydanticBaseSettingsSource, ...]]:
    def sources(
        cls: type[BaseSettings],
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        **_: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, InitSettingsSource(settings_cls, values)

    return sources


def fail(prog: str, *lines: str, code: int = USAGE) -> NoReturn:
    """End the process with these lines on stderr: no traceback reaches a person."""
    for line in lines:
        print(f"{prog}: {line}", file=sys.stderr)
    raise SystemExit(code)


def _line(loc: tuple[int | str, ...], message: str, value: object) -> str:
    flag = "--" + str(loc[0]).replace("_", "-") if loc else "settings"
    message = message.removeprefix("Value error, ")
    if message == "Field required":
        return f"{flag} is needed (or environment ANKA_{str(loc[0]).upper()}): see --help"
    return f"{flag}: {message} (given: {value!r})"
