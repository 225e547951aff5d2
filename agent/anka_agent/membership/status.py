"""`anka-agent status`: whether this Mac has joined, whether its agent runs, and the state of its node."""

import asyncio
from typing import Any

from anka_agent import VERSION, lock
from anka_agent.membership.files import Files
from anka_agent.membership.rival import find_rival
from anka_agent.settings import ShowSettings
from anka_crds.resources import INSTANCES, NODES
from anka_crds.rules.management import is_ours
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.endpoint import ConfigError
from anka_kube.errors import ApiError

ANSWER_SECONDS = 5.0


async def read_status(settings: ShowSettings) -> dict[str, Any]:
    """The output of `ankacluster status`, plus the node from the API."""
    if not Files(settings.state_dir).is_joined:
        return {"status": "not joined"}
    running = lock.find_agent(settings.state_dir) is not None
    report: dict[str, Any] = {
        "status": "running" if running else "not running",
        "config": {
            "node_id": settings.kube_name,
            "version": VERSION,
            "heartbeat": f"{settings.heartbeat:g}s",
            "num_workers": settings.num_workers,
            "state_dir": str(settings.state_dir),
        },
    }
    try:
        endpoint = await asyncio.to_thread(load_endpoint, settings.kubeconfig)
        report["config"]["controller_addresses"] = [endpoint.server]
        async with KubeClient(endpoint, user_agent=f"anka-agent/{VERSION}") as client:
            name = settings.kube_name
            node = await client.get(NODES, name, deadline=ANSWER_SECONDS)
            selector = f"status.nodeName={name}"
            rival = await find_rival(client, settings)
            found = await client.list(INSTANCES, field_selector=selector, deadline=ANSWER_SECONDS)
    except (ApiError, ConfigError) as error:
        return report | {"node": {"trouble": str(error)}}
    spec = node.spec
    report["config"] |= {
        "node_name": spec.display_name or name,
        "groups": spec.groups,
        "capacity_mode": spec.capacity_mode,
        "vm_limit": spec.max_vm_count,
        "reserve_space": f"{spec.reserve_space_percent}%",
        "vm_prefix": spec.vm_prefix,
    }
    state = str(node.status.state) if node.status.state else "not judged yet"
    machine = "this Mac" if rival is None else f"another one ({rival}): `anka-agent doctor` says what to do"
    return report | {"node": {"state": state, "instances": sum(map(is_ours, found.items)), "machine": machine}}
