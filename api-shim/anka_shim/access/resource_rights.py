"""What the sender of a request may see, and do to single nodes and templates, where resource permissions are on.

The sender is found in the context, not handed through: so no endpoint or command can forget whom it works for. What
they may not see looks as if it were not there; what they see and may not do is HTTP 403.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from anka_crds.api import AnkaInstance, AnkaNode, AnkaTemplate, NodeGroup, PermissionGroup
from anka_crds.api.permissions import NodePermission, TemplatePermission
from anka_crds.rules.resource_permissions import TO_START, ResourcePermissions
from anka_kube.store import EventType
from anka_shim.access.kubernetes.principal import KubernetesPrincipal
from anka_shim.catalog import Catalog
from anka_shim.failure import NOT_FOUND, Failure, forbidden, refuse
from anka_shim.http.authentication import ANONYMOUS, Principal, current_sender
from anka_shim.store.caches import Stores

NEEDS_OWNER = "group: is required while resource permissions are on"
NO_NODE_GROUPS = "group_id: node groups are disabled while resource permissions are on: give group"
NOT_YOURS = "no such group, or not yours"
CACHED_MEMBERS = 256
"""Most sets of groups whose permissions are kept."""


@dataclass(frozen=True)
class MemberRights:
    """Of one who has the nodes and templates of their permission groups alone."""

    groups: frozenset[str]
    """By name, whether there is such a group now or not."""
    permissions: ResourcePermissions
    nodes: frozenset[str]
    """Ids of those that they see, if they exist."""

    def owns(self, group: str | None) -> bool:
        """Whether they see what was made for this permission group."""
        return group is not None and group in self.groups

    def sees_node(self, node: str) -> bool:
        return node in self.nodes

    def sees_template(self, template: str) -> bool:
        return self.permissions.permits_template(template, TemplatePermission.LIST)


class ResourceRights:
    """Of the sender of the current request. Where resource permissions are off, everybody has all of them."""

    def __init__(self, stores: Stores, *, is_on: bool = False) -> None:
        self._stores = stores
        self.is_on = is_on
        self.generation = 0
        """Another number whenever permissions may be others."""
        self._known: dict[frozenset[str], tuple[ResourcePermissions, frozenset[str]]] = {}
        stores.permission_groups.subscribe(self._forget)

    def member(self) -> MemberRights | None:
        """Of the sender of the current request; None if they are not restricted."""
        return self.member_of(current_sender())

    def member_of(self, sender: Principal) -> MemberRights | None:
        """None for root, and for identities of the cluster, which have what RBAC gives them, as with kubectl."""
        if not self.is_on or _is_unrestricted(sender):
            return None
        # Never by their name: see GroupRights.
        permissions, nodes = self._look_up(sender.groups)
        return MemberRights(sender.groups, permissions, nodes)

    # --- what they see ---

    def catalog(self, catalog: Catalog | None = None) -> Catalog:
        """The part of it that they see; of the caches, if none is given."""
        catalog = self._stores if catalog is None else catalog
        member = self.member()
        return catalog if member is None else VisibleCatalog(catalog, member)

    def owns(self, group: str | None) -> bool:
        member = self.member()
        return member is None or member.owns(group)

    def sees_template(self, template: str) -> bool:
        member = self.member()
        return member is None or member.sees_template(template)

    def instance(self, id_: str) -> AnkaInstance | None:
        found = self._stores.instance(id_)
        return found if found is not None and self.owns(found.spec.permission_group) else None

    def nodes(self) -> Iterator[AnkaNode]:
        member = self.member()
        if member is None:
            return iter(self._stores.nodes)
        seen = member.nodes
        return (node for node in self._stores.nodes if node.metadata.name in seen)

    # --- what they may do ---

    def permits_node(self, node: str, permission: NodePermission) -> bool:
        member = self.member()
        return member is None or member.permissions.permits_node(node, permission)

    def require_nodes(self, permission: NodePermission, nodes: Iterable[str]) -> None:
        """Raises Failure. `nodes`: ids, of which one that they do not see is none."""
        member = self.member()
        if member is None:
            return
        names = list(nodes)
        if not all(map(member.sees_node, names)):
            raise Failure(NOT_FOUND)
        if not all(member.permissions.permits_node(name, permission) for name in names):
            raise forbidden()

    def require_template(self, template: str, *permissions: TemplatePermission) -> None:
        """The same for a template."""
        member = self.member()
        if member is None:
            return
        if not member.sees_template(template):
            raise Failure(NOT_FOUND)
        if not member.permissions.permits_template(template, *permissions):
            raise forbidden()

    def require_owner(self, name: str | None, node_group: str | None) -> PermissionGroup | None:
        """The permission group that something is to be made for; None where it needs none. Raises Failure.
        `node_group`: as the request has it."""
        if not self.is_on:
            return None
        if node_group is not None:
            raise Failure(NO_NODE_GROUPS)
        if name is None:
            if isinstance(current_sender(), KubernetesPrincipal):
                return None
            raise Failure(NEEDS_OWNER)
        found = self._stores.permission_group(name)
        if found is None or not self.owns(name):
            raise refuse("group", NOT_YOURS, name)
        return found

    def require_for(
        self, owner: PermissionGroup | None, template: str, permission: NodePermission, nodes: Sequence[str] = ()
    ) -> None:
        """Raises Failure unless this group may have this template, and these nodes, or any if none is named. Only of
        who is restricted to groups: others are asked nothing."""
        if owner is None or self.member() is None:
            return
        permissions, _ = self._look_up(frozenset((owner.spec.display_name,)))
        if not permissions.permits_template(template, *TO_START):
            raise forbidden()
        if not permissions.permits_some_node(permission):
            raise forbidden()
        if not all(permissions.permits_node(name, permission) for name in nodes):
            raise forbidden()

    def permissions_of(self, group: str | None) -> ResourcePermissions | None:
        """What the group permits; None where that does not count."""
        return None if not self.is_on or group is None else self._look_up(frozenset((group,)))[0]

    # --- inside ---

    def _look_up(self, names: frozenset[str]) -> tuple[ResourcePermissions, frozenset[str]]:
        """What these groups permit together, and the nodes that they show."""
        found = self._known.get(names)
        if found is None:
            if len(self._known) >= CACHED_MEMBERS:
                self._known.clear()
            groups = (self._stores.permission_group(name) for name in names)
            permissions = ResourcePermissions(group for group in groups if group is not None)
            found = self._known[names] = permissions, permissions.listed_nodes()
        return found

    def _forget(self, _: EventType, __: PermissionGroup | None, ___: PermissionGroup | None) -> None:
        self._known.clear()
        self.generation += 1


def _is_unrestricted(sender: Principal) -> bool:
    return sender.is_root or sender is ANONYMOUS or isinstance(sender, KubernetesPrincipal)


@dataclass(frozen=True)
class VisibleCatalog:
    """The part of a catalog that a member sees: the rest is unknown, in the same words."""

    catalog: Catalog
    member: MemberRights

    def template(self, id_: str) -> AnkaTemplate | None:
        return self.catalog.template(id_) if self.member.sees_template(id_) else None

    def templates_named(self, name: str) -> Sequence[AnkaTemplate]:
        found = self.catalog.templates_named(name)
        return [one for one in found if self.member.sees_template(one.metadata.name)]

    def node(self, id_: str) -> AnkaNode | None:
        return self.catalog.node(id_) if self.member.sees_node(id_) else None

    def nodes_named(self, name: str) -> Sequence[AnkaNode]:
        return [one for one in self.catalog.nodes_named(name) if self.member.sees_node(one.metadata.name)]

    def group(self, id_: str) -> NodeGroup | None:
        return self.catalog.group(id_)

    def groups_named(self, name: str) -> Sequence[NodeGroup]:
        return self.catalog.groups_named(name)
