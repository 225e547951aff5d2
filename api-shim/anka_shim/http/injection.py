"""What endpoints work with: objects of the application, found by their type; and the caches."""

from abc import ABC, abstractmethod
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, FastAPI, Query
from starlette.requests import Request

from anka_shim.store.caches import Stores, Watches, require_caches

T = TypeVar("T")


class AppDependency(ABC, Generic[T]):
    """A dependency that needs the application and nothing of the request."""

    @abstractmethod
    def resolve(self, app: FastAPI) -> T:
        """Its value now. May raise Failure."""

    async def __call__(self, request: Request) -> T:
        return self.resolve(request.app)


class ServiceDependency(AppDependency[T]):
    """The application's object of this type."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind

    def resolve(self, app: FastAPI) -> T:
        """Raises KeyError when there is none."""
        found: T = app.state.provided[self._kind]
        return found


def inject(kind: type[object]) -> Any:
    """For annotations: `Annotated[Stores, inject(Stores)]`."""
    return Depends(ServiceDependency(kind))


def provide(app: FastAPI, *objects: object) -> None:
    """Each is found by its type and the bases of that: the command line makes settings of a subclass."""
    app.state.provided = {kind: object_ for object_ in objects for kind in type(object_).__mro__[:-1]}


Caches = Annotated[Stores, inject(Stores)]
CacheWatches = Annotated[Watches, inject(Watches)]


class SyncDependency(AppDependency[None]):
    """Refuses requests until all caches have been read once."""

    _watches = ServiceDependency(Watches)

    def resolve(self, app: FastAPI) -> None:
        require_caches(self._watches.resolve(app))


SYNCED = Depends(SyncDependency())

HiddenId = Annotated[str | None, Query(include_in_schema=False)]
"""Another spelling of an id, or of its place in the body."""
