"""`anka-agent replace`: put this Mac in the place of another one that is this node now, because its disk was copied."""

import asyncio
from collections.abc import Callable

from anka_agent import VERSION
from anka_agent.identity.machine import read_identity
from anka_agent.mac.hardware import read_hardware_uuid
from anka_agent.membership.errors import MembershipError
from anka_agent.membership.files import Files
from anka_agent.settings import AgentSettings
from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.endpoint import ConfigError
from anka_kube.errors import ApiError, NotFound
from anka_kube.lease import CHALLENGER, LEASES, micro_time

Say = Callable[[str], None]


async def replace(settings: AgentSettings, say: Say) -> None:
    """Raises MembershipError, OSError; can be repeated."""
    files, name = Files(settings.state_dir), settings.kube_name
    if not files.is_joined and settings.kubeconfig is None:
        raise MembershipError(f"this Mac has not joined: there is no {files.settings}")
    hardware_uuid = await asyncio.to_thread(read_hardware_uuid, settings.anka)
    holder = read_identity(settings.state_dir, hardware_uuid).holder(name)
    clock = ApiClock()
    try:
        endpoint = await asyncio.to_thread(load_endpoint, settings.kubeconfig)
        async with KubeClient(endpoint, clock, user_agent=f"anka-agent/{VERSION}") as client:
            lease = await client.get(LEASES, name, settings.lease_namespace)
            if lease.holder == holder:
                say(f"This Mac is node {name} already")
                return
            spec = {
                "holderIdentity": holder,
                "renewTime": micro_time(clock.now()),
                "leaseTransitions": lease.transitions + 1,
            }
            patch = {"spec": spec, "metadata": {"annotations": {CHALLENGER: None}}}
            await client.patch(LEASES, name, patch, settings.lease_namespace)
    except NotFound:
        say(f"No Mac is node {name} now: the agent of this one becomes it when it runs")
        return
    except (ApiError, ConfigError) as error:
        raise MembershipError(str(error)) from None
    say(f"This Mac is node {name} now; the agent of the other one ({lease.holder}) stops within seconds, its VMs stay")
