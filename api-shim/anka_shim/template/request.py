"""Requests about templates: to delete and to revert them. Pure."""

from dataclasses import dataclass

from anka_shim.failure import Failure, refuse
from anka_shim.http.parameter_types import Integer, Text
from anka_shim.http.request import RequestModel, option


class DeleteTemplate(RequestModel):
    id: Text = option("Id of the template, if not in the query.")


class VersionChoice(RequestModel):
    """Which version of a template."""

    tag: Text = option("Tag to revert to: it and all newer ones are removed.")
    number: Integer = option("Number of the version instead, from 0.")
    version: Integer = option("Another spelling of number.")


class RevertTemplate(VersionChoice):
    """The body: whatever is not in the query."""

    id: Text = option("Id of the template, if not in the query.")


@dataclass(frozen=True)
class RevertOptions:
    """Neither means the newest version."""

    tag: str | None = None
    number: int | None = None


def read_revert(query: VersionChoice, body: VersionChoice) -> RevertOptions:
    """The query takes precedence, even if empty; 0 is the first version. Raises Failure."""
    choice = body.model_copy(update=query.model_dump(exclude_unset=True))
    number = choice.version if choice.number is None else choice.number
    if number is not None and number < 0:
        raise refuse("number", "must not be negative", number)
    if choice.tag is not None and number is not None:
        raise Failure("tag and number exclude each other: give one of them")
    return RevertOptions(choice.tag, number)
