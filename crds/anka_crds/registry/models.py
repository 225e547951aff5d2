"""What the registry answers, typed. Source: legacy-clients section 4. Unknown fields are ignored, absent ones
have the value that means "not there"; times are epoch seconds on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _moment(value: Any) -> Any:
    """Epoch seconds, also as text; 0, empty and anka's zero date (0001-01-01) mean never."""
    if value in (None, "", 0, "0") or str(value).startswith("0001-01-01"):
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return value


def _absent(default: Any) -> BeforeValidator:
    """A null means the same as no field."""
    return BeforeValidator(lambda value: default if value is None else value)


Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Words = Annotated[str, _absent("")]
Number = Annotated[int, _absent(0), Field(ge=0)]
Names = Annotated[list[str], _absent([])]


class RegistryModel(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class RegistryStatus(RegistryModel):
    status: Words = ""
    version: Words = ""


class RegistryDisk(RegistryModel):
    """Bytes."""

    free: Number = 0
    total: Number = 0


class RegistryVersion(RegistryModel):
    number: Number
    tag: str
    description: Words = ""
    config_file: Words = ""
    nvram: Words = ""
    images: Names = []
    state_files: Names = []
    state_file: Words = ""
    size: Number = 0
    arch: Words = ""
    last_pull: Moment = None
    last_push: Moment = None
    creation_date: Moment = None


class RegistryRow(RegistryModel):
    """One element of a list."""

    id: str
    name: str
    size: Number = 0
    arch: Words = ""


class RegistryTemplate(RegistryRow):
    """One template with its versions in the order of pushes: the last is the latest."""

    versions: Annotated[list[RegistryVersion], _absent([])] = []
    last_pull: Moment = None
    last_push: Moment = None


class RegistryLog(RegistryModel):
    """A file of the central logs: what one service on one machine has sent. `size` in bytes."""

    service: str
    machine_name: str
    size: Number = 0
    modified: Moment = None
