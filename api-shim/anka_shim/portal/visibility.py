"""Which rows somebody may see, of the kinds that they may list."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Protocol

from anka_shim.access.resource_rights import MemberRights, ResourceRights
from anka_shim.http.authentication import Principal, current_sender
from anka_shim.store.caches import Stores


class Visibility(Protocol):
    """Who has the same key sees the same: messages are then made once for all of them."""

    @property
    def key(self) -> Hashable:
        """Another one whenever something else is seen."""

    def shows(self, kind: str, id_: str) -> bool: ...


class FullVisibility:
    """For all, where permissions are about kinds and not about single objects."""

    key: Hashable = None

    def shows(self, kind: str, id_: str) -> bool:
        return True


EVERYTHING = FullVisibility()


@dataclass(frozen=True)
class MemberVisibility:
    """For a member of permission groups, where resource permissions are on: what REST shows them."""

    key: Hashable
    member: MemberRights = field(compare=False)
    stores: Stores = field(compare=False)

    def shows(self, kind: str, id_: str) -> bool:
        member, stores = self.member, self.stores
        match kind:
            case "nodes":
                return member.sees_node(id_)
            case "templates":
                return member.sees_template(id_)
            case "instances":
                instance = stores.instance(id_)
                return instance is not None and member.owns(instance.spec.permission_group)
            case "distributions":
                distribution = stores.distributions.get(id_)
                return distribution is not None and member.owns(distribution.spec.permission_group)
            case "saves":
                save = stores.save(id_)
                return save is not None and member.owns(stores.owner_of(save))
            case "groups":
                # Node groups are off for them.
                return False
        return True


def find_visibility(rights: ResourceRights, stores: Stores, principal: Principal) -> Visibility:
    member = rights.member_of(principal)
    return EVERYTHING if member is None else MemberVisibility((member.groups, rights.generation), member, stores)


def sender_visibility(rights: ResourceRights, stores: Stores) -> Visibility:
    """Of the sender of the current request."""
    return find_visibility(rights, stores, current_sender())
