"""`anka-agent disjoin`: no new VMs, wait for those that run, stop the agent, delete the node and its identity."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress

from anka_agent import VERSION, lock
from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.command import Anka
from anka_agent.anka.errors import AnkaError
from anka_agent.membership.errors import MembershipError
from anka_agent.membership.files import Files
from anka_agent.membership.launchd import Launchd
from anka_agent.membership.rival import find_rival
from anka_agent.membership.settings import DisjoinSettings
from anka_crds.api.states import NodeState
from anka_crds.resources import INSTANCES, NODES
from anka_crds.rules.management import is_ours
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.endpoint import ConfigError
from anka_kube.errors import ApiError, NotFound

Say = Callable[[str], None]

LOOK_SECONDS = 1.0
STOP_SECONDS = 30.0


async def disjoin(settings: DisjoinSettings, service: Launchd | None, say: Say) -> None:
    """Raises MembershipError; each part can be repeated."""
    files = Files(settings.state_dir)
    if not files.is_joined:
        raise MembershipError(f"this Mac has not joined: there is no {files.settings}")
    name = settings.kube_name
    try:
        endpoint = await asyncio.to_thread(load_endpoint, settings.kubeconfig)
    except ConfigError as error:
        raise MembershipError(str(error)) from None
    try:
        async with KubeClient(endpoint, user_agent=f"anka-agent/{VERSION}") as client:
            rival = await _find_rival(client, settings)
            if rival is None and not settings.force:
                await _drain(client, name, settings.timeout, say)
            # The service before the agent: launchd would start the agent again.
            if service is not None:
                await asyncio.to_thread(service.remove)
            await _stop_agent(settings, say)
            if rival is None:
                prefix = await _delete(client, name)
            else:
                say(f"AnkaNode {name} stays: it is another Mac's ({rival}), whose disk this one has a copy of")
                prefix = settings.vm_prefix
    except ApiError as error:
        if not settings.force:
            raise MembershipError(f"{error}; --force forgets the identity of this Mac all the same") from None
        say(f"AnkaNode {name} could not be deleted ({error}): kubectl delete ankanode {name}")
        prefix = settings.vm_prefix
    files.remove()
    for vm in await _list_vms(settings.anka, prefix):
        say(f"Left on this Mac: VM {vm} (anka delete --yes {vm})")
    say("Disjoined from the Anka Cloud Cluster")


async def _find_rival(client: KubeClient, settings: DisjoinSettings) -> str | None:
    """With --force not necessarily: who was shut out may not ask any more, and stops its agent all the same."""
    try:
        return await find_rival(client, settings)
    except ApiError:
        if not settings.force:
            raise
        return None


async def _drain(client: KubeClient, name: str, seconds: float, say: Say) -> None:
    """Return once no instance is on this node. If interrupted or out of time, undo the drain."""
    reported, empty, drained = 0, 0, False
    try:
        async with asyncio.timeout(seconds or None):
            while not drained:
                node = await client.get(NODES, name)
                if not node.status.leaving:
                    # An agent that starts clears it, and may have started just now.
                    await client.patch(NODES, name, {"status": {"leaving": True}}, subresource="status")
                found = await client.list(INSTANCES, field_selector=f"status.nodeName={name}")
                left = sum(is_ours(one) for one in found.items)
                if left and left != reported:
                    reported = left
                    say(f"Waiting for {_instances(reported)} to end; --force does not wait")
                quiet = not left and node.status.leaving and node.status.state is not NodeState.ACTIVE
                # Twice: a decision that the scheduler made before it saw the change may arrive later.
                empty = empty + 1 if quiet else 0
                drained = empty == 2
                if not drained:
                    await asyncio.sleep(LOOK_SECONDS)
    except NotFound:
        drained = True
    except TimeoutError:
        raise MembershipError(
            f"{_instances(reported)} still there after {seconds:g} s; this Mac goes on working"
        ) from None
    finally:
        if not drained:
            with suppress(ApiError):
                await client.patch(NODES, name, {"status": {"leaving": None}}, subresource="status")


def _instances(count: int) -> str:
    return f"{count} instance{'' if count == 1 else 's'}"


async def _stop_agent(settings: DisjoinSettings, say: Say) -> None:
    """Stop an agent that was started by hand."""
    found = lock.find_agent(settings.state_dir)
    if found is None:
        return
    pid = found.pid
    if pid is None:
        raise MembershipError(f"an agent uses --state-dir {settings.state_dir}, and its process is not known: stop it")
    say(f"Stopping the agent (process {pid})")
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    except PermissionError:
        raise MembershipError(
            f"the agent (process {pid}) is another user's: disjoin as that user, or with sudo"
        ) from None
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            # Not a child of this process: there is no event to wait for.
            while lock.find_agent(settings.state_dir) == found:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            return
    raise MembershipError(f"the agent (process {pid}) does not end: see its log")


async def _delete(client: KubeClient, name: str) -> str:
    """Delete the node; returns the prefix of its VMs."""
    try:
        node = await client.get(NODES, name)
        await client.delete(NODES, name, uid=node.metadata.uid)
    except NotFound:
        return ""
    return node.spec.vm_prefix


async def _list_vms(anka: str, prefix: str) -> list[str]:
    if not prefix:
        return []
    try:
        return [vm.name for vm in (await AnkaCli(Anka(anka)).vms()).vms if vm.name.startswith(prefix)]
    except AnkaError:
        return []
