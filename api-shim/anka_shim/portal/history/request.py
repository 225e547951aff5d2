"""Which instance or node is asked about. Pure."""

from typing import Annotated

from pydantic import Field

from anka_shim.http.parameter_types import TEXT, max_length, require
from anka_shim.http.request import RequestModel


class HistoryQuery(RequestModel):
    id: Annotated[str, require("is required"), TEXT, max_length(512)] = Field(description="Id of its row.")
