"""The envelope, as documented."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Failed(Answer):
    """What any request may get instead, with HTTP 200."""

    status: Literal["FAIL"]
    message: str = Field(description="Why, in words for people.", examples=["Not found"])


class Succeeded(Answer):
    status: Literal["OK"]
    message: Literal[""]


class Ok(Succeeded):
    """Done, and there is nothing more to say."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "OK", "message": ""}]})


Done = Ok | Failed
