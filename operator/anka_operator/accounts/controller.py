"""Ends the tokens of a Mac when its AnkaNode is deleted, and a join token when the Mac has joined.

The apiserver refuses all tokens of a ServiceAccount that is deleted. Kubernetes' garbage collection would delete it
too, but later, and not while a finalizer keeps the AnkaNode.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from anka_crds.api import AnkaNode
from anka_crds.resources import NODES
from anka_kube.errors import NotFound
from anka_kube.store import EventType
from anka_kube.unstructured import SERVICE_ACCOUNTS, Unstructured
from anka_operator.accounts.desired import PREFIX, has_joined, is_leaving, is_outlived, is_used_up
from anka_operator.cluster.access import AnkaCluster
from anka_operator.control_loop import ControlLoop, run_all
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)

IsOver = Callable[[Unstructured, AnkaNode | None, AnkaNode | None], bool]


def _is_outlived(account: Unstructured, node: AnkaNode | None, deleted: AnkaNode | None) -> bool:
    owners = [owner["uid"] for owner in account.metadata.owner_references if owner["kind"] == NODES.kind]
    return is_outlived(owners, node, deleted)


def _is_used_up(account: Unstructured, node: AnkaNode | None, deleted: AnkaNode | None) -> bool:
    return is_used_up(datetime.fromisoformat(account.raw["metadata"]["creationTimestamp"]), node, deleted)


class AccountCleanup(ControlLoop):
    """`node_namespace`: where the ServiceAccounts of Macs are. `joining_namespace`: those of join tokens."""

    def __init__(self, cluster: AnkaCluster, clock: Clock, *, node_namespace: str, joining_namespace: str) -> None:
        super().__init__("accounts", clock, window=0.1, tick=600.0, eager=True)
        self._cluster = cluster
        self._rules: tuple[tuple[str, str, IsOver], ...] = (
            (node_namespace, PREFIX, _is_outlived),
            (joining_namespace, "", _is_used_up),
        )
        self._deleted: dict[str, AnkaNode] = {}
        """By name, those that were deleted since the last run."""
        self.follow(cluster.stores.nodes, self._on_node)

    async def run_once(self) -> None:
        deleted = dict(self._deleted)
        for namespace, prefix, is_over in self._rules:
            accounts = await self._cluster.client.list(SERVICE_ACCOUNTS, namespace)
            jobs = []
            for account in accounts.items:
                name = account.metadata.name.removeprefix(prefix)
                is_ours = account.metadata.name.startswith(prefix)
                if is_ours and is_over(account, self._cluster.stores.nodes.get(name), deleted.get(name)):
                    jobs.append(self._end(account, name, is_over, deleted.get(name)))
            await run_all(jobs)
        for name, node in deleted.items():
            if self._deleted[name] is node:
                del self._deleted[name]

    async def _end(self, account: Unstructured, name: str, is_over: IsOver, deleted: AnkaNode | None) -> None:
        """The AnkaNode is read from the API: our watch may not know yet one that was created a moment ago."""
        node = None
        with suppress(NotFound):
            node = await self._cluster.client.get(NODES, name)
        if is_over(account, node, deleted):
            await self._cluster.write.accounts.delete(account)
            log.info(
                "tokens ended",
                extra={"account": account.metadata.name, "namespace": account.metadata.namespace, "node": name},
            )

    def _on_node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if new is None:
            if old is not None:
                self._deleted[old.metadata.name] = old
                self.wake()
        elif is_leaving(new) or (has_joined(new) and (old is None or not has_joined(old))):
            self.wake()
