"""What a machine sends to log in (docs/reference/legacy-api.md#uak). Pure.

Whatever is wrong with it is answered like wrong credentials: clients take HTTP 200 for a success here.
"""

from typing import Any

from pydantic import Field

from anka_shim.http.request import RequestModel

_LONGEST = 512


class Hand(RequestModel):
    id: Any = Field(default=None, description="Id of an API key.", json_schema_extra={"type": "string"})


class Shake(RequestModel):
    id: Any = Field(default=None, description="Id of an API key.", json_schema_extra={"type": "string"})
    secret: Any = Field(
        default=None, description="What the hand's answer decrypts to.", json_schema_extra={"type": "string"}
    )


def read_word(value: Any) -> str | None:
    """None for what cannot be an id or a secret."""
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST else None
