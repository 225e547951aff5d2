"""The target of a request, for endpoints where the specification lets a request without one act on everything.

An empty list, an unset variable, a misspelled parameter or a lost body must not remove a template from every Mac: only
a request without any parameters means everything.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import Depends

from anka_shim.failure import Failure, quote
from anka_shim.http.body import JsonRequest

_OTHERS = frozenset({"id", "template_id", "apiVer"})
"""Other parameters of strict requests."""


@dataclass(frozen=True)
class TargetCheck:
    """A dependency of endpoints: the parameters that name the target, and what the request acts on without them.

    `strict` is for requests that destroy. It also refuses null, unknown parameters, which may be misspelled ones, and
    a body that is announced and empty, which may be a lost one (`curl -d "$UNSET"`). A Content-Type alone announces
    nothing: many clients send it always."""

    parameters: tuple[str, ...]
    otherwise: str
    strict: bool = False

    async def __call__(self, request: JsonRequest) -> None:
        """Raises Failure."""
        body = await request.json()
        given: dict[str, Any] = {**body, **request.query_params}
        empty = [name for name in self.parameters if name in given and _is_empty(given[name])]
        named = [name for name in self.parameters if name in given and name not in empty]
        for name in empty:
            if given[name] is not None or (self.strict and not named):
                raise Failure(f"{name}: names nothing: leave it out to mean {self.otherwise}")
        if not self.strict or named:
            return
        for name in given:
            if name not in _OTHERS:
                instead = f"{' or '.join(self.parameters)}, or nothing" if self.parameters else "the id alone"
                raise Failure(f"{quote(name)[1:-1]}: is unknown here: give {instead} to mean {self.otherwise}")
        is_empty = not body and request.headers.get("content-length", "0") == "0"
        is_announced = "content-length" in request.headers or "transfer-encoding" in request.headers
        if self.parameters and is_empty and is_announced and request.has_content_type:
            raise Failure(f"the request body is empty: send {{}}, or no body, to mean {self.otherwise}")


def check_target(*parameters: str, otherwise: str, strict: bool = False) -> Any:
    """The check as a dependency of an endpoint."""
    return Depends(TargetCheck(parameters, otherwise, strict))


def _is_empty(value: object) -> bool:
    if isinstance(value, str):
        return not value.strip(" ,")
    if isinstance(value, list | tuple):
        return all(_is_empty(item) for item in value)
    return value is None or value == {}
