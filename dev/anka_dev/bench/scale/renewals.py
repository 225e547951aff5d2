"""What the token of a Mac costs the apiserver: every agent asks for a new one when it starts, and once a day."""

from __future__ import annotations

from anka_agent.identity.tokens import request_token
from anka_crds.api.defaults import NODE_NAMESPACE
from anka_dev.bench import cluster_objects as world
from anka_dev.bench.population import mac_name
from anka_dev.bench.scale.site import ScaleSite
from localkube.programs.versions import API_SERVER

_TOKENS = 20
_SECONDS = 600
_IN_FLIGHT = 2


async def measure_renewals(site: ScaleSite) -> None:
    """CPU milliseconds of the apiserver for one token."""
    site.say("tokens of Macs")
    tokens = site.bench.size(_TOKENS, 4)
    async with site.client() as client:

        async def renew(number: int) -> None:
            account = f"node-{mac_name(number % site.size.macs)}"
            await request_token(client, NODE_NAMESPACE, account, _SECONDS)

        with site.meter().measure() as usage:
            await world.each(range(tokens), renew, _IN_FLIGHT)
    site.put("token_apiserver_cpu_ms", usage.cpu[API_SERVER] / tokens * 1e3, "ms")
