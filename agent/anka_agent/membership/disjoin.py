"""`anka-agent disjoin`: no new VMs, wait for those that run, stop the agent, delete the node and its identity."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress

from anka_agent import VERSION, lock
from anka_agent.anka.command import Anka
from anka_agent.anka.errors import AnkaError
from anka_agent.anka.operations import Operations
from anka_agent.membership.files import Files
from anka_agent.membership.flags import DisjoinSettings
from anka_agent.membership.trouble import Trouble
from anka_agent.service.launchd import Launchd
from anka_crds.api.phase import NodeState
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import ConfigError, load_endpoint
from anka_crds.kube.errors import ApiError, NotFound
from anka_crds.kube.kinds import INSTANCES, NODES

Say = Callable[[str], None]

LOOK_SECONDS = 1.0
STOP_SECONDS = 30.0


async def disjoin(settings: DisjoinSettings, service: Launchd | None, say: Say) -> None:
    """Raises Trouble; whatever was begun can be begun again."""
    files = Files(settings.state_dir)
    if not files.joined:
        raise Trouble(f"this Mac has not joined: there is no {files.settings}")
    name = settings.resolved_name
    try:
        endpoint = await asyncio.to_thread(load_endpoint, settings.kubeconfig)
    except ConfigError as error:
        raise Trouble(str(error)) from None
    try:
        async with KubeClient(endpoint, user_agent=f"anka-agent/{VERSION}") as client:
            if not settings.force:
                await _drain(client, name, settings.timeout, say)
            # It would report a node that is gone; launchd would start it again.
            if service is not None:
                await asyncio.to_thread(service.remove)
            await _stop_agent(settings, say)
            prefix = await _delete(client, name)
    except ApiError as error:
        if not settings.force:
            raise Trouble(f"{error}; --force forgets the identity of this Mac all the same") from None
        say(f"AnkaNode {name} could not be deleted ({error}): kubectl delete ankanode {name}")
        prefix = settings.vm_prefix
    files.remove()
    for vm in await _left(settings.anka, prefix):
        say(f"Left on this Mac: VM {vm} (anka delete --yes {vm})")
    say("Disjoined from the Anka Cloud Cluster")


async def _drain(client: KubeClient, name: str, seconds: float, say: Say) -> None:
    """Return once no instance is on this node. Takes the node back to work when cut off or out of time."""
    told, empty, drained = 0, 0, False
    try:
        async with asyncio.timeout(seconds or None):
            while not drained:
                node = await client.get(NODES, name)
                if not node.status.leaving:
                    # An agent that starts takes it back, and may have started just now.
                    await client.patch(NODES, name, {"status": {"leaving": True}}, subresource="status")
                found = await client.list(INSTANCES, field_selector=f"status.nodeName={name}")
                if found.items and len(found.items) != told:
                    told = len(found.items)
                    say(f"Waiting for {_instances(told)} to end; --force does not wait")
                quiet = not found.items and node.status.leaving and node.status.state is not NodeState.ACTIVE
                # Twice: what the scheduler decided before it saw us leave may arrive after.
                empty = empty + 1 if quiet else 0
                drained = empty == 2
                if not drained:
                    await asyncio.sleep(LOOK_SECONDS)
    except NotFound:
        drained = True
    except TimeoutError:
        raise Trouble(f"{_instances(told)} still there after {seconds:g} s; this Mac goes on working") from None
    finally:
        if not drained:
            with suppress(ApiError):
                await client.patch(NODES, name, {"status": {"leaving": None}}, subresource="status")


def _instances(count: int) -> str:
    return f"{count} instance{'' if count == 1 else 's'}"


async def _stop_agent(settings: DisjoinSettings, say: Say) -> None:
    """The one that was started by hand."""
    pid = lock.holder(settings.state_dir)
    if pid is None:
        return
    say(f"Stopping the agent (process {pid})")
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    except PermissionError:
        raise Trouble(f"the agent (process {pid}) is another user's: disjoin as that user, or with sudo") from None
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            # There is nothing that could be awaited: it is not our child.
            while lock.holder(settings.state_dir) == pid:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            return
    raise Trouble(f"the agent (process {pid}) does not end: see its log")


async def _delete(client: KubeClient, name: str) -> str:
    """The prefix of its VMs."""
    try:
        node = await client.get(NODES, name)
        await client.delete(NODES, name, uid=node.metadata.uid)
    except NotFound:
        return ""
    return node.spec.vm_prefix


async def _left(anka: str, prefix: str) -> list[str]:
    if not prefix:
        return []
    try:
        return [vm.name for vm in await Operations(Anka(anka)).vms() if vm.name.startswith(prefix)]
    except AnkaError:
        return []
