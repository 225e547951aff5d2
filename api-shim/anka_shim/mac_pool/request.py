"""Questions about MAC addresses (docs/reference/legacy-api.md#macaddr). Pure."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from anka_crds.rules.mac_addresses import parse_address
from anka_shim.failure import Failure
from anka_shim.http.parameter_types import Flag, read_capitals, read_integer, wrong_value
from anka_shim.http.request import RequestModel, option
from anka_shim.mac_pool.answer import AddressQuery

MAX_LIMIT = 10_000
NOTHING_ASKED = "count, in_use or limit: one of them is required"
"""What `last` alone lists is not said either: a pool may have more addresses than any answer can hold."""


def read_limit(value: object) -> int | None:
    limit = read_integer(value)
    if limit is not None and not 1 <= limit <= MAX_LIMIT:
        raise wrong_value(f"must be from 1 to {MAX_LIMIT}", limit)
    return limit


def read_address(value: object) -> int | None:
    text = read_capitals(value)
    address = parse_address(text)
    if text is not None and address is None:
        raise wrong_value("must be a MAC address: six bytes with ':' between them", text)
    return address


Limit = Annotated[
    int | None,
    BeforeValidator(read_limit, json_schema_input_type=Annotated[int, Field(ge=1, le=MAX_LIMIT)] | str | None),
]
Address = Annotated[int | None, BeforeValidator(read_address, json_schema_input_type=str | None)]


class ChangePool(RequestModel):
    """Nothing in it counts, but it is read as every body of a change is: one that was cut is no request."""


class ListAddresses(RequestModel):
    """One of the first three is required."""

    count: Flag = option("1: their number, instead of a list.")
    in_use: Flag = option("1: those that instances have, in the pools or not. Else those of the pools that none has.")
    limit: Limit = option("The first so many of the list.")
    last: Address = option("Of the list, those after this address.")


def read_query(request: ListAddresses) -> AddressQuery:
    """Raises Failure."""
    count, in_use = bool(request.count), bool(request.in_use)
    if not count and not in_use and request.limit is None:
        raise Failure(NOTHING_ASKED)
    return AddressQuery(count, in_use, request.limit, -1 if request.last is None else request.last)
