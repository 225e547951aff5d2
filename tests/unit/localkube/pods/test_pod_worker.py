"""A pod's process, on an API that only takes down what it is told."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import ApiException

from localkube.errors import DevError
from localkube.pods import pod_worker
from localkube.pods.addresses import AddressPool
from localkube.pods.pod_worker import PodWorker, RunnerContext
from localkube.pods.process_runtime import ProcessRuntime
from localkube.pods.runtime import Runtime
from support.pod_runtimes import RUNTIMES, runtime_of

TIMEOUT_SECONDS = 60.0
# Well when it starts, sick as long as the file is there.
SICKLY = """
import http.server, pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
sick = pathlib.Path(sys.argv[2])
sick.unlink(missing_ok=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if self.path == "/livez" and sick.exists() else 200)
        self.end_headers()
http.server.HTTPServer((sys.argv[1], 8099), Handler).serve_forever()
"""


# One at a time.
ALONE = """
import fcntl, signal
lock = open('/shared/lock', 'a')
fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
with open('/shared/alive', 'a') as stream:
    stream.write('x')
signal.pause()
"""


class Api:
    """What was told, in order; `deaf`: how many times it refuses first."""

    def __init__(self, deaf: int = 0) -> None:
        self.told: list[dict[str, Any]] = []
        self.deleted = threading.Event()
        self._deaf = deaf

    def patch_namespaced_pod_status(self, _name: str, _namespace: str, body: dict[str, Any]) -> None:
        if self._deaf:
            self._deaf -= 1
            raise ApiException(status=500)
        self.told.append(body["status"])

    def delete_namespaced_pod(self, _name: str, _namespace: str, body: dict[str, Any]) -> None:
        assert body == {"gracePeriodSeconds": 0, "preconditions": {"uid": "u"}}
        self.deleted.set()

    def until(self, true: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The first status of which this is true."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            if found := [status for status in self.told if true(status)]:
                return found[0]
            assert time.monotonic() < deadline, self.told
            time.sleep(0.02)


class Place:
    def __init__(self, folder: Path, runtime: Runtime) -> None:
        self.folder = folder
        self._runtime = runtime
        self.api = Api()
        self.local = AddressPool(time.monotonic_ns() % 60_000).take()
        self.workers: list[PodWorker] = []
        self.ended = threading.Event()

    def begin(self, *args: str, policy: str = "Never", **container: Any) -> PodWorker:
        pod = {
            "metadata": {"name": "p", "namespace": "n", "uid": "u"},
            "spec": {
                "serviceAccountName": "me",
                "restartPolicy": policy,
                "volumes": [{"name": "shared", "emptyDir": {}}],
                "containers": [
                    {
                        "name": "c",
                        "image": "i",
                        "command": [self.python, "-c"],
                        "args": args,
                        "volumeMounts": [{"name": "shared", "mountPath": "/shared"}],
                        **container,
                    }
                ],
            },
        }
        context = RunnerContext(self.api, ("127.0.0.1", 1), self._runtime)
        worker = PodWorker(pod, context, self.folder, self.local, self.ended.set)
        self.workers.append(worker)
        return worker.start()

    @property
    def python(self) -> str:
        return "python" if isinstance(self._runtime, ProcessRuntime) else sys.executable

    @property
    def shared(self) -> Path:
        """Where /shared of the pod is here."""
        return self.folder / "volumes" / "shared"


@pytest.fixture(params=RUNTIMES)
def place(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(pod_worker, "_TICK_SECONDS", 0.05)
    monkeypatch.setattr(pod_worker, "_BACKOFF_SECONDS", 0.1)
    made = Place(tmp_path, runtime_of(request.param, tmp_path))
    yield made
    for worker in made.workers:
        worker.stop(0)
        worker.join()


def state(status: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = status["containerStatuses"][0]["state"]
    return found


@pytest.mark.parametrize(
    ("code", "phase"), [("print('all is well')", "Succeeded"), ("raise SystemExit('no luck')", "Failed")]
)
def test_a_pod_that_ends(place: Place, code: str, phase: str) -> None:
    place.api = Api(deaf=2)
    place.begin(code)
    status = place.api.until(lambda status: status["phase"] == phase)
    assert state(status)["terminated"]["message"] in ("all is well", "no luck")
    assert not place.ended.is_set()


def test_a_pod_that_is_to_stay_is_started_again(place: Place) -> None:
    worker = place.begin("raise SystemExit('again')", policy="Always")
    status = place.api.until(lambda status: status["containerStatuses"][0]["restartCount"] == 2)
    assert state(status) == {"waiting": {"reason": "CrashLoopBackOff", "message": "again"}}
    assert worker.restarts >= 2


def test_one_that_does_not_answer_any_more_is_started_again(place: Place) -> None:
    probe = {"httpGet": {"path": "/readyz", "port": 8099}, "periodSeconds": 1}
    live = {"httpGet": {"path": "/livez", "port": 8099}, "periodSeconds": 1, "failureThreshold": 3}
    address = {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    place.begin(
        SICKLY, "$(IP)", "/shared/sick", policy="Always", readinessProbe=probe, livenessProbe=live, env=[address]
    )  # fmt: skip

    def ready(status: dict[str, Any]) -> bool:
        return bool(status["conditions"][-1]["status"] == "True")

    assert place.api.until(ready)["podIP"] == AddressPool.to_cluster(place.local)
    (place.shared / "sick").touch()
    place.api.until(lambda status: ready(status) and status["containerStatuses"][0]["restartCount"] == 1)


def test_the_end_is_asked_for_and_told_when_it_has_come(place: Place) -> None:
    code = (
        "import pathlib, signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path(sys.argv[1]).touch(), sys.exit()))\n"
        "print('up', flush=True)\n"
        "while True: signal.pause()\n"
    )
    worker = place.begin(code, "/shared/done", policy="Always")
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not (worker.log.exists() and "up" in worker.log.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker.stop(TIMEOUT_SECONDS)
    worker.join()
    assert (place.shared / "done").exists()
    assert place.api.deleted.is_set()
    assert place.ended.is_set()
    with pytest.raises(DevError, match="pod p has no process now"):
        worker.pid  # noqa: B018


def test_one_that_dies_is_started_again_and_nothing_of_it_is_left(place: Place) -> None:
    """Two at a time would be in each other's way: here by a lock that the second then would not get."""
    worker = place.begin(ALONE, policy="Always")
    alive = place.shared / "alive"
    deadline = time.monotonic() + TIMEOUT_SECONDS
    for count in (1, 2):
        while not (alive.exists() and alive.stat().st_size == count):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(worker.pid, signal.SIGKILL)
    place.api.until(lambda status: status["containerStatuses"][0]["restartCount"] == 2)


