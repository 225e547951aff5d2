"""The stream of the portal: what changes of a busy cloud cost the shim, and how many bytes each tab gets.

Everything is the shim's own, up to the bytes for the kernel: the lists, their encoding, and the frames of each tab with
their compression. 200 Macs, 1,000 instances, 50 changes a second, told four times a second. The time is that of the
process, without the browsers."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import random
import time
import uuid
from types import SimpleNamespace
from typing import Any

from anka_crds.api import AnkaInstance, AnkaNode
from anka_dev.bench.bench import Bench
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_runtime.clock import SystemClock
from anka_shim.http.websocket import WebSocket, WebSocketOffer
from anka_shim.node.heartbeats import NodeHeartbeats
from anka_shim.portal.stream import messages
from anka_shim.portal.stream.feeds import RowSources, make_feeds
from anka_shim.portal.stream.freshness import Freshness
from anka_shim.portal.stream.heartbeats import ShownHeartbeats
from anka_shim.portal.stream.hub import FLUSH_SECONDS, StreamHub
from anka_shim.portal.visibility import EVERYTHING
from anka_shim.replicas.peers import Peers
from anka_shim.settings import ShimSettings
from anka_shim.stats.tracker import BindTracker
from anka_shim.store.caches import Stores
from anka_shim.store.registry_watch import RegistryWatch

_NODES, _INSTANCES = 200, 1000
_CHANGES_PER_SECOND = 50
_TABS = 5
_FLUSHES = 120
_KINDS = ("nodes", "instances")


def run(bench: Bench) -> None:
    asyncio.run(_measure(bench))


async def _measure(bench: Bench) -> None:
    cloud = _Cloud(bench.size(_NODES, 20), bench.size(_INSTANCES, 100))
    flushes = bench.size(_FLUSHES, 8)
    alone = cloud.run(flushes)
    screens = [_Screen() for _ in range(_TABS)]
    started = time.process_time()
    for screen in screens:
        await cloud.show(screen)
    first = (time.process_time() - started) / _TABS
    bench.less("portal.first_lists_cpu_ms", 1e3 * first, "ms")
    bench.less("portal.first_lists_kb", screens[0].transport.count / 1e3, "kB")
    before = [screen.transport.count for screen in screens]
    cloud.hub.live.update(screens)
    cpu = cloud.run(flushes)
    seconds = flushes * FLUSH_SECONDS
    sent = sum(screen.transport.count for screen in screens) - sum(before)
    bench.less("portal.five_tabs_cpu_percent", 100 * (cpu - alone) / seconds, "%", goal=5.0)
    bench.less("portal.tab_kb_per_second", sent / _TABS / seconds / 1e3, "kB/s", goal=3.0)


class _Transport:
    """Takes everything, and counts it."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, data: bytes) -> None:
        self.count += len(data)

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, _: str) -> Any:
        return SimpleNamespace(setsockopt=lambda *_: None)

    def resume_reading(self) -> None:
        pass


class _Screen:
    """A tab that has its lists."""

    def __init__(self) -> None:
        self.kinds = _KINDS
        self.visibility = EVERYTHING
        self.transport = _Transport()
        self.socket = WebSocket(self.transport, set(), lambda: None)  # type: ignore[arg-type]
        key = base64.b64encode(os.urandom(16))
        offer = WebSocketOffer(
            b"/",
            [
                (b"host", b"x"),
                (b"connection", b"upgrade"),
                (b"upgrade", b"websocket"),
                (b"sec-websocket-version", b"13"),
                (b"sec-websocket-key", key),
                (b"sec-websocket-extensions", b"permessage-deflate; client_max_window_bits"),
            ],
        )
        listener = SimpleNamespace(on_open=lambda _: None)
        self.socket.start(offer, (), b"", listener)

    def deliver(self, message: bytes) -> None:
        self.socket.send(message)


class _Cloud:
    def __init__(self, nodes: int, instances: int) -> None:
        self._version = itertools.count(1)
        self._chance = random.Random(1)
        self._stores = stores = Stores("anka-ci")
        for store in stores.all:
            store.replace([], "1", store.begin_list())
        self._nodes = [f"mac-{number:03}" for number in range(nodes)]
        self._ids = [str(uuid.UUID(int=self._chance.getrandbits(128))) for _ in range(instances)]
        clock, settings = SystemClock(), ShimSettings()
        shown = ShownHeartbeats(NodeHeartbeats(KubeClient(Endpoint("http://127.0.0.1:9")), "anka-nodes", clock))
        self.hub = StreamHub(stores.nodes, shown, Freshness((), clock), clock)
        rows = RowSources(
            settings, stores, shown, RegistryWatch(None, None), BindTracker(stores.instances, clock), Peers((), _nobody)
        )
        self.hub.feeds = make_feeds(rows, self.hub.wake)
        for name in self._nodes:
            status = {"state": "Active", "hostArch": "arm64", "cpuCount": 10, "ramGib": 32, "ipAddress": "10.0.0.1"}
            stores.nodes.observe(AnkaNode.from_api(self._make(name, {"displayName": name}, status)))
        for id_ in self._ids:
            self._change(id_)
        for _ in range(1 + instances // 100):
            self.hub.flush()

    def run(self, flushes: int) -> float:
        """CPU seconds of so many."""
        started = time.process_time()
        for _ in range(flushes):
            for id_ in self._chance.sample(self._ids, round(_CHANGES_PER_SECOND * FLUSH_SECONDS)):
                self._change(id_)
            self.hub.flush()
        return time.process_time() - started

    async def show(self, screen: _Screen) -> None:
        for kind in _KINDS:
            feed = self.hub.feeds[kind]
            rows = [row for id_ in feed.ids() if (row := feed.row(id_)) is not None]
            await screen.socket.send_parts(messages.snapshot(kind, feed.version, rows))

    def _change(self, id_: str) -> None:
        phase = self._chance.choice(("Pulling", "Started", "Stopping"))
        status = {
            "phase": phase,
            "nodeName": self._nodes[int(id_[:8], 16) % len(self._nodes)],
            "progressPercent": self._chance.randrange(100),
            "template": {"id": self._ids[0], "name": "macos-15", "tag": "vanilla+port-forward-22"},
            "vm": {"uuid": id_, "name": f"anka-{id_}", "status": "running", "ip": f"192.168.64.{len(phase)}"},
        }
        spec = {"template": self._ids[0], "externalId": f"https://ci.example.com/job/{id_[:8]}"}
        self._stores.instances.observe(AnkaInstance.from_api(self._make(id_, spec, status, namespace="anka-ci")))

    def _make(self, name: str, spec: Any, status: Any, *, namespace: str = "") -> dict[str, Any]:
        place = {"namespace": namespace} if namespace else {}
        version = str(next(self._version) + 1)
        metadata = {"name": name, "uid": name, "resourceVersion": version, "creationTimestamp": "2026-01-01T00:00:00Z"}
        return {"metadata": {**metadata, **place}, "spec": spec, "status": status}


_nobody: Any = None
