"""Which ServiceAccounts have outlived what they are for. Pure.

`node`: the AnkaNode of the account's name as it is now. `deleted`: one of this name that was deleted while we watched.
"""

from collections.abc import Collection
from datetime import datetime

from anka_crds.api import AnkaNode

PREFIX = "node-"
"""The account of a Mac is called node-<name of its AnkaNode>; that of a join token, as the AnkaNode."""


def is_outlived(owners: Collection[str], node: AnkaNode | None, deleted: AnkaNode | None) -> bool:
    """Whether an account of a Mac must end. `owners`: uids of the AnkaNodes that own it.

    An account that no AnkaNode owns was made by a person. Without an AnkaNode, it may be that of a Mac which is about
    to join.
    """
    if is_leaving(node):
        return True
    if not owners:
        return deleted is not None
    return node is None or node.metadata.uid not in owners


def is_used_up(made: datetime, node: AnkaNode | None, deleted: AnkaNode | None) -> bool:
    """Whether the account of a join token has let its Mac in, or that Mac was shut out meanwhile. `made`: when.

    An account that is newer than the AnkaNode is for the next one of its name.
    """
    ended = [node] if node is not None and (has_joined(node) or is_leaving(node)) else []
    ended += [deleted] if deleted is not None else []
    return any(made <= one.metadata.creation_timestamp for one in ended if one.metadata.creation_timestamp is not None)


def is_leaving(node: AnkaNode | None) -> bool:
    return node is not None and node.metadata.deletion_timestamp is not None


def has_joined(node: AnkaNode) -> bool:
    """Whether its agent has reported."""
    return node.status.agent_version is not None
