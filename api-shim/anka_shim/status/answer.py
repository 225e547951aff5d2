"""`GET /api/v1/status`: the body. Pure."""

from typing import Literal

from pydantic import Field

from anka_shim.http.answer import Answer, make_ok


class StatusAnswer(Answer):
    """CI plugins provision only while `status` is "Running". `version` is MAJOR.MINOR.PATCH-hash: scripts cut it at
    the dash and compare the rest as a number."""

    status: Literal["Running", "Starting"] = Field(description="Running: requests can be served.", examples=["Running"])
    version: str = Field(pattern=r"^\d+\.\d+\.\d+-[0-9a-f]+$", examples=["1.50.1-24e848a5"])
    registry_address: str = Field(examples=["http://anka.registry:8089"])
    registry_status: Literal["Running", "FAIL"] = Field(examples=["Running"])
    license: str = Field(examples=["enterprise plus"])


StatusOk = make_ok("StatusOk", StatusAnswer)
