"""`anka-agent join`: checks, the exchange, the files, the service."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections.abc import Callable

from anka_agent import VERSION
from anka_agent.anka import check
from anka_agent.anka.command import Anka
from anka_agent.anka.operations import Operations
from anka_agent.identity import claims
from anka_agent.identity.tokens import request_token
from anka_agent.membership.exchange import NameTaken, exchange
from anka_agent.membership.files import Files, kubeconfig
from anka_agent.membership.flags import JoinSettings
from anka_agent.membership.trouble import Trouble, of_the_api
from anka_agent.service.launchd import Launchd
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint
from anka_crds.kube.credentials import StaticCredentials
from anka_crds.kube.errors import ApiError

Say = Callable[[str], None]


async def join(settings: JoinSettings, service: Launchd | None, say: Say) -> None:
    """`service` None: there is none on this system, or none is wanted. Raises Trouble."""
    files = Files(settings.state_dir)
    if files.joined:
        raise Trouble(f"this Mac has joined already ({files.settings}): `anka-agent disjoin` first, or see `status`")
    await _check_anka(settings, say)
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = await _identity(settings, files)
    say(f"Joining {settings.url} as {settings.resolved_name}: Ok")
    # Paths as the service will see them, wherever it is started.
    directory = settings.state_dir.absolute()
    there = Files(directory)
    document = kubeconfig(
        settings.url, there.token, ca=settings.authority(), verify=not settings.insecure_skip_tls_verify
    )
    kept = settings.of_the_agent() | {
        "node_name": settings.resolved_name,
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
    anka = Operations(Anka(settings.anka))
    try:
        found = await check.version(anka)
        held = await check.license_(anka)
    except check.Unusable as error:
        raise Trouble(str(error)) from None
    say(f"Testing anka {found.version}...: Ok")
    if trouble := check.license_trouble(held):
        say(f"Warning: {trouble}")


async def _identity(settings: JoinSettings, files: Files) -> str:
    """A token that only this node has, of the life that was asked for."""
    try:
        about = claims.read(settings.token)
    except ValueError as error:
        raise Trouble(f"--token: {error}") from None
    endpoint = Endpoint(settings.url, _bearer(settings.token), settings.tls())
    namespace = settings.lease_namespace
    try:
        async with KubeClient(endpoint, user_agent=f"anka-agent/{VERSION}") as joiner:
            first = await exchange(joiner, settings.node(), namespace, files.pending)
        own = dataclasses.replace(endpoint, credentials=_bearer(first))
        async with KubeClient(own, user_agent=f"anka-agent/{VERSION}") as node:
            account = claims.read(first).account
            return await request_token(node, namespace, account, settings.token_seconds)
    except NameTaken as error:
        raise Trouble(
            f"{error}, and a join token takes over nobody's identity: choose another --node-id, or if that node is "
            f"no more, `kubectl delete ankanode {settings.resolved_name}` and join again"
        ) from None
    except ApiError as error:
        raise of_the_api(error, settings.url, about) from None


def _bearer(token: str) -> StaticCredentials:
    return StaticCredentials({"Authorization": f"Bearer {token}"})
