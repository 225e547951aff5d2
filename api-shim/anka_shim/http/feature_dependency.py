"""Parts of the API that a setting turns on."""

from collections.abc import Callable
from typing import TypeVar

from fastapi import FastAPI

from anka_shim.failure import Failure
from anka_shim.http.injection import AppDependency, ServiceDependency

S = TypeVar("S")


class FeatureDependency(AppDependency[None]):
    """Where the part is off, its endpoints are as if they were not there. `settings`: the type of what `is_on` is asked
    about. `off`: says that the part is off, and names the flag."""

    def __init__(self, settings: type[S], is_on: Callable[[S], bool], off: str) -> None:
        found = ServiceDependency(settings)
        self._is_on: Callable[[FastAPI], bool] = lambda app: is_on(found.resolve(app))
        self._off = off

    def resolve(self, app: FastAPI) -> None:
        if not self._is_on(app):
            raise Failure(f"no such endpoint: {self._off}", code=404)
