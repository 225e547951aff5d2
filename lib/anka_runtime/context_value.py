"""A value of a context variable for the length of a block."""

import contextvars
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class ContextValue(Generic[T]):
    """A context manager. It stands on the way of every request: one that is made of a generator costs three times as
    much."""

    __slots__ = ("_token", "_value", "_variable")

    def __init__(self, variable: contextvars.ContextVar[T], value: T) -> None:
        self._variable = variable
        self._value = value

    def __enter__(self) -> None:
        self._token = self._variable.set(self._value)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._variable.reset(self._token)
