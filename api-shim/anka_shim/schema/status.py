"""GET /api/v1/status, as documented."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from anka_shim.schema.envelope import Answer, Failed, Succeeded


class Status(Answer):
    status: Literal["Running", "Starting"] = Field(description="Running: requests can be served.", examples=["Running"])
    version: str = Field(pattern=r"^\d+\.\d+\.\d+-[0-9a-f]+$", examples=["1.50.1-24e848a5"])
    registry_address: str = Field(examples=["http://anka.registry:8089"])
    registry_status: Literal["Running", "FAIL"] = Field(examples=["Running"])
    license: str = Field(examples=["enterprise plus"])


class StatusOk(Succeeded):
    body: Status


StatusAnswer = StatusOk | Failed
