"""The manifests of the scenario, read strictly into our models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from anka_crds.api import AnkaInstance
from anka_dev.portal.screenshots.scenario import (
    FAILURES,
    LONGEST_WAITING,
    TAGS,
    XCODE,
    Scenario,
    make_instance,
    make_manifest,
)


class KubectlRecorder:
    """Keeps what is applied and awaited."""

    def __init__(self) -> None:
        self.applied: list[dict[str, Any]] = []
        self.waits: list[str] = []

    def run(self, *arguments: str, stdin: str | None = None, timeout: float = 0) -> str:
        if stdin is not None:
            self.applied += json.loads(stdin)["items"]
        return ""


class CloudRecorder:
    def __init__(self) -> None:
        self.kubectl = KubectlRecorder()
        self.waits: list[tuple[str, str]] = []

    def wait_for(self, what: str, condition: str, *, seconds: float = 60) -> None:
        self.waits.append((what, condition))


def test_an_instance_is_valid_and_names_its_job() -> None:
    instance = AnkaInstance.model_validate(make_instance("ios-build-4711", XCODE, group="ios"))
    assert instance.spec.external_id == "https://ci.example.com/jobs/4711"
    assert (instance.spec.template, instance.spec.group) == (XCODE, "ios")


def test_manifests_have_kind_and_name() -> None:
    made = make_manifest("NodeGroup", "ios", {"description": "x"})
    assert (made["kind"], made["metadata"], made["spec"]) == ("NodeGroup", {"name": "ios"}, {"description": "x"})


def test_who_waits_is_awaited_in_the_order_of_the_queue() -> None:
    cloud: Any = CloudRecorder()
    Scenario(cloud).queue_up()
    names = [manifest["metadata"]["name"] for manifest in cloud.kubectl.applied]
    assert names[0] == LONGEST_WAITING
    assert [what for what, _ in cloud.waits] == [f"ankainstance/{name}" for name in names]
    assert "Unschedulable" in cloud.waits[0][1]
    assert "NotFound" in cloud.waits[-1][1]
    assert cloud.kubectl.applied[-1]["spec"]["template"] not in TAGS
    assert FAILURES > 1


def test_ids_come_without_white_space(tmp_path: Path) -> None:
    cloud: Any = CloudRecorder()
    cloud.kubectl.run = lambda *_: " 7-8\n"
    assert Scenario(cloud).id_of("x") == "7-8"
