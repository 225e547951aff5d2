"""kill -9 of every process of ours at random moments of 200 lives: none lost, none doubled, nothing left over."""

from __future__ import annotations

import os
import random
import threading
import time
import urllib.error
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any

import pytest

from anka_crds.api.defaults import VM_PREFIX
from anka_dev.cloud import LocalCloud
from support.cloud import FAST_MAC

pytestmark = pytest.mark.e2e

LIVES = int(os.environ.get("ANKA_TEST_LIVES", "200"))
CLIENTS = 10
LIFE_SECONDS = 240.0
# A crash every second or so: with starts of our processes taking about as long, something is nearly always down.
PAUSE_SECONDS = (0.3, 1.5)
# A life has two: Started, and gone. On a busy machine lives go on slowly, and crashes by the clock alone would become
# so many for each that little else is tested than starts of our processes.
STEPS_FOR_A_CRASH = 5


class Client:
    """A CI plugin that never gives up: repeats what got no answer, and finds by external_id what it may have made."""

    def __init__(self, cloud: LocalCloud, template: str, stepped: Callable[[], None]) -> None:
        self.cloud = cloud
        self.template = template
        self.stepped = stepped

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The envelope; waits out a shim that is down. A request whose answer was lost raises ConnectionError."""
        deadline = time.monotonic() + LIFE_SECONDS
        while True:
            try:
                answer = self.cloud.rest(method, path, body)
            except urllib.error.HTTPError as error:
                with error:
                    pytest.fail(f"HTTP {error.code} for {method} {path}: {error.read()!r}")
            except (OSError, HTTPException) as error:
                if method == "POST":
                    raise ConnectionError from error
            else:
                return answer
            assert time.monotonic() < deadline, f"no answer to {method} {path}"
            self._wait_for_shim()

    def start(self, external_id: str) -> str:
        while True:
            try:
                answer = self.call("POST", "/api/v1/vm", {"vmid": self.template, "external_id": external_id})
            except ConnectionError:
                self._wait_for_shim()
                known = self.call("GET", "/api/v1/vm")["body"]
                mine = [item["instance_id"] for item in known if item["external_id"] == external_id]
                if mine:
                    return str(mine[0])
            else:
                if answer["status"] == "OK":
                    return str(answer["body"][0])
                self._wait_for_shim()

    def state(self, instance: str) -> str:
        answer = self.call("GET", f"/api/v1/vm?id={instance}")
        return str(answer["body"]["instance_state"] if answer["status"] == "OK" else answer["message"])

    def live(self, external_id: str) -> tuple[str, str]:
        """One life; the instance and the node it ran on."""
        instance = self.start(external_id)
        node = ""
        deadline = time.monotonic() + LIFE_SECONDS
        while (state := self.state(instance)) != "Started":
            assert state in {"Scheduling", "Pulling"}, f"{instance}: {state}"
            assert time.monotonic() < deadline, f"{instance} is {state} after {LIFE_SECONDS:g} s"
            time.sleep(0.2)
        self.stepped()
        answer = self.call("GET", f"/api/v1/vm?id={instance}")
        node = answer["body"]["node_id"]
        while self.call("DELETE", "/api/v1/vm", {"id": instance})["status"] != "OK":
            if self.state(instance) in {"Terminating", "Terminated", "Not found"}:
                break
            self._wait_for_shim()
        # A shim that came back after the object was gone never knew it.
        while (state := self.state(instance)) not in {"Terminated", "Not found"}:
            assert time.monotonic() < deadline, f"{instance} is {state} after {LIFE_SECONDS:g} s"
            time.sleep(0.2)
        self.stepped()
        return instance, node

    def _wait_for_shim(self) -> None:
        deadline = time.monotonic() + 60
        while not self.cloud.shims[0].ready():
            assert time.monotonic() < deadline
            time.sleep(0.1)


class Reaper(threading.Thread):
    """Kills one process at a time and starts it again at once, until told to stop."""

    def __init__(self, cloud: LocalCloud, seed: int) -> None:
        super().__init__(daemon=True)
        self.cloud = cloud
        self.random = random.Random(seed)
        self.enough = threading.Event()
        # Some in advance: the first lives meet crashes, too.
        self.steps = threading.Semaphore(10 * STEPS_FOR_A_CRASH)
        self.killed: Counter[str] = Counter()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.enough.wait(self.random.uniform(*PAUSE_SECONDS)):
                for _ in range(STEPS_FOR_A_CRASH):
                    self.steps.acquire()
                if self.enough.is_set():
                    return
                service = self.random.choice(self.cloud.services())
                service.kill()
                self.killed[service.name] += 1
                service.restart()
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        """Returns once nobody is killed any more, and all are started again."""
        self.enough.set()
        self.steps.release(STEPS_FOR_A_CRASH)
        self.join()


def test_two_hundred_lives_among_crashes(cloud: LocalCloud) -> None:
    seed = int(os.environ.get("ANKA_TEST_SEED", str(random.SystemRandom().randrange(10**6))))
    print(f"seed {seed}: repeat with ANKA_TEST_SEED={seed}")
    assert cloud.registry is not None
    cloud.add_mac("mac-03", "--max-vm-count=4", "--heartbeat=2", "--lease-duration=8", **FAST_MAC)
    cloud.wait_ready()
    assert cloud.vm_names() == []

    reaper = Reaper(cloud, seed)
    client = Client(cloud, cloud.registry.templates[0], reaper.steps.release)
    reaper.start()
    try:
        with ThreadPoolExecutor(CLIENTS) as clients:
            lives = list(clients.map(client.live, (f"life-{number}-{uuid.uuid4()}" for number in range(LIVES))))
    finally:
        reaper.stop()
    print(f"killed: {dict(reaper.killed)}")
    assert reaper.error is None
    assert all(reaper.killed[service.name] for service in cloud.services()), reaper.killed
    cloud.wait_ready()

    # None lost: every life had its own instance and its own Mac, and its object is gone.
    assert len({instance for instance, _ in lives}) == LIVES
    assert cloud.kubectl.run("get", "ankainstances", "--all-namespaces", "--output=name") == ""
    # Nothing left over.
    deadline = time.monotonic() + 60
    while left := cloud.vm_names():
        assert time.monotonic() < deadline, f"left over: {left}"
        time.sleep(0.2)
    # None twice: a VM's name holds its instance's token, so no name was ever cloned twice, on whichever Mac.
    clones = Counter(
        entry["argv"][-1]
        if entry["argv"][-1].startswith(VM_PREFIX)
        else next(word for word in entry["argv"] if word.startswith(VM_PREFIX))
        for mac in cloud.macs.values()
        for entry in mac.commands()
        # 141: done, but whoever asked was killed before it could read the answer.
        if "clone" in entry["argv"] and entry["code"] in (0, 141)
    )
    assert [name for name, count in clones.items() if count > 1] == []
    assert len(clones) >= LIVES