def test_what_cannot_be_run_says_why(place: Place) -> None:
    place.begin(command=[])
    status = place.api.until(lambda status: status["phase"] == "Pending")
    assert state(status)["waiting"]["message"].startswith("container c has no command")


class SecretsApi(Api):
    """An API whose Secret somebody makes later."""

    def __init__(self) -> None:
        super().__init__()
        self.made = threading.Event()

    def read_namespaced_secret(self, name: str, _namespace: str) -> SimpleNamespace:
        if not self.made.is_set():
            error = ApiException(status=404)
            error.body = json.dumps({"message": f'secrets "{name}" not found'})
            raise error
        return SimpleNamespace(data={"word": "eWVz"})


def test_a_secret_that_is_not_there_yet_is_awaited(place: Place) -> None:
    api = SecretsApi()
    place.api = api
    word = {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "later", "key": "word"}}}
    place.begin("import os; print(os.environ['WORD'])", env=[word])
    status = api.until(lambda status: status["phase"] == "Pending")
    assert state(status) == {"waiting": {"reason": "ContainerCreating", "message": 'secrets "later" not found'}}
    api.made.set()
    status = api.until(lambda status: status["phase"] == "Succeeded")
    assert state(status)["terminated"]["message"] == "yes"


def test_a_pod_that_still_waits_for_a_secret_can_be_deleted(place: Place) -> None:
    api = SecretsApi()
    place.api = api
    word = {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "later", "key": "word"}}}
    worker = place.begin("print('never')", env=[word])
    api.until(lambda status: status["phase"] == "Pending")
    worker.stop(0)
    worker.join()
    assert api.deleted.is_set()
    assert not worker.log.exists()
