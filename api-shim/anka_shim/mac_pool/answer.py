"""Numbers and lists of MAC addresses (docs/reference/legacy-api.md#macaddr). Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

from anka_crds.rules.mac_addresses import AddressSet, format_address
from anka_shim.http.answer import make_ok


@dataclass(frozen=True)
class AddressQuery:
    """`limit` None: all. `last`: what is listed is greater."""

    count: bool
    in_use: bool
    limit: int | None
    last: int


AddressCountOk = make_ok("AddressCountOk", int, description="With `count`.", examples=[65521])
AddressListOk = make_ok(
    "AddressListOk",
    list[str],
    description="Without `count`: sorted, in capital letters.",
    examples=[["02:00:5E:10:00:00", "02:00:5E:10:00:01"]],
)


def address_answer(query: AddressQuery, pools: AddressSet, used: Collection[int]) -> int | list[str]:
    """`used`: the addresses that instances have, or ask for while they wait. An address that rests counts as free."""
    if query.count:
        return len(used) if query.in_use else len(pools) - sum(1 for address in used if address in pools)
    if query.in_use:
        found = iter(sorted(address for address in used if address > query.last))
    else:
        found = (address for address in pools.above(query.last) if address not in used)
    return [format_address(address) for address in islice(found, query.limit)]
