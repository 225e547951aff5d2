"""What one agent's list costs the apiserver, in pages and at once."""

from __future__ import annotations

from anka_crds.resources import INSTANCES
from anka_dev.bench import cluster_objects as world
from anka_dev.bench.population import mac_name
from anka_dev.bench.scale.site import ScaleSite
from anka_kube.resource import Selection
from localkube.programs.versions import API_SERVER

_LISTS = 40
_PAGE = 500


async def measure_relists(site: ScaleSite) -> None:
    """CPU milliseconds of the apiserver for one list of a Mac's instances, as after a 410."""
    site.say("lists of one Mac's instances")
    lists = site.bench.size(_LISTS, 5)
    async with site.client() as client:
        for name, limit in (("paged", _PAGE), ("unpaged", 0)):

            async def one(number: int, limit: int = limit) -> None:
                selection = Selection(field_selector=f"status.nodeName={mac_name(number % site.size.macs)}")
                async for _ in client.list_pages(INSTANCES, selection, limit=limit):
                    pass

            with site.meter().measure() as usage:
                await world.each(range(lists), one, 4)
            site.put(f"relist_{name}_apiserver_cpu_ms", usage.cpu[API_SERVER] / lists * 1e3, "ms")
