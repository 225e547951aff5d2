"""Starts and deletions: as many as possible, and 50 starts a second however long the answers take."""

from __future__ import annotations

import json
import urllib.request
import uuid
from typing import Any

from anka_dev.bench import cluster_objects as world
from anka_dev.bench import orchard as peers
from anka_dev.bench.load import Result
from anka_dev.bench.load.plan import NAME, merge_results
from anka_dev.bench.rest.site import API_SERVER, ETCD, RAW, SHIM, VM, Site, cpu_ms_each, plan
from anka_dev.bench.usage import ProcessUsage

_ROUNDS = 2
_RATE = 50.0
BODY = {
    "vmid": world.TEMPLATE,
    "tag": world.TAG,
    "count": 1,
    "name": "ci-build",
    "external_id": "https://ci.example.com/job/ios/17",
    "startup_script": world.startup_script(),
}


class Writes:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._bench = site.bench

    def measure(self) -> None:
        bench = self._bench
        self._creates()
        self._at_a_rate()
        ids = self._ids()
        bench.say(f"rest: DELETE of {len(ids)}")
        deleted, _ = self._site.shim(
            plan(VM, method="DELETE", body=f'{{"id":"{NAME}"}}', names=ids, total=len(ids), connections=8)
        )
        bench.more("rest.delete_per_s", deleted.per_second, "1/s", peers=[peers.DELETE_PER_S_C8])

    def _creates(self) -> None:
        """Ours and raw creates of the same object by the same client in turn: the machine's speed drifts."""
        bench = self._bench
        total = bench.size(500, 10)
        ours: list[Result] = []
        raw: list[Result] = []
        usages: list[ProcessUsage] = []
        for turn in range(_ROUNDS):
            bench.say(f"rest: POST {total}, and the same by raw creates ({turn + 1}/{_ROUNDS})")
            names = [str(uuid.uuid4()) for _ in range(total)]
            raw.append(
                self._site.raw(plan(RAW, method="POST", body=_raw_body(), names=names, total=total, connections=8))[0]
            )
            result, usage = self._site.shim(plan(VM, method="POST", body=json.dumps(BODY), total=total, connections=8))
            ours.append(result)
            usages.append(usage)
        posts, creates = merge_results(ours), merge_results(raw)
        single, _ = self._site.shim(plan(VM, method="POST", body=json.dumps(BODY), total=bench.size(300, 5)))
        answers = len(posts.latencies)
        bench.more("rest.post_per_s", posts.per_second, "1/s", peers=[peers.POST_PER_S_C8])
        bench.more("rest.post_per_s_c1", single.per_second, "1/s", peers=[peers.POST_PER_S_C1])
        bench.more("rest.raw_create_per_s", creates.per_second, "1/s")
        bench.more("rest.post_ratio_vs_raw_create", posts.per_second / creates.per_second)
        bench.less("rest.post_p50_ms", posts.ms(50), "ms")
        bench.less("rest.post_p99_ms", posts.ms(99), "ms")
        for role, short in ((SHIM, "shim"), (API_SERVER, "apiserver"), (ETCD, "etcd")):
            bench.less(f"rest.post_{short}_cpu_ms", cpu_ms_each(usages, role, answers), "ms")
        bench.less("rest.post_load_share", posts.load_share, "core")

    def _at_a_rate(self) -> None:
        seconds = self._bench.size(20, 1)
        self._bench.say(f"rest: POST {_RATE:g}/s for {seconds} s")
        result, _ = self._site.shim(
            plan(VM, method="POST", body=json.dumps(BODY), rate=_RATE, seconds=seconds, connections=100)
        )
        self._bench.less("rest.post_p50_ms_at_50", result.ms(50), "ms")
        self._bench.less("rest.post_p99_ms_at_50", result.ms(99), "ms", goal=250)
        self._bench.more("rest.post_per_s_at_50", result.per_second, "1/s")

    def _ids(self) -> list[str]:
        """The names of as many existing instances as are deleted."""
        with urllib.request.urlopen(self._site.cloud.url + VM, timeout=30) as answer:
            body = json.load(answer)["body"]
        return [item["instance_id"] for item in body][: self._bench.size(1000, 10)]


def _raw_body() -> str:
    """The object that the shim makes of BODY."""
    spec: dict[str, Any] = {
        "displayName": BODY["name"],
        "externalId": BODY["external_id"],
        "startupScript": {"content": BODY["startup_script"]},
    }
    return json.dumps(world.manifest(NAME, **spec))
