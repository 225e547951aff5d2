"""The node that all pods run on: it takes what is pending, and keeps the names of Services."""

from __future__ import annotations

import contextlib
import itertools
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

from anka_dev.controlplane import Cluster
from anka_crds.process.files import write_private
from anka_dev.pods.life import PodLife

log = logging.getLogger(__name__)

NODE = "this-machine"


class PodRunner:
    """Runs the pods of ``cluster`` as processes of this machine; a context manager: leaving it ends them.

    A process has its own ServiceAccount's token, bound to its pod, the environment, arguments and probes of the
    manifest, and a loopback address of its own, so that replicas listen on the same port. Linux only: elsewhere
    127.0.0.1 is the only such address. There is no image, and so no other command than Python's and those of this
    distribution.
    """

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self._names = folder / "names.json"
        # The client's own types say too little, and some of them what is not so.
        self._api: Any = config.new_client_from_config(config_file=str(cluster.kubeconfig))  # type: ignore[no-untyped-call]
        self._core: Any = client.CoreV1Api(self._api)
        # Of each runner on this machine its own network: 127.a.b.n here is 10.a.b.n there.
        self._network = f"{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}"
        self._numbers = itertools.count(1)
        self._lives: dict[str, PodLife] = {}
        self._slices: dict[str, tuple[str, list[str]]] = {}
        self._stopping = threading.Event()
        self._watches: list[Any] = []

    def __enter__(self) -> PodRunner:
        self._folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(ApiException):
            self._core.create_node({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
        discovery = client.DiscoveryV1Api(self._api)
        for listing, seen in (
            (self._core.list_pod_for_all_namespaces, self._pod),
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
        self._api.close()

    def addresses(self, service: str) -> list[str]:
        """Where the ready pods of ``name.namespace.svc`` listen, on this machine."""
        known: dict[str, list[str]] = json.loads(self._names.read_text()) if self._names.exists() else {}
        return known.get(service, [])

    def lives(self, prefix: str) -> list[PodLife]:
        """Those whose names begin so and that are not gone."""
        return [life for life in self._lives.values() if life.name.startswith(prefix)]

    def _watch(self, listing: Callable[..., Any], seen: Callable[[str, Mapping[str, Any]], None]) -> None:
        while not self._stopping.is_set():
            watch: Any = watching.Watch()  # type: ignore[no-untyped-call]
            self._watches.append(watch)
            try:
                for event in watch.stream(listing):
                    seen(event["type"], event["raw_object"])
                    if self._stopping.is_set():
                        return
            except Exception as error:  # the client raises whatever urllib3 does; the next watch lists anew
                if not self._stopping.wait(0.5):
                    log.warning("watch of %s: %s", listing.__name__, error)

    def _pod(self, kind: str, pod: Mapping[str, Any]) -> None:
        metadata, uid = pod["metadata"], pod["metadata"]["uid"]
        if kind == "DELETED":
            if life := self._lives.pop(uid, None):
                life.leave(0)
        elif not pod["spec"].get("nodeName"):
            body = {"metadata": {"name": metadata["name"]}, "target": {"kind": "Node", "name": NODE}}
            with contextlib.suppress(ApiException):  # another event of it says so when it was not bound
                # The answer is a Status, which the client does not expect.
                self._core.create_namespaced_binding(metadata["namespace"], body, _preload_content=False)
        elif uid not in self._lives:
            self._lives[uid] = self._begin(pod).start()
        if "deletionTimestamp" in metadata and uid in self._lives:
            self._lives[uid].leave(metadata.get("deletionGracePeriodSeconds", 0))

    def _begin(self, pod: Mapping[str, Any]) -> PodLife:
        number = next(self._numbers)
        server = urlsplit(self._cluster.server)
        folder = self._folder / f"{pod['metadata']['name']}-{pod['metadata']['uid'][:8]}"
        folder.mkdir()
        return PodLife(
            pod,
            core=self._core,
            kubectl=self._cluster.kubectl,
            folder=folder,
            local=f"127.{self._network}.{number}",
            address=f"10.{self._network}.{number}",
            api=(str(server.hostname), str(server.port)),
            names=self._names,
        )

    def _slice(self, kind: str, item: Mapping[str, Any]) -> None:
        metadata = item["metadata"]
        service = metadata.get("labels", {}).get("kubernetes.io/service-name")
        if kind == "DELETED" or service is None:
            self._slices.pop(metadata["uid"], None)
        else:
            ready = [
                "127." + address.split(".", 1)[1]
                for endpoint in item.get("endpoints") or []
                if endpoint["conditions"].get("ready")
                for address in endpoint["addresses"]
            ]
            self._slices[metadata["uid"]] = (f"{service}.{metadata['namespace']}.svc", ready)
        names: dict[str, list[str]] = {}
        for name, addresses in self._slices.values():
            names.setdefault(name, []).extend(addresses)
        write_private(self._names, json.dumps(names))
