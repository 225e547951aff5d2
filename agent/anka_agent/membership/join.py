"""`anka-agent join`: checks, the exchange of the join token for an identity, the files, the service.

A join token can create and cannot read. An object that exists belongs to another Mac, unless the record on this Mac
says that this join created it: a join that was cut off continues.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from anka_agent import VERSION
from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.command import Anka
from anka_agent.identity.tokens import read_claims, request_token
from anka_agent.mac.facts import AnkaUnusable, describe_license_problem, read_license, require_version
from anka_agent.membership.errors import MembershipError, explain_api_error
from anka_agent.membership.files import Files
from anka_agent.membership.kubeconfig import kubeconfig
from anka_agent.membership.launchd import Launchd
from anka_agent.membership.settings import JoinSettings
from anka_agent.node.view import owner_reference
from anka_crds.api import AnkaNode
from anka_crds.resources import NODES
from anka_kube.client import KubeClient
from anka_kube.credentials import StaticCredentials
from anka_kube.endpoint import Endpoint
from anka_kube.errors import AlreadyExists, ApiError, Forbidden
from anka_kube.unstructured import SERVICE_ACCOUNTS
from anka_runtime.files import read_text, write_private

log = logging.getLogger(__name__)

FIRST_SECONDS = 600
"""Life of the first token, which is used once: to request a token with the wanted life."""
ALREADY = "has joined already"
"""Is in the answer of the policy anka-joiner-new-node."""
Say = Callable[[str], None]


class NameTaken(Exception):
    """Another Mac, or an earlier join of this one, has the name."""


@dataclass
class PendingJoin:
    """What the join has created so far, recorded on this Mac's disk."""

    server: str
    node: str
    node_uid: str = ""
    account_uid: str = ""

    @classmethod
    def load(cls, file: Path, server: str, node: str) -> PendingJoin:
        """The record of this join, if there is one; else a new one."""
        try:
            found = cls(**json.loads(read_text(file)))
        except (OSError, ValueError, TypeError):
            return cls(server, node)
        return found if (found.server, found.node) == (server, node) else cls(server, node)

    def save(self, file: Path) -> None:
        write_private(file, json.dumps(asdict(self)))


async def exchange(joiner: KubeClient, node: AnkaNode, namespace: str, remembered: Path) -> str:
    """The first token of the node's own identity. Raises NameTaken, ApiError."""
    name = node.metadata.name
    pending = PendingJoin.load(remembered, joiner.endpoint.server, name)
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


async def ensure_nobody_reports(client: KubeClient, name: str) -> None:
    """This Mac's agent has not run yet. Raises MembershipError."""
    if (await client.get(NODES, name)).status.agent_version is not None:
        raise _report_theft(name)


async def join(settings: JoinSettings, service: Launchd | None, say: Say) -> None:
    """`service` None: there is none on this system, or none is wanted. Raises MembershipError."""
    files = Files(settings.state_dir)
    if files.is_joined:
        raise MembershipError(
            f"this Mac has joined already ({files.settings}): `anka-agent disjoin` first, or see `status`"
        )
    await _check_anka(settings, say)
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = await _identity(settings, files)
    say(f"Joining {settings.url} as {settings.kube_name}: Ok")
    # Absolute: the service is started in another directory.
    directory = settings.state_dir.absolute()
    there = Files(directory)
    document = kubeconfig(
        settings.url, there.token, ca=settings.authority(), verify=not settings.insecure_skip_tls_verify
    )
    kept = settings.to_agent_settings() | {
        "node_name": settings.kube_name,
        "kubeconfig": str(there.kubeconfig),
        "token_file": str(there.token),
        "lease_namespace": settings.lease_namespace,
    }
    there.write(kept, document, token)
    say(f"Settings in {there.settings}")
    if service is None:
        command = shlex.join([sys.executable, "-m", "anka_agent", "launch", f"--state-dir={directory}"])
        say(f"Anka Cloud Cluster join success. Start the agent: {command}")
        return
    service.install(directory, user=settings.service_user)
    say("Anka Cloud Cluster join success")


async def _check_anka(settings: JoinSettings, say: Say) -> None:
    anka = AnkaCli(Anka(settings.anka))
    try:
        found = await require_version(anka)
        held = await read_license(anka)
    except AnkaUnusable as error:
        raise MembershipError(str(error)) from None
    say(f"Testing anka {found.version}...: Ok")
    if problem := describe_license_problem(held):
        say(f"Warning: {problem}")


async def _identity(settings: JoinSettings, files: Files) -> str:
    """A token for this node's own identity, with the wanted life."""
    try:
        about = read_claims(settings.token)
    except ValueError as error:
        raise MembershipError(f"--token: {error}") from None
    endpoint = Endpoint(settings.url, _bearer(settings.token), settings.tls())
    namespace = settings.lease_namespace
    try:
        async with KubeClient(endpoint, user_agent=f"anka-agent/{VERSION}") as joiner:
            first = await exchange(joiner, settings.node(), namespace, files.pending)
        own = dataclasses.replace(endpoint, credentials=_bearer(first))
        async with KubeClient(own, user_agent=f"anka-agent/{VERSION}") as node:
            await ensure_nobody_reports(node, settings.kube_name)
            account = read_claims(first).account
            return await request_token(node, namespace, account, settings.token_seconds)
    except NameTaken as error:
        raise MembershipError(
            f"{error}, and a join token takes over nobody's identity: choose another --node-id, or if that node is "
            f"no more, `kubectl delete ankanode {settings.kube_name}` and join again"
        ) from None
    except Forbidden as error:
        if ALREADY in error.message:
            raise _report_theft(settings.kube_name) from None
        raise explain_api_error(error, settings.url, about) from None
    except ApiError as error:
        raise explain_api_error(error, settings.url, about) from None


def _report_theft(name: str) -> MembershipError:
    """This Mac made the AnkaNode, and another one's agent has reported: it got a token while this one joined."""
    return MembershipError(
        f"another machine has got a token for {name} and reports as it: `kubectl delete ankanode {name}` ends that "
        "token; then join again with a new join token, and find out who had this one"
    )


def _bearer(token: str) -> StaticCredentials:
    return StaticCredentials({"Authorization": f"Bearer {token}"})
