"""`python -m anka_dev.bench.burst.fleet`: the agents of many Macs in one process, each with its own connections.

Ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import uvloop

from anka_agent.identity.tokens import request_token
from anka_agent.settings import AgentSettings
from anka_agent.supervisor import Agent
from anka_crds.api.defaults import NODE_NAMESPACE
from anka_dev.bench.burst.memory_anka import MemoryAnka
from anka_dev.bench.burst.size import START_SECONDS
from anka_dev.bench.cluster_objects import TAG, bearer
from anka_dev.bench.population import Population, mac_name, template_id, template_name
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.credentials import StaticCredentials
from anka_kube.endpoint import Endpoint
from anka_kube.unstructured import SERVICE_ACCOUNTS
from anka_runtime import logs

_TOKEN_SECONDS = 86_400
_POLL_SECONDS = 2.0
ENDS = ".starts"
"""Suffix of the file, beside the agent's directory, with the times when starts ended."""
# Macs join a few at a time: hundreds of TLS handshakes at once would only time out.
_JOIN_GAP_SECONDS = 0.02


async def _identity(client: KubeClient, endpoint: Endpoint, node: str) -> Endpoint:
    """As the node's own ServiceAccount, with a token, as on a Mac."""
    account = f"node-{node}"
    await client.create(SERVICE_ACCOUNTS, {"metadata": {"name": account}}, NODE_NAMESPACE)
    token = await request_token(client, NODE_NAMESPACE, account, _TOKEN_SECONDS)
    return replace(endpoint, credentials=StaticCredentials({"Authorization": f"Bearer {token}"}))


def _agent(number: int, endpoint: Endpoint, options: argparse.Namespace) -> Agent:
    name, directory, slots = mac_name(number), options.directory, options.slots
    population = Population(options.groups, options.templates, options.held)
    anka = MemoryAnka(name, slots=slots, start_seconds=options.start_seconds, ends=directory / f"{name}{ENDS}")
    for template in population.templates_of(number):
        anka.mac.put_template(template_id(template), template_name(template), TAG)
    settings = AgentSettings(
        _cli_parse_args=False,
        node_name=name,
        host="127.0.0.1",
        groups=population.group_of(number),
        max_vm_count=slots,
        num_workers=slots,
        poll=options.poll_seconds,
        state_dir=directory / name,
        health_port=0,
    )
    return Agent(settings, endpoint, anka)


async def _run(options: argparse.Namespace, locks: ExitStack) -> None:
    admin = load_endpoint(options.kubeconfig)
    # One TLS context for all: it holds no connection, and a thousand of them would only take memory.
    shared = bearer(admin, options.ca_file, "")
    tasks = []
    async with KubeClient(admin, user_agent="anka-bench") as client:
        for number in range(options.first, options.first + options.macs):
            endpoint = await _identity(client, shared, mac_name(number))
            tasks.append(asyncio.create_task(_agent(number, endpoint, options).run(locks)))
            await asyncio.sleep(options.gap_seconds)
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
    parser.add_argument("--groups", type=int, default=0)
    parser.add_argument("--templates", type=int, default=1)
    parser.add_argument("--held", type=int, default=1, help="templates on each Mac")
    parser.add_argument("--start-seconds", type=float, default=START_SECONDS)
    parser.add_argument("--poll-seconds", type=float, default=_POLL_SECONDS)
    parser.add_argument("--gap-seconds", type=float, default=_JOIN_GAP_SECONDS)
    options = parser.parse_args()
    logs.configure("WARNING", "json")
    with ExitStack() as locks:
        uvloop.run(_run(options, locks))


if __name__ == "__main__":
    main()
