"""The node that all pods run on: it takes what is pending, and leads to Services."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kubernetes import client, config
from kubernetes import watch as watching
from kubernetes.client import ApiException

from anka_crds.process.files import write_private
from anka_dev.controlplane import Cluster
from anka_dev.image.built import Image
from anka_dev.pods.containers import Containers
from anka_dev.pods.life import Machine, PodLife
from anka_dev.pods.network import Network
from anka_dev.pods.processes import Processes
from anka_dev.pods.proxy import Proxy
from anka_dev.pods.resolver import Resolver
from anka_dev.pods.services import Services

log = logging.getLogger(__name__)

NODE = "this-machine"
_AGAIN_SECONDS = 0.5


class PodRunner:
    """Runs the pods of ``cluster`` as processes of this machine; a context manager: leaving it ends them.

    A process has its own ServiceAccount's token, bound to its pod, the environment, arguments, mounts and probes of
    the manifest, and a loopback address of its own, so that replicas listen on the same port. Linux only: elsewhere
    127.0.0.1 is the only such address.

    With ``image`` each container runs from it, whatever image its manifest names, confined as the manifest says: see
    ``containers``. Without, there is no other command than Python's and those of this distribution.
    """

    def __init__(self, cluster: Cluster, folder: Path, image: Image | None = None) -> None:
        server = urlsplit(cluster.server)
        # The client's own types say too little, and some of them what is not so.
        self._api: Any = config.new_client_from_config(config_file=str(cluster.kubeconfig))  # type: ignore[no-untyped-call]
        self._core: Any = client.CoreV1Api(self._api)
        self._folder = folder
        self._names = folder / "names.json"
        self._network = Network(os.getpid())
        self._resolver = Resolver(self._network.take()) if image else None
        way = Containers(image, self._resolver.address) if image and self._resolver else Processes(self._names)
        self._machine = Machine(self._core, (str(server.hostname), server.port or 443), way)
        self._fronts: dict[str, str] = {}
        self._services = Services(self._front, Network.local)
        self._proxy = Proxy()
        # Services and their endpoints are two watches, and what is made of both is one thing.
        self._routing = threading.Lock()
        self._lives: dict[str, PodLife] = {}
        # An event of a pod may come when its life is over already.
        self._begun: set[str] = set()
        self._stopping = threading.Event()
        self._watches: list[Any] = []

    def __enter__(self) -> PodRunner:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._proxy.__enter__()
        if self._resolver:
            self._resolver.__enter__()
        self._core.create_node({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
        discovery = client.DiscoveryV1Api(self._api)
        for listing, seen in (
            (self._core.list_pod_for_all_namespaces, self._pod),
            (self._core.list_service_for_all_namespaces, self._service),
            (discovery.list_endpoint_slice_for_all_namespaces, self._slice),
        ):
            threading.Thread(target=self._watch, args=(listing, seen), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for watch in self._watches:
            watch.stop()
        lives = list(self._lives.values())
        for life in lives:
            life.leave(2)
        for life in lives:
            life.join()
        if self._resolver:
            self._resolver.__exit__()
        self._proxy.__exit__()
        self._api.close()

    def address(self, service: str, namespace: str) -> str:
        """Where a Service with a cluster IP is reached on this machine. KeyError when it isn't known."""
        found: list[str] = json.loads(self._names.read_text())[f"{service}.{namespace}.svc"]
        return found[0]

    def lives(self, prefix: str) -> list[PodLife]:
        """Those whose names begin so and that are not gone."""
        return [life for life in list(self._lives.values()) if life.name.startswith(prefix)]

    def _watch(self, listing: Callable[..., Any], seen: Callable[[str, Mapping[str, Any]], None]) -> None:
        while not self._stopping.is_set():
            watch: Any = watching.Watch()  # type: ignore[no-untyped-call]
            self._watches.append(watch)
            try:
                for event in watch.stream(listing):
                    if self._stopping.is_set():
                        return
                    seen(event["type"], event["raw_object"])
            except Exception as error:  # the client raises whatever urllib3 does; the next watch lists anew
                if not self._stopping.wait(_AGAIN_SECONDS):
                    log.warning("watch of %s: %s", listing.__name__, error)

    def _pod(self, kind: str, pod: Mapping[str, Any]) -> None:
        metadata, uid = pod["metadata"], pod["metadata"]["uid"]
        life = self._lives.get(uid)
        if kind == "DELETED":
            if life:
                life.leave(0)
        elif not pod["spec"].get("nodeName"):
            body = {"metadata": {"name": metadata["name"]}, "target": {"kind": "Node", "name": NODE}}
            with contextlib.suppress(ApiException):  # another event of it says so when it was not bound
                # The answer is a Status, which the client does not expect.
                self._core.create_namespaced_binding(metadata["namespace"], body, _preload_content=False)
        elif uid not in self._begun:
            self._begun.add(uid)
            life = self._lives[uid] = self._begin(pod).start()
        if life and "deletionTimestamp" in metadata:
            life.leave(metadata.get("deletionGracePeriodSeconds", 0))

    def _begin(self, pod: Mapping[str, Any]) -> PodLife:
        uid = pod["metadata"]["uid"]
        local = self._network.take()
        folder = self._folder / f"{pod['metadata']['name']}-{uid[:8]}"
        folder.mkdir()

        def gone() -> None:
            self._lives.pop(uid, None)
            self._network.give_back(local)

        return PodLife(pod, self._machine, folder, local, gone)

    def _front(self, uid: str) -> str:
        if uid not in self._fronts:
            self._fronts[uid] = self._network.take()
        return self._fronts[uid]

    def _service(self, kind: str, item: Mapping[str, Any]) -> None:
        with self._routing:
            self._services.service(kind, item)
            if kind == "DELETED" and (local := self._fronts.pop(item["metadata"]["uid"], None)):
                self._network.give_back(local)
            self._route()

    def _slice(self, kind: str, item: Mapping[str, Any]) -> None:
        with self._routing:
            self._services.endpoints(kind, item)
            self._route()

    def _route(self) -> None:
        self._proxy.serve(self._services.routes())
        names = self._services.names()
        write_private(self._names, json.dumps(names))
        if self._resolver:
            self._resolver.names = names
