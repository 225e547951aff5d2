"""Requests and answers of the API shim as clients see them: a body as a model, an answer as JSON."""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
from pydantic import ValidationError

from anka_shim.failure import Failure
from anka_shim.http.answer import to_json
from anka_shim.http.request import RequestModel, describe

R = TypeVar("R", bound=RequestModel)


def read(model: type[R], data: dict[str, Any]) -> R:
    """As FastAPI reads a body. Raises Failure with the message that a client gets."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Failure(describe([{**one, "loc": ("body", *one["loc"])} for one in error.errors()])) from None


def shown(answer: Any) -> Any:
    """The JSON that a client gets."""
    return orjson.loads(to_json(answer))
