"""/api/v1/macaddr: the MAC addresses of the MACAddressPools."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, FastAPI, Query
from starlette.responses import Response

from anka_shim.failure import Failure
from anka_shim.http.body import JsonRoute
from anka_shim.http.envelope import ok
from anka_shim.http.injection import SYNCED, AppDependency, Caches, ServiceDependency
from anka_shim.http.openapi import answers
from anka_shim.mac_pool.answer import AddressCountOk, AddressListOk, address_answer
from anka_shim.mac_pool.request import NOTHING_ASKED, ChangePool, ListAddresses, read_query
from anka_shim.store.caches import Stores

NOT_MANAGED = "MAC addresses are not managed"


class ManagedDependency(AppDependency[None]):
    """Where instances get no addresses, there is nothing to ask."""

    _stores = ServiceDependency(Stores)

    def resolve(self, app: FastAPI) -> None:
        if not self._stores.resolve(app).manages_addresses:
            raise Failure(NOT_MANAGED)


router = APIRouter(tags=["MAC addresses"], route_class=JsonRoute, dependencies=[SYNCED, Depends(ManagedDependency())])

PATH = "/api/v1/macaddr"
UnusedBody = Annotated[ChangePool, Body(default_factory=ChangePool)]


@router.get(
    PATH,
    summary="Count or list MAC addresses",
    responses=answers(AddressCountOk, AddressListOk, fails=NOTHING_ASKED),
)
async def list_addresses(query: Annotated[ListAddresses, Query()], caches: Caches) -> Response:
    """Counts with `count`, else lists."""
    return ok(address_answer(read_query(query), caches.address_set(), caches.used_addresses()))


@router.put(PATH, summary="Fill the pool of MAC addresses", responses=answers(fails=NOT_MANAGED))
async def fill_pool(_: UnusedBody) -> Response:
    """Does nothing: the ranges of the MACAddressPools count as they are, and a change of them at once."""
    return ok()


@router.delete(PATH, summary="Empty the pool of MAC addresses", responses=answers(fails=NOT_MANAGED))
async def empty_pool(_: UnusedBody) -> Response:
    """Does nothing: addresses that instances have are never forgotten, and others need no list."""
    return ok()
