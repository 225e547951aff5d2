"""The life of one pod: its process, its probes, its status, its end."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import signal
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from localkube.controlplane.process import Component, last_line
from localkube.errors import DevError
from localkube.pods import spec
from localkube.pods.addresses import Address, AddressPool
from localkube.pods.container_entry import CANNOT_START
from localkube.pods.runtime import PodSandbox, Runtime
from localkube.pods.volumes import materialise

log = logging.getLogger(__name__)

_TICK_SECONDS = 0.25
_BACKOFF_SECONDS = 1.0
_MESSAGE_LETTERS = 500
_NOT_FOUND = 404
# A kubelet does not look at certificates either: it asks pods by their address.
_UNVERIFIED = ssl.create_default_context()
_UNVERIFIED.check_hostname = False
_UNVERIFIED.verify_mode = ssl.CERT_NONE
# The API is not reached or refuses: the report is sent again.
_API_ERRORS = (ApiException, HTTPError)


@dataclass(frozen=True)
class RunnerContext:
    """What all pods of a runner share: the client of the API, its address, and the container runtime."""

    core: Any
    api: Address
    runtime: Runtime


class PodWorker:
    """A thread from ``start`` to the pod's deletion. ``local`` is the address where its process listens."""

    def __init__(self, pod: Mapping[str, Any], context: RunnerContext, folder: Path, local: str,
                 on_exit: Callable[[], None]) -> None:  # fmt: skip
        self.name = str(pod["metadata"]["name"])
        self.namespace = str(pod["metadata"]["namespace"])
        self.local = local
        self.log = folder / "log"
        self.restarts = 0
        self._pod = pod
        self._container = pod["spec"]["containers"][0]
        self._context = context
        self._folder = folder
        self._on_exit = on_exit
        self._grace = 0.0
        self._stopping = threading.Event()
        self._component: Component | None = None
        self._reported: tuple[Any, ...] = ()
        self._thread = threading.Thread(target=self._run, name=f"pod {self.name}", daemon=True)

    def start(self) -> PodWorker:
        self._thread.start()
        return self

    def stop(self, grace: float) -> None:
        """End the pod, which is being deleted: SIGTERM, and SIGKILL after ``grace`` seconds. Does not wait; a second
        call changes nothing."""
        if not self._stopping.is_set():
            self._grace = grace
            self._stopping.set()

    def join(self) -> None:
        """Return once its process has ended."""
        self._thread.join()

    @property
    def pid(self) -> int:
        """The id of its process. DevError when there is none now."""
        if self._component is None or not self._component.running:
            raise DevError(f"pod {self.name} has no process now")
        return self._component.pid

    def _run(self) -> None:
        try:
            self._live()
        except (ValueError, DevError, *_API_ERRORS) as error:
            log.warning("a pod cannot run: %s", error, extra={"pod": self.name})
            waiting = {"reason": "CannotRun", "message": str(error)[:_MESSAGE_LETTERS]}
            while not self._report("Pending", False, {"waiting": waiting}) and not self._stopping.wait(_TICK_SECONDS):
                pass
            self._stopping.wait()
        finally:
            self._end()
            self._on_exit()

    def _live(self) -> None:
        if len(self._pod["spec"]["containers"]) != 1 or self._pod["spec"].get("initContainers"):
            raise ValueError("only pods of one container run here")
        argv = self._await_argv()
        readiness = spec.probe(self._container, "readinessProbe")
        liveness = spec.probe(self._container, "livenessProbe")
        while not self._stopping.is_set():
            self._component = Component(self.name, argv, self.log, self._folder)
            self._watch_process(self._component, readiness, liveness)
            if self._stopping.is_set():
                return
            code = self._component.exit_code or 0
            message = last_line(self.log)[:_MESSAGE_LETTERS]
            if self._pod["spec"]["restartPolicy"] != "Always":
                reason = "StartError" if code == CANNOT_START else "Error" if code else "Completed"
                state = {"terminated": {"exitCode": code, "reason": reason, "message": message}}
                while not self._report("Failed" if code else "Succeeded", False, state):
                    if self._stopping.wait(_TICK_SECONDS):
                        return
                self._stopping.wait()
                return
            self.restarts += 1
            self._report("Running", False, {"waiting": {"reason": "CrashLoopBackOff", "message": message}})
            self._stopping.wait(_BACKOFF_SECONDS)

    def _watch_process(
        self, component: Component, readiness: spec.HttpProbe | None, liveness: spec.HttpProbe | None
    ) -> None:
        """Probe and report until the process ends or the pod is stopped."""
        since = _now()
        ready, failed, dead, begun = readiness is None, 0, 0, readiness is None
        next_ready = next_live = time.monotonic()
        while component.running:
            self._report("Running", ready, {"running": {"startedAt": since}})
            if self._stopping.wait(_TICK_SECONDS):
                return
            now = time.monotonic()
            if readiness and now >= next_ready:
                # Until it is ready it is probed at every tick, so that readiness does not wait for a period.
                next_ready = now + (readiness.period if ready else _TICK_SECONDS)
                failed = 0 if self._is_ok(readiness) else failed + 1
                ready = failed == 0 or (ready and failed < readiness.failures)
                begun = begun or ready
            # A process that has never been ready is still starting: there is no startupProbe here.
            if liveness and begun and now >= next_live:
                next_live = now + liveness.period
                dead = 0 if self._is_ok(liveness) else dead + 1
                if dead >= liveness.failures:
                    log.warning("a pod does not answer: it is restarted", extra={"pod": self.name})
                    component.stop()

    def _is_ok(self, probe: spec.HttpProbe) -> bool:
        try:
            url = f"{probe.scheme}://{self.local}:{probe.port}{probe.path}"
            with urllib.request.urlopen(url, timeout=probe.timeout, context=_UNVERIFIED) as answer:
                return bool(200 <= answer.status < 400)
        except OSError:
            return False

    def _await_argv(self) -> list[str]:
        """As a kubelet, wait for Secrets and ConfigMaps that are not there yet. Empty when the pod is stopped first."""
        while not self._stopping.is_set():
            try:
                return self._argv()
            except ApiException as error:
                if error.status != _NOT_FOUND:
                    raise
                message = json.loads(error.body or "{}").get("message", "")[:_MESSAGE_LETTERS]
                self._report("Pending", False, {"waiting": {"reason": "ContainerCreating", "message": message}})
            self._stopping.wait(_TICK_SECONDS)
        return []

    def _argv(self) -> list[str]:
        fields = spec.fields(self._pod, self.local)
        volumes = materialise(self._pod, self._folder / "volumes", self._context.core, fields, self._data)
        host, port = self._context.api
        env = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port)}
        pod = PodSandbox(self._pod, fields, self._data, volumes, self._folder, self.local)
        return self._context.runtime.argv(pod, env)

    def _data(self, kind: str, name: str) -> Mapping[str, str]:
        if kind == "configMap":
            return self._context.core.read_namespaced_config_map(name, self.namespace).data or {}
        found: Mapping[str, str] = self._context.core.read_namespaced_secret(name, self.namespace).data or {}
        return {key: base64.b64decode(value).decode() for key, value in found.items()}

    def _end(self) -> None:
        component = self._component
        if component is not None:
            if component.running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(component.pid, signal.SIGTERM)
                deadline = time.monotonic() + self._grace
                while component.running and time.monotonic() < deadline:
                    time.sleep(0.05)
            component.kill()
        self._delete_object()

    def _delete_object(self) -> None:
        """Remove the pod's object, as a kubelet does once the process has ended."""
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._pod["metadata"]["uid"]}}
        with contextlib.suppress(*_API_ERRORS):
            self._context.core.delete_namespaced_pod(self.name, self.namespace, body=body)

    def _report(self, phase: str, ready: bool, state: Mapping[str, Any]) -> bool:
        """Whether the API has this status now."""
        if (phase, ready, state) == self._reported:
            return True
        body = spec.status(
            self._container, phase=phase, ready=ready, restarts=self.restarts, state=state,
            address=AddressPool.to_cluster(self.local), host="10.0.0.1", now=_now(),
        )  # fmt: skip
        with contextlib.suppress(*_API_ERRORS):
            self._context.core.patch_namespaced_pod_status(self.name, self.namespace, {"status": body})
            self._reported = (phase, ready, state)
            return True
        return False


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
