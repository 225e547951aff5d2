"""A join token for an identity: the AnkaNode is claimed, then its ServiceAccount is made, then a token of it.

A join token can create and cannot read, so whatever is there already belongs to somebody else, unless we remember
that we made it: a join that was cut off goes on where it was.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from anka_agent.identity.tokens import request_token
from anka_agent.node.registration import owner_reference
from anka_crds.api import AnkaNode
from anka_crds.kube.client import KubeClient
from anka_crds.kube.errors import AlreadyExists
from anka_crds.kube.kinds import NODES
from anka_crds.kube.unstructured import SERVICE_ACCOUNTS
from anka_crds.process.files import write_private

log = logging.getLogger(__name__)

FIRST_SECONDS = 600
"""Life of the first token, which is used once: with it the node asks for one of its own."""


class NameTaken(Exception):
    """Another Mac, or an earlier life of this one, has the name."""


@dataclass
class Pending:
    """What was made so far, on the disk of this Mac."""

    server: str
    node: str
    node_uid: str = ""
    account_uid: str = ""

    @classmethod
    def load(cls, file: Path, server: str, node: str) -> Pending:
        """What is remembered of this very join; else of a new one."""
        try:
            found = cls(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls(server, node)
        return found if (found.server, found.node) == (server, node) else cls(server, node)

    def save(self, file: Path) -> None:
        write_private(file, json.dumps(asdict(self)))


async def exchange(joiner: KubeClient, node: AnkaNode, namespace: str, remembered: Path) -> str:
    """The first token of the node's own identity. Raises NameTaken, ApiError."""
    name = node.metadata.name
    pending = Pending.load(remembered, joiner.endpoint.server, name)
    account = f"node-{name}"
    if not pending.node_uid:
        body: dict[str, Any] = {"metadata": {"name": name}, "spec": node.spec.to_api()}
        try:
            created = await joiner.create(NODES, body)
        except AlreadyExists:
            raise NameTaken(f"there is an AnkaNode {name} already") from None
        pending.node_uid = created.metadata.uid or ""
        pending.save(remembered)
    if not pending.account_uid:
        owner = owner_reference(AnkaNode.from_api({"metadata": {"name": name, "uid": pending.node_uid}}))
        manifest = {"metadata": {"name": account, "ownerReferences": [owner]}}
        try:
            made = await joiner.create(SERVICE_ACCOUNTS, manifest, namespace)
        except AlreadyExists:
            raise NameTaken(f"there is a ServiceAccount {namespace}/{account} already") from None
        pending.account_uid = made.metadata.uid or ""
        pending.save(remembered)
    return await request_token(joiner, namespace, account, FIRST_SECONDS, account_uid=pending.account_uid)
