"""A NodeGroup as a row. Pure."""

from anka_crds.api.group import NodeGroup
from anka_shim.catalog import Catalog, group_id
from anka_shim.portal.rows.row import Row, compact, time, why_not_ready


def group_row(group: NodeGroup, ids: Catalog) -> Row:
    spec, status = group.spec, group.status
    return compact(
        id=group.metadata.name,
        name=spec.display_name or group.metadata.name,
        created=time(group.metadata.creation_timestamp),
        description=spec.description,
        fallback=group_id(spec.fallback_group, ids) if spec.fallback_group is not None else None,
        nodes=status.nodes or 0,
        activeNodes=status.active_nodes or 0,
        **why_not_ready(group),
    )
