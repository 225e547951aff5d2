"""`python -m anka_dev.bench.burst.fleet`: the agents of many Macs in one process, each with its own connections.

Prints `ready` once all have joined; ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

import uvloop

from anka_agent.app import Agent
from anka_agent.identity.tokens import request_token
from anka_agent.settings import AgentSettings
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint, load_endpoint
from anka_crds.kube.unstructured import SERVICE_ACCOUNTS
from anka_crds.process import logs
from anka_dev.bench.burst.anka import MemoryAnka
from anka_dev.bench.world import TAG, TEMPLATE, TEMPLATE_NAME, bearer
from anka_dev.cloud.install import NODE_NAMESPACE

_START_SECONDS = 2.5
_TOKEN_SECONDS = 86_400
ENDS = ".starts"
"""Ending of the file of a Mac, beside its agent's directory, that tells when its starts had ended."""
# Macs join a few at a time: hundreds of TLS handshakes at once would only time out.
_JOIN_GAP_SECONDS = 0.02


async def _identity(client: KubeClient, admin: Endpoint, ca_file: str, node: str) -> Endpoint:
    """As the node's own ServiceAccount, with a token, as on a Mac."""
    account = f"node-{node}"
    await client.create(SERVICE_ACCOUNTS, {"metadata": {"name": account}}, NODE_NAMESPACE)
    token = await request_token(client, NODE_NAMESPACE, account, _TOKEN_SECONDS)
    return bearer(admin, ca_file, token)


def _agent(name: str, endpoint: Endpoint, directory: Path, slots: int) -> Agent:
    anka = MemoryAnka(name, slots=slots, start_seconds=_START_SECONDS, ends=directory / f"{name}{ENDS}")
    anka.mac.hold(TEMPLATE, TEMPLATE_NAME, TAG)
    settings = AgentSettings(
        _cli_parse_args=False,
        node_name=name,
        host="127.0.0.1",
        max_vm_count=slots,
        num_workers=slots,
        state_dir=directory / name,
        health_port=0,
    )
    return Agent(settings, endpoint, anka)


async def _run(options: argparse.Namespace) -> None:
    admin = load_endpoint(options.kubeconfig)
    tasks = []
    async with KubeClient(admin, user_agent="anka-bench") as client:
        for number in range(options.first, options.first + options.macs):
            name = f"mac-{number:04}"
            endpoint = await _identity(client, admin, options.ca_file, name)
            tasks.append(asyncio.create_task(_agent(name, endpoint, options.directory, options.slots).run()))
            await asyncio.sleep(_JOIN_GAP_SECONDS)
    enough = asyncio.Event()
    # Each agent took the signals of its process.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, enough.set)
    waiting = asyncio.create_task(enough.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    if waiting not in done:
        raise SystemExit(f"an agent ended: {next(iter(done)).exception()!r}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--ca-file", required=True)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--macs", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True)
    options = parser.parse_args()
    logs.configure("WARNING", "json")
    uvloop.run(_run(options))


if __name__ == "__main__":
    main()
