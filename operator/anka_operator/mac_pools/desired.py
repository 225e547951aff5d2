"""Status of a MACAddressPool: how many of its addresses are free."""

from datetime import datetime
from typing import NamedTuple

from anka_crds.api.conditions import MacPoolReason
from anka_crds.api.mac_pool import MACAddressPool
from anka_crds.rules.lifecycle import Health
from anka_crds.rules.mac_addresses import is_local, parse_address
from anka_operator.status_patch import StatusPatch, is_change, to_list, with_own_health


class AddressUsage(NamedTuple):
    """Numbers of addresses: together, all of them."""

    free: int
    in_use: int
    resting: int


def compute_status(pool: MACAddressPool, usage: AddressUsage, now: datetime) -> StatusPatch | None:
    """The patch that corrects the status, if needed."""
    health, reason, message = _assess(pool, usage)
    patch: StatusPatch = {
        "observedGeneration": pool.metadata.generation,
        "free": usage.free,
        "inUse": usage.in_use,
        "resting": usage.resting,
        "conditions": to_list(with_own_health(pool, health, reason, message, now)),
    }
    return patch if is_change(pool.status.to_api(), patch) else None


def _assess(pool: MACAddressPool, usage: AddressUsage) -> tuple[Health, MacPoolReason, str]:
    if not sum(usage):
        # The CRD refuses such ranges; one of another version may not.
        return (
            Health.FAILED,
            MacPoolReason.NO_ADDRESSES,
            "No range has an address of a network card: correct spec.ranges",
        )
    # Without numbers: the columns have them.
    if not usage.free:
        message = "All addresses are in use or rest after their use: add ranges, or a pool"
        return Health.READY, MacPoolReason.EXHAUSTED, message
    message = "Has addresses for instances"
    foreign = next((one.first for one in pool.spec.ranges if not _is_ours(one.first)), None)
    if foreign is not None:
        message += f". {foreign} may be some network card's: nobody's are those whose second digit is 2, 6, A or E"
    return Health.READY, MacPoolReason.READY, message


def _is_ours(text: str) -> bool:
    address = parse_address(text)
    return address is not None and is_local(address)
