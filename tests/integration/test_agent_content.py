"""A tag that is reverted and pushed again: what a Mac holds of it is old, and no VM is made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from anka_dev.cloud.macs import RegistryHost
from anka_operator.registry_view.desired import to_known
from anka_registry.models import RegistryTemplate
from anka_sim.registry import seed, shapes
from anka_sim.registry.catalog import RegistryCatalog
from support.agents import Bench

pytestmark = pytest.mark.integration
TAG = "v1"


class Content:
    """One template with one tag, whose content is a file in the home directory of its VMs."""

    def __init__(self, bench: Bench, home: Path, name: str) -> None:
        assert bench.cloud.registry is not None
        self.bench = bench
        self.registry: RegistryHost = bench.cloud.registry
        self.catalog = RegistryCatalog(self.registry.directory)
        self.name = name
        self._home = home
        self.uuid: str | None = None
        self.push("first")

    def push(self, content: str) -> None:
        (self._home / "content").write_text(content)
        self.uuid = seed.template(
            self.registry.directory, self.name, tag=TAG, uuid=self.uuid, size=1000, home=self._home
        )

    def revert_and_push(self, content: str) -> None:
        self.catalog.revert(self.uuid or "", TAG)
        self.push(content)

    def bind(self, name: str) -> None:
        """As the operator does."""
        held = shapes.template(self.catalog.get(self.uuid or ""))
        version = to_known(RegistryTemplate.model_validate(held)).versions[-1]
        resolved = {"id": self.uuid, "name": self.name, "tag": TAG, "version": version.number}
        status: dict[str, Any] = {
            "nodeName": self.bench.mac.name,
            "phase": "Scheduling",
            "template": {**resolved, "contentId": version.content_id},
            "registry": self.registry.url,
        }
        self.bench.patch(name, {"status": status}, "--subresource=status")

    def start(self, name: str) -> str:
        """What runs."""
        self.bench.create(name, bind=False)
        self.bind(name)
        self.bench.wait_phase(name, "Started")
        return self.read(name)

    def read(self, name: str) -> str:
        uuid = self.bench.get(name)["status"]["vm"]["uuid"]
        return (self.bench.mac.guest_home(uuid) / "content").read_text()

    def pulls(self) -> int:
        """The agent's, without its questions for the size."""
        return len([
            argv for argv in self.bench.commands("registry")
            if "pull" in argv and self.uuid in argv and "--check-download-size" not in argv
        ])  # fmt: skip

    def ready(self, name: str) -> str:
        found = self.bench.get(name)["status"]["conditions"]
        return str(next(one["message"] for one in found if one["type"] == "Ready"))


@pytest.fixture(scope="module")
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench("agent-content")


@pytest.fixture
def content(bench: Bench, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Content]:
    made = Content(bench, tmp_path, request.node.name)
    yield made
    bench.clear()


def test_the_same_tag_pushed_again_is_what_runs(content: Content) -> None:
    assert content.start("before") == "first"
    assert content.start("again") == "first"
    assert content.pulls() == 1, "the same content starts at once"
    content.revert_and_push("second")
    assert content.start("after") == "second"
    assert content.read("before") == "first", "a VM keeps what it was made from"
    content.bench.kill()
    content.bench.restart()
    assert content.start("restarted") == "second"
    assert content.pulls() == 2, "the agent remembers over its restart"


def test_what_was_held_before_is_pulled_once_for_all(content: Content) -> None:
    content.bench.mac.run("registry", "pull", "--tag", TAG, content.uuid or "")
    content.revert_and_push("second")
    by_hand = content.pulls()
    names = [f"held-{number}" for number in range(4)]
    for name in names:
        content.bench.create(name, bind=False)
    for name in names:
        content.bind(name)
    for name in names:
        content.bench.wait_phase(name, "Started")
    assert [content.read(name) for name in names] == ["second"] * 4
    assert content.pulls() == by_hand + 1


def test_without_the_registry_only_what_may_be_right_is_started(content: Content) -> None:
    content.bench.mac.run("registry", "pull", "--tag", TAG, content.uuid or "")
    content.registry.stop()
    try:
        assert content.start("unknown") == "first"
        assert content.ready("unknown").startswith(f"The VM is running; made from {content.uuid}:{TAG} as the Mac held")
    finally:
        content.registry.start()
    assert content.start("asked") == "first"
    assert content.ready("asked") == "The VM is running"
    content.revert_and_push("second")
    content.registry.stop()
    try:
        content.bench.create("old", bind=False)
        content.bind("old")
        message = content.bench.wait_phase("old", "Error")["status"]["message"]
    finally:
        content.registry.start()
    assert message.startswith("the template cannot be pulled: anka registry pull: ")
    assert message.endswith(
        f"; {content.uuid}:{TAG} on this Mac has other content than the registry's and is not started"
    )
    assert content.start("new") == "second"
