"""/api/v1/logs, as documented."""

from __future__ import annotations

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from anka_shim.schema.envelope import Answer, Failed, Succeeded

EXAMPLE: JsonDict = {
    "node_id": "mac-01",
    "instance_id": "81cd7415-7779-46ed-b5cb-e887c27317d7",
    "service": "instance-81cd7415-7779-46ed-b5cb-e887c27317d7",
    "size": 1893,
    "modified": "2026-11-24T13:05:11Z",
    "file": "/logs/file?node_id=mac-01&instance_id=81cd7415-7779-46ed-b5cb-e887c27317d7",
}


class LogFile(Answer):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    node_id: str = Field(description="The Mac that sent it.")
    instance_id: str | None = Field(description="What it tells of; null for logs that are not of one instance.")
    service: str = Field(description="Who sent it: anka_agent is the agent.")
    size: int = Field(ge=0, description="Bytes.")
    modified: str | None
    file: str | None = Field(description="Where its content is; null where it is not an agent's.")


class LogListOk(Succeeded):
    body: list[LogFile]


LogList = LogListOk | Failed
