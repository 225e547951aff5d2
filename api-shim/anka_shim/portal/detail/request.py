"""Which object a request is about. Pure."""

from typing import Annotated

from pydantic import AfterValidator, Field

from anka_shim.http.parameter_types import TEXT, max_length, require, wrong_value
from anka_shim.http.request import RequestModel
from anka_shim.portal.kinds import KIND_RIGHTS

OBJECT_RIGHTS = {kind: right for kind, right in KIND_RIGHTS.items() if kind != "cloud"}
"""The right to see an object, by the kind of its row."""


def _check_kind(kind: str) -> str:
    if kind not in OBJECT_RIGHTS:
        raise wrong_value(f"must be one of {', '.join(OBJECT_RIGHTS)}", kind)
    return kind


class ObjectQuery(RequestModel):
    kind: Annotated[str, AfterValidator(_check_kind), require("is required"), TEXT] = Field(
        description="Kind of row that it is shown in."
    )
    id: Annotated[str, require("is required"), TEXT, max_length(512)] = Field(description="Id of the row.")
