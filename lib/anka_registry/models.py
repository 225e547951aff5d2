"""The registry's answers, typed: docs/reference/legacy-api.md#registry. Unknown fields are ignored; absent ones have
the value that means "none". Times are epoch seconds on the wire."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)


def _moment(value: Any) -> Any:
    """Epoch seconds, as number or text. 0, empty and anka's zero date (0001-01-01) mean never."""
    if value in (None, "", 0, "0") or str(value).startswith("0001-01-01"):
        return None
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else value


def _or(default: Any) -> WrapValidator:
    """What is null or cannot be read means the same as no field: it must not spoil the rest."""

    def read(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        try:
            return default if value is None else validate(value)
        except (ValidationError, ValueError, OverflowError, OSError):
            return default

    return WrapValidator(read)


def _strings(value: Any) -> Any:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


Moment = Annotated[datetime | None, BeforeValidator(_moment), _or(None)]
Words = Annotated[str, _or("")]
Number = Annotated[int, Field(ge=0), _or(0)]
Names = Annotated[list[str], BeforeValidator(_strings)]


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
    number: Annotated[int, Field(ge=0)]
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


class RegistryListItem(RegistryModel):
    # It becomes the name of an object.
    id: Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
    name: Words = ""
    size: Number = 0
    arch: Words = ""
    last_pull: Moment = None
    last_push: Moment = None


class RegistryTemplate(RegistryListItem):
    """One template with its versions in the order of pushes: the last is the latest."""

    versions: Annotated[list[RegistryVersion], _or([])] = []


class RegistryLog(RegistryModel):
    """A file of the central logs: the lines of one service on one machine. `size` in bytes."""

    service: str
    machine_name: str
    size: Number = 0
    modified: Moment = None
