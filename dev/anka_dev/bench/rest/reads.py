"""Lists of 1,000 instances and single reads, over HTTP and from the apiserver directly."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
import uuid

from anka_crds.api import AnkaInstance
from anka_dev.bench import cluster_objects as world
from anka_dev.bench import orchard as peers
from anka_dev.bench.load.plan import NAME
from anka_dev.bench.rest.site import RAW, SHIM, VM, Site, cpu_ms_each, plan
from localkube.errors import DevError

_COUNT = 1000
_STARTED_OF_TEN = 8
_MACS = 250
_SEEN_SECONDS = 30.0


class Reads:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._bench = site.bench
        self._count = site.bench.size(_COUNT, 20)
        self._seconds = site.bench.size(6, 1)

    def measure(self) -> None:
        self._bench.say(f"rest: {self._count} instances, {_STARTED_OF_TEN} of 10 Started with a whole VM")
        ids = asyncio.run(self._populate())
        self._wait_until_seen()
        self._livez()
        self._lists()
        self._gets(ids)

    async def _populate(self) -> list[str]:
        ids = [str(uuid.uuid4()) for _ in range(self._count)]
        async with world.admin(self._bench.cluster) as client:
            made = await world.make_instances(
                client,
                ids,
                displayName="ci-build",
                externalId="https://ci.example.com/job/ios/17",
                startupScript={"content": world.startup_script()},
            )
            running = [item for item in enumerate(made) if item[0] % 10 < _STARTED_OF_TEN]

            async def start(item: tuple[int, AnkaInstance]) -> None:
                number, instance = item
                mac = number % _MACS
                await world.start_instance(client, instance, f"mac-{mac:03}", f"10.0.{mac // 250}.{mac % 250}", number)

            await world.each(running, start)
        return ids

    def _wait_until_seen(self) -> None:
        """Wait until the shim shows all of them as they are."""
        wanted = sum(number % 10 < _STARTED_OF_TEN for number in range(self._count))
        deadline = time.monotonic() + _SEEN_SECONDS
        while True:
            with urllib.request.urlopen(self._site.cloud.url + VM, timeout=30) as answer:
                listed = json.load(answer)["body"]
            started = sum(item["vm"]["instance_state"] == "Started" for item in listed)
            if len(listed) == self._count and started == wanted:
                return
            if time.monotonic() > deadline:
                seen = f"{len(listed)} instances, {started} of them Started"
                raise DevError(f"the shim shows {seen}; there are {self._count}, and {wanted}")
            # A list from outside has no event to wait for.
            time.sleep(0.1)

    def _livez(self) -> None:
        """What the server itself costs, with an answer of two bytes."""
        for clients in (1, 8):
            load = plan("/livez", seconds=self._seconds, connections=clients, warm_up=50)
            result, _ = self._site.shim(load, expects="")
            self._bench.more(f"rest.livez_per_s_c{clients}", result.per_second, "1/s")

    def _lists(self) -> None:
        bench = self._bench
        for clients, peer in ((1, peers.LIST_1000_PER_S_C1), (8, peers.LIST_1000_PER_S_C8)):
            bench.say(f"rest: list of {self._count}, {clients} at a time")
            result, usage = self._site.shim(plan(VM, seconds=self._seconds, connections=clients, warm_up=5))
            bench.more(f"rest.list1000_per_s_c{clients}", result.per_second, "1/s", goal=peer.value, peers=[peer])
            if clients == 1:
                bench.less("rest.list1000_p50_ms", result.ms(50), "ms", peers=[peers.LIST_1000_P50_MS])
                bench.less("rest.list1000_p99_ms", result.ms(99), "ms")
                bench.record("rest.list1000_bytes", result.bytes_each, "B")
                bench.less("rest.list1000_shim_cpu_ms", cpu_ms_each([usage], SHIM, len(result.latencies)), "ms")
            bench.less(f"rest.list1000_load_share_c{clients}", result.load_share, "core")
        raw, _ = self._site.raw(plan(f"{RAW}?resourceVersion=0", seconds=self._seconds))
        bench.more("rest.raw_list1000_per_s_c1", raw.per_second, "1/s")
        bench.more("rest.list1000_ratio_vs_raw", bench.figures["rest.list1000_per_s_c1"] / raw.per_second)
        self._list_under_change()

    def _list_under_change(self) -> None:
        """Polls with a change between any two, as in a busy cloud: the list always differs from the last one."""
        bench = self._bench
        bench.say("rest: list while instances change 50 times a second")
        result = asyncio.run(self._poll_while_changing())
        bench.less("rest.list1000_changing_p50_ms", result[0], "ms")
        bench.less("rest.list1000_changing_p99_ms", result[1], "ms")

    async def _poll_while_changing(self) -> tuple[float, float]:
        async with world.admin(self._bench.cluster) as client:
            changing = asyncio.create_task(world.keep_changing(client, 50.0))
            polls = plan(VM, seconds=self._seconds, rate=10.0, connections=20)
            result, _ = await asyncio.to_thread(self._site.shim, polls)
            if changing.done():
                changing.result()
            changing.cancel()
        return result.ms(50), result.ms(99)

    def _gets(self, ids: list[str]) -> None:
        bench = self._bench
        for clients, peer in ((1, peers.GET_PER_S_C1), (8, peers.GET_PER_S_C8)):
            bench.say(f"rest: one instance, {clients} at a time")
            gets = plan(f"{VM}?id={NAME}", names=ids, seconds=self._seconds, connections=clients, warm_up=50)
            result, usage = self._site.shim(gets)
            bench.more(f"rest.get_per_s_c{clients}", result.per_second, "1/s", goal=peer.value, peers=[peer])
            bench.more(
                f"rest.get_ratio_vs_livez_c{clients}",
                result.per_second / bench.figures[f"rest.livez_per_s_c{clients}"],
            )
            if clients == 1:
                bench.less("rest.get_p50_ms", result.ms(50), "ms", peers=[peers.GET_P50_MS])
                bench.less("rest.get_p99_ms", result.ms(99), "ms")
                bench.less("rest.get_shim_cpu_ms", cpu_ms_each([usage], SHIM, len(result.latencies)), "ms")
            bench.less(f"rest.get_load_share_c{clients}", result.load_share, "core")
        raw, usage = self._site.raw(plan(f"{RAW}/{NAME}", names=ids, seconds=self._seconds, warm_up=50))
        bench.more("rest.raw_get_per_s_c1", raw.per_second, "1/s")
        bench.more("rest.get_ratio_vs_raw_c1", bench.figures["rest.get_per_s_c1"] / raw.per_second)
        bench.less("rest.shim_rss_mb", usage.rss_mib[SHIM], "MiB")
