"""What permission groups allow their members to do with single nodes and templates. Pure.

Of several groups all that any of them permits counts. A node or template that no group names may not be used, with one
exception: a group that names no node at all may start instances and pull templates on every one.
"""

from collections.abc import Iterable, Mapping

from anka_crds.api.permission_group import PermissionGroup
from anka_crds.api.permissions import NodePermission, ResourceKind, TemplatePermission

ON_ANY_NODE = frozenset({NodePermission.CREATE_INSTANCE, NodePermission.DISTRIBUTE})
"""What a group that names no node may do on all."""
TO_START = (TemplatePermission.LIST, TemplatePermission.PULL)
"""What a group needs of a template to start instances of it, and to bring it to Macs."""


class ResourcePermissions:
    """Of one or more groups together."""

    __slots__ = ("_nodes", "_on_any_node", "_templates")

    def __init__(self, groups: Iterable[PermissionGroup]) -> None:
        self._nodes: dict[str, set[str]] = {}
        self._templates: dict[str, set[str]] = {}
        self._on_any_node: frozenset[str] = frozenset()
        for group in groups:
            names_node = False
            for resource in group.spec.resources:
                # Both kinds of id are in small letters in Kubernetes; a UUID may be written in capitals.
                if resource.type is ResourceKind.NODE:
                    names_node = True
                    self._nodes.setdefault(resource.id.lower(), set()).update(resource.permissions)
                else:
                    self._templates.setdefault(resource.id.lower(), set()).update(resource.permissions)
            if not names_node:
                self._on_any_node = ON_ANY_NODE

    def permits_node(self, node: str, permission: NodePermission) -> bool:
        """`node`: metadata.name of the AnkaNode."""
        return permission in self._on_any_node or permission in self._nodes.get(node, ())

    def permits_template(self, template: str, *permissions: TemplatePermission) -> bool:
        """Whether all of these are permitted. `template`: its UUID."""
        return self._templates.get(template, frozenset()).issuperset(permissions)

    def listed_nodes(self) -> frozenset[str]:
        """Ids of all nodes that the members see."""
        return frozenset(node for node, permissions in self._nodes.items() if NodePermission.LIST in permissions)

    def permits_some_node(self, permission: NodePermission) -> bool:
        """Whether there can be a node for which it is permitted."""
        return permission in self._on_any_node or any(permission in one for one in self._nodes.values())


def effective_groups(groups: Iterable[PermissionGroup]) -> Mapping[str, PermissionGroup]:
    """Those that count, by the name that clients use: of several with one name, the oldest. A new object takes nothing
    over from one that is there."""
    found: dict[str, PermissionGroup] = {}
    for group in sorted(groups, key=age_of, reverse=True):
        found[group.spec.display_name] = group
    return found


def list_permissions(groups: Iterable[PermissionGroup]) -> Mapping[str, ResourcePermissions]:
    """What each group alone permits, by its name."""
    return {name: ResourcePermissions((group,)) for name, group in effective_groups(groups).items()}


def age_of(group: PermissionGroup) -> tuple[str, str]:
    """The oldest sorts first."""
    return str(group.metadata.creation_timestamp), group.metadata.name
