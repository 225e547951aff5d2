"""`anka-agent status`: whether this Mac has joined, whether its agent runs, and what the cloud thinks of it."""

from __future__ import annotations

import asyncio
from typing import Any

from anka_agent import VERSION, lock
from anka_agent.membership.files import Files
from anka_agent.membership.flags import ShowSettings
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import ConfigError, load_endpoint
from anka_crds.kube.errors import ApiError
from anka_crds.kube.kinds import INSTANCES, NODES

ANSWER_SECONDS = 5.0


async def status(settings: ShowSettings) -> dict[str, Any]:
    """As `ankacluster status` shows it, and the node as the API has it."""
    if not Files(settings.state_dir).joined:
        return {"status": "not joined"}
    running = lock.holder(settings.state_dir) is not None
    report: dict[str, Any] = {
        "status": "running" if running else "not running",
        "config": {
            "node_id": settings.resolved_name,
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
            name = settings.resolved_name
            node = await client.get(NODES, name, deadline=ANSWER_SECONDS)
            selector = f"status.nodeName={name}"
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
    return report | {"node": {"state": state, "instances": len(found.items)}}
