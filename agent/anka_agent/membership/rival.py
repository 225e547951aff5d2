"""Which machine is this node now: this one, or another whose disk was copied."""

import asyncio

from anka_agent.identity.machine import read_identity
from anka_agent.mac.hardware import read_hardware_uuid
from anka_agent.settings import AgentSettings
from anka_kube.client import KubeClient
from anka_kube.errors import NotFound
from anka_kube.lease import LEASES

ANSWER_SECONDS = 5.0


async def find_rival(client: KubeClient, settings: AgentSettings) -> str | None:
    """Holder of this node's Lease, if it is not this machine. Raises ApiError, OSError."""
    hardware_uuid = await asyncio.to_thread(read_hardware_uuid, settings.anka)
    own = read_identity(settings.state_dir, hardware_uuid).holder(settings.kube_name)
    try:
        lease = await client.get(LEASES, settings.kube_name, settings.lease_namespace, deadline=ANSWER_SECONDS)
    except NotFound:
        return None
    return None if lease.holder in (None, own) else lease.holder
