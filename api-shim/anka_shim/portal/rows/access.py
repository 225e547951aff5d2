"""ApiKeys and PermissionGroups as rows. Pure. A public key is no secret, and nothing for a list."""

from anka_crds.api.api_key import ApiKey
from anka_crds.api.permission_group import PermissionGroup
from anka_shim.portal.rows.row import Row, compact, requester, time


def api_key_row(key: ApiKey) -> Row:
    return compact(
        id=key.spec.id,
        name=key.metadata.name,
        groups=key.spec.groups,
        created=time(key.metadata.creation_timestamp),
        expires=time(key.spec.expires_at),
        requestedBy=requester(key.metadata),
    )


def permission_group_row(group: PermissionGroup) -> Row:
    spec = group.spec
    return compact(
        id=spec.display_name,
        name=spec.display_name,
        created=time(group.metadata.creation_timestamp),
        controller=[str(one) for one in spec.controller_permissions],
        registry=[],
        resources=[{"type": str(one.type), "id": one.id, "permissions": one.permissions} for one in spec.resources],
        namespace=getattr(spec, "namespace", None),
    )
