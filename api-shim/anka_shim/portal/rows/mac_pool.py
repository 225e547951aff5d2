"""A MACAddressPool as a row. Pure."""

from anka_crds.api.mac_pool import MACAddressPool
from anka_shim.portal.rows.row import Row, compact, time, why_not_ready


def mac_pool_row(pool: MACAddressPool) -> Row:
    status = pool.status
    return compact(
        id=pool.metadata.name,
        name=pool.metadata.name,
        created=time(pool.metadata.creation_timestamp),
        ranges=[{"first": one.first, "last": one.last} for one in pool.spec.ranges],
        free=status.free,
        inUse=status.in_use,
        resting=status.resting,
        reuseAfterSeconds=pool.spec.reuse_after_seconds,
        **why_not_ready(pool),
    )
