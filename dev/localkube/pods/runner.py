"""The node on which all pods run: binds pending pods, runs them, and forwards to Services."""

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

from localkube.controlplane import KubernetesCluster
from localkube.files import write_private
from localkube.pods.addresses import AddressPool
from localkube.pods.container_runtime import ContainerRuntime
from localkube.pods.dns_server import DnsServer
from localkube.pods.image import ContainerImage
from localkube.pods.pod_worker import PodWorker, RunnerContext
from localkube.pods.process_runtime import ProcessRuntime
from localkube.pods.proxy import Proxy
from localkube.pods.runtime import NO_HOOK
from localkube.pods.services import ServiceTable

log = logging.getLogger(__name__)

NODE = "this-machine"
_AGAIN_SECONDS = 0.5


class PodRunner:
    """Runs the pods of ``cluster`` as processes of this machine; a context manager: leaving it ends them.

    A process has its own ServiceAccount's token, bound to its pod, the environment, arguments, mounts and probes of
    the manifest, and a loopback address of its own, so that replicas listen on the same port. Linux only: elsewhere
    127.0.0.1 is the only such address.

    With ``image`` each container runs from it, whatever image its manifest names, confined as the manifest says: see
    ``container_runtime``. Without it containers are processes that run ``python -c`` or console scripts of this
    environment; ``hook`` prepares them: see ``process_entry``.
    """

    def __init__(
        self, cluster: KubernetesCluster, folder: Path, *, image: ContainerImage | None = None, hook: str = NO_HOOK
    ) -> None:
        server = urlsplit(cluster.server)
        # The client's own types are incomplete, and some are wrong.
        self._api: Any = config.new_client_from_config(config_file=str(cluster.kubeconfig))  # type: ignore[no-untyped-call]
        self._core: Any = client.CoreV1Api(self._api)
        self._folder = folder
        self._names = folder / "names.json"
        self._addresses = AddressPool(os.getpid())
        self._dns_server = DnsServer(self._addresses.take()) if image else None
        runtime = (
            ContainerRuntime(image, self._dns_server.address)
            if image and self._dns_server
            else ProcessRuntime(self._names, hook)
        )
        self._context = RunnerContext(self._core, (str(server.hostname), server.port or 443), runtime)
        self._fronts: dict[str, str] = {}
        self._services = ServiceTable(self._front, AddressPool.to_local)
        self._proxy = Proxy()
        # Services and their endpoints come from two watches, and routes are made of both.
        self._routing = threading.Lock()
        self._workers: dict[str, PodWorker] = {}
        # An event of a pod may come after its worker has ended.
        self._begun: set[str] = set()
        self._stopping = threading.Event()
        self._watches: list[Any] = []

    def __enter__(self) -> PodRunner:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._proxy.__enter__()
        if self._dns_server:
            self._dns_server.__enter__()
        self._core.create_node({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
        discovery = client.DiscoveryV1Api(self._api)
        for listing, on_event in (
            (self._core.list_pod_for_all_namespaces, self._on_pod),
            (self._core.list_service_for_all_namespaces, self._on_service),
            (discovery.list_endpoint_slice_for_all_namespaces, self._on_slice),
        ):
            threading.Thread(target=self._watch, args=(listing, on_event), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for watch in self._watches:
            watch.stop()
        workers = list(self._workers.values())
        for worker in workers:
            worker.stop(2)
        for worker in workers:
            worker.join()
        if self._dns_server:
            self._dns_server.__exit__()
        self._proxy.__exit__()
        self._api.close()

    def address(self, service: str, namespace: str) -> str:
        """The address of a Service with a cluster IP on this machine. KeyError when it is not known."""
        found: list[str] = json.loads(self._names.read_text())[f"{service}.{namespace}.svc"]
        return found[0]

    def workers(self, prefix: str) -> list[PodWorker]:
        """The workers of pods whose names begin with ``prefix``."""
        return [worker for worker in list(self._workers.values()) if worker.name.startswith(prefix)]

    def _watch(self, listing: Callable[..., Any], on_event: Callable[[str, Mapping[str, Any]], None]) -> None:
        while not self._stopping.is_set():
            watch: Any = watching.Watch()  # type: ignore[no-untyped-call]
            self._watches.append(watch)
            try:
                for event in watch.stream(listing):
                    if self._stopping.is_set():
                        return
                    on_event(event["type"], event["raw_object"])
            except Exception as error:  # the client raises whatever urllib3 does; the next watch lists anew
                if not self._stopping.wait(_AGAIN_SECONDS):
                    log.warning("watch of %s: %s", listing.__name__, error)

    def _on_pod(self, kind: str, pod: Mapping[str, Any]) -> None:
        metadata, uid = pod["metadata"], pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if kind == "DELETED":
            if worker:
                worker.stop(0)
        elif not pod["spec"].get("nodeName"):
            body = {"metadata": {"name": metadata["name"]}, "target": {"kind": "Node", "name": NODE}}
            with contextlib.suppress(ApiException):  # another event of it says so when it was not bound
                # The answer is a Status, which the client does not expect.
                self._core.create_namespaced_binding(metadata["namespace"], body, _preload_content=False)
        elif uid not in self._begun:
            self._begun.add(uid)
            worker = self._workers[uid] = self._new_worker(pod).start()
        if worker and "deletionTimestamp" in metadata:
            worker.stop(metadata.get("deletionGracePeriodSeconds", 0))

    def _new_worker(self, pod: Mapping[str, Any]) -> PodWorker:
        uid = pod["metadata"]["uid"]
        local = self._addresses.take()
        folder = self._folder / f"{pod['metadata']['name']}-{uid[:8]}"
        folder.mkdir()

        def on_exit() -> None:
            self._workers.pop(uid, None)
            self._addresses.release(local)

        return PodWorker(pod, self._context, folder, local, on_exit)

    def _front(self, uid: str) -> str:
        if uid not in self._fronts:
            self._fronts[uid] = self._addresses.take()
        return self._fronts[uid]

    def _on_service(self, kind: str, item: Mapping[str, Any]) -> None:
        with self._routing:
            self._services.apply_service(kind, item)
            if kind == "DELETED" and (local := self._fronts.pop(item["metadata"]["uid"], None)):
                self._addresses.release(local)
            self._route()

    def _on_slice(self, kind: str, item: Mapping[str, Any]) -> None:
        with self._routing:
            self._services.apply_endpoints(kind, item)
            self._route()

    def _route(self) -> None:
        self._proxy.serve(self._services.routes())
        names = self._services.names()
        write_private(self._names, json.dumps(names))
        if self._dns_server:
            self._dns_server.names = names
