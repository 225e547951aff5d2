"""GET and POST with each credential beside no authentication, in turn: the machine's speed drifts."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import defaultdict
from dataclasses import replace

from anka_dev.bench import cluster_objects as world
from anka_dev.bench.access.credentials import Files, Headers, bind, make_credentials, remove
from anka_dev.bench.access.handshakes import HandshakeLoad
from anka_dev.bench.bench import Bench
from anka_dev.bench.figures import percentile
from anka_dev.bench.load import Plan, Result, run_load
from anka_dev.bench.load.plan import NAME, merge_results
from anka_dev.bench.rest.site import VM, plan
from anka_dev.bench.rest.writes import BODY
from anka_dev.cloud import LocalCloud

_ROUNDS = 3
_GOAL = 0.9
_RATE = 50.0
_OK = '{"status":"OK"'
_NONE = "none"


def run(bench: Bench) -> None:
    """All `access.` figures: an open shim and a closed one, which serve the same objects."""
    directory = bench.directory / "access"
    with LocalCloud(bench.cluster, directory) as cloud:
        try:
            asyncio.run(_prepare(bench))
            bind(cloud)
            files = Files(directory / "secrets")
            cloud.start_shim("--terminated-seconds=0")
            cloud.start_shim("--terminated-seconds=0", *files.write())
            cloud.wait_ready()
            made = make_credentials(cloud, cloud.urls[1], files)
            measure = _Measurement(bench, cloud, {_NONE: {}, **made.headers})
            measure.gets(asyncio.run(_instances(bench)))
            measure.posts()
            _handshakes(bench, HandshakeLoad(cloud.urls[1], made.key, BODY))
        finally:
            remove(cloud)
            asyncio.run(_purge(bench))


class _Measurement:
    """`headers`: by credential; `none` is asked of the open shim."""

    def __init__(self, bench: Bench, cloud: LocalCloud, headers: dict[str, Headers]) -> None:
        self._bench = bench
        self._cloud = cloud
        self._headers = headers

    def gets(self, ids: list[str]) -> None:
        seconds = self._bench.size(3, 1)
        gets = plan(f"{VM}?id={NAME}", names=ids, seconds=seconds, connections=8, warm_up=50)
        self._in_turn("get", gets)

    def posts(self) -> None:
        total = self._bench.size(300, 10)
        self._in_turn("post", plan(VM, method="POST", body=json.dumps(BODY), total=total, connections=8))

    def _in_turn(self, name: str, load: Plan) -> None:
        results: dict[str, list[Result]] = defaultdict(list)
        rounds = self._bench.size(_ROUNDS, 1)
        for turn in range(rounds):
            self._bench.say(f"access: {name.upper()} with each credential ({turn + 1}/{rounds})")
            for credential in self._headers:
                results[credential].append(self._run(credential, load))
        rates = {credential: merge_results(found).per_second for credential, found in results.items()}
        for credential, rate in rates.items():
            self._bench.more(f"access.{name}_{credential}_per_s", rate, "1/s")
        for credential, rate in rates.items():
            if credential != _NONE:
                self._bench.more(f"access.{name}_{credential}_ratio", rate / rates[_NONE], goal=_GOAL)

    def _run(self, credential: str, load: Plan) -> Result:
        url = self._cloud.urls[0 if credential == _NONE else 1]
        return run_load(replace(load, url=url, headers=self._headers[credential], expects=_OK))


def _handshakes(bench: Bench, load: HandshakeLoad) -> None:
    seconds = bench.size(20, 1)
    bench.say(f"access: POST {_RATE:g}/s for {seconds} s, each with a handshake before it")
    latencies = [1e3 * one for one in asyncio.run(load.run(_RATE, round(_RATE * seconds)))]
    bench.less("access.post_handshake_p50_ms_at_50", percentile(latencies, 50), "ms")
    bench.less("access.post_handshake_p99_ms_at_50", percentile(latencies, 99), "ms", goal=250)


async def _prepare(bench: Bench) -> None:
    async with world.admin(bench.cluster) as client:
        await world.make_template(client)


async def _instances(bench: Bench) -> list[str]:
    ids = [str(uuid.uuid4()) for _ in range(bench.size(200, 10))]
    async with world.admin(bench.cluster) as client:
        await world.make_instances(client, ids)
    return ids


async def _purge(bench: Bench) -> None:
    async with world.admin(bench.cluster) as client:
        await world.purge(client)
