"""One pod: its process, its probes, its status, its end."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubernetes.client import ApiException

from anka_dev.controlplane.process import Component, last_line
from anka_dev.errors import DevError
from anka_dev.pods import spec
from anka_dev.pods.volumes import materialise

log = logging.getLogger(__name__)

_TICK_SECONDS = 0.25
_BACKOFF_SECONDS = 1.0


class PodLife:
    """A thread of its own, from ``start`` to the pod's deletion. ``local`` is where its process listens, ``address``
    what the cluster calls it: Kubernetes takes no loopback address for an endpoint."""

    def __init__(self, pod: Mapping[str, Any], *, core: Any, kubectl: Any, folder: Path, local: str, address: str,
                 api: tuple[str, str], names: Path) -> None:  # fmt: skip
        self.name = str(pod["metadata"]["name"])
        self.namespace = str(pod["metadata"]["namespace"])
        self.local = local
        self.address = address
        self.log = folder / "log"
        self.restarts = 0
        self._pod = pod
        self._container = pod["spec"]["containers"][0]
        self._core = core
        self._kubectl = kubectl
        self._folder = folder
        self._api = api
        self._names = names
        self._grace: float | None = None
        self._leaving = threading.Event()
        self._component: Component | None = None
        self._reported: tuple[Any, ...] = ()
        self._thread = threading.Thread(target=self._run, name=f"pod {self.name}", daemon=True)

    def start(self) -> PodLife:
        self._thread.start()
        return self

    def leave(self, grace: float) -> None:
        """The pod is being deleted: SIGTERM, SIGKILL after ``grace`` seconds. Does not wait."""
        self._grace = grace
        self._leaving.set()

    def join(self) -> None:
        self._thread.join()

    @property
    def pid(self) -> int:
        assert self._component is not None, f"{self.name} has no process yet"
        return self._component.pid

    def _run(self) -> None:
        try:
            self._live()
        except (ValueError, DevError, ApiException) as error:
            log.warning("pod %s: %s", self.name, error)
            self._report("Pending", False, {"waiting": {"reason": "CannotRun", "message": str(error)[:500]}})
            self._leaving.wait()
        finally:
            self._end()

    def _live(self) -> None:
        if len(self._pod["spec"]["containers"]) != 1 or self._pod["spec"].get("initContainers"):
            raise ValueError("only pods of one container are run here")
        argv = self._argv()
        readiness = spec.probe(self._container, "readinessProbe")
        liveness = spec.probe(self._container, "livenessProbe")
        while not self._leaving.is_set():
            self._component = Component(self.name, argv, self.log, self._folder)
            self._watch_process(self._component, readiness, liveness)
            if self._leaving.is_set():
                return
            code = self._component.exit_code or 0
            ended = {"terminated": {"exitCode": code, "message": last_line(self.log)[:500]}}
            if self._pod["spec"]["restartPolicy"] != "Always":
                self._report("Failed" if code else "Succeeded", False, ended)
                self._leaving.wait()
                return
            self.restarts += 1
            self._report("Running", False, {"waiting": {"reason": "CrashLoopBackOff", "message": last_line(self.log)}})
            self._leaving.wait(_BACKOFF_SECONDS)

    def _watch_process(self, component: Component, readiness: spec.Probe | None, liveness: spec.Probe | None) -> None:
        """Until it ends, or the pod is to end."""
        since = _now()
        ready, failed, dead = readiness is None, 0, 0
        next_ready = next_live = time.monotonic()
        while component.running:
            self._report("Running", ready, {"running": {"startedAt": since}})
            if self._leaving.wait(_TICK_SECONDS):
                return
            now = time.monotonic()
            if readiness and now >= next_ready:
                # Until it is ready for the first time it is asked all the time, so that nobody waits for a period.
                next_ready = now + (readiness.period if ready else _TICK_SECONDS)
                failed = 0 if self._asks(readiness) else failed + 1
                ready = failed == 0 or (ready and failed < readiness.failures)
            if liveness and now >= next_live:
                next_live = now + liveness.period
                # A process that has never been ready is starting: a kubelet would have a startupProbe for that.
                dead = 0 if not ready or self._asks(liveness) else dead + 1
                if dead >= liveness.failures:
                    component.stop()

    def _asks(self, probe: spec.Probe) -> bool:
        try:
            url = f"http://{self.local}:{probe.port}{probe.path}"
            with urllib.request.urlopen(url, timeout=probe.timeout) as answer:
                return bool(200 <= answer.status < 400)
        except OSError:
            return False

    def _argv(self) -> list[str]:
        volumes = materialise(self._pod, self._folder / "volumes", self._core, self._kubectl)
        fields = {
            "status.podIP": self.local,
            "metadata.name": self.name,
            "metadata.namespace": self.namespace,
            "spec.serviceAccountName": self._pod["spec"]["serviceAccountName"],
        }
        host, port = self._api
        env = {
            "PATH": os.environ["PATH"],
            "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT": port,
            "PYTHONUNBUFFERED": "1",
            **spec.environment(self._container, fields),
        }
        token = spec.token_volume(self._container)
        folder = volumes[token] if token else self._folder / "no-token"
        return [
            "env", "-i", *(f"{name}={value}" for name, value in env.items()),
            sys.executable, "-m", "anka_dev.pods.container", str(folder), str(self._names),
            *spec.command(self._container, env),
        ]  # fmt: skip

    def _end(self) -> None:
        component = self._component
        if component is not None and component.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(component.pid, signal.SIGTERM)
            deadline = time.monotonic() + (self._grace or 0)
            while component.running and time.monotonic() < deadline:
                time.sleep(0.05)
        if component is not None:
            component.kill()
        if self._leaving.is_set():
            self._forget()

    def _forget(self) -> None:
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._pod["metadata"]["uid"]}}
        with contextlib.suppress(ApiException):
            self._core.delete_namespaced_pod(self.name, self.namespace, body=body)

    def _report(self, phase: str, ready: bool, state: Mapping[str, Any]) -> None:
        if (phase, ready, state) == self._reported:
            return
        body = spec.status(
            self._container, phase=phase, ready=ready, restarts=self.restarts, state=state, address=self.address,
            host="10.0.0.1", now=_now(), reason="ContainersNotReady",
        )  # fmt: skip
        with contextlib.suppress(ApiException):
            self._core.patch_namespaced_pod_status(self.name, self.namespace, {"status": body})
            self._reported = (phase, ready, state)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
