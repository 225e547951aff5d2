"""What is collected of what the process logs."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from anka_agent.central_logs.buffer import Buffer
from anka_agent.central_logs.collector import Collector
from anka_agent.central_logs.hidden import Hidden
from anka_crds.process import logs


class Rig:
    def __init__(self) -> None:
        self.buffer, self.hidden, self.wanted = Buffer(), Hidden(), True
        self.log = logging.getLogger("test.central")
        self.log.setLevel("INFO")
        self.log.propagate = False
        self.log.handlers = [Collector(self.buffer, self.hidden, lambda: self.wanted)]

    def collected(self) -> dict[str, list[dict[str, object]]]:
        found: dict[str, list[dict[str, object]]] = {}
        while (batch := self.buffer.batch(1 << 20)) is not None:
            found[batch.service] = [json.loads(line) for line in batch.content.splitlines()]
            self.buffer.sent(batch)
        return found


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.log.handlers = []


def test_every_line_is_the_agents_and_some_are_an_instances(rig: Rig) -> None:
    rig.log.info("alone", extra={"node": "mac-1"})
    with logs.context(instance="ci/a", uid="u", instance_id="u-1"):
        rig.log.warning("of %s", "one")
    rig.log.debug("not asked for")
    found = rig.collected()
    assert [line["message"] for line in found["anka_agent"]] == ["alone", "of one"]
    (line,) = found["instance-u-1"]
    assert {"instance_id": "u-1", "instance": "ci/a", "level": "WARNING"}.items() <= line.items()
    assert found["anka_agent"][0]["node"] == "mac-1"


def test_a_traceback_is_one_line(rig: Rig) -> None:
    try:
        raise ValueError("x\ny")
    except ValueError:
        rig.log.exception("broken")
    (line,) = rig.collected()["anka_agent"]
    assert "ValueError: x\ny" in str(line["exc_info"])


def test_secrets_are_covered(rig: Rig) -> None:
    rig.hidden.learn("correct horse")
    rig.log.info("said %s", "correct horse", extra={"also": "correct horse"})
    (line,) = rig.collected()["anka_agent"]
    assert (line["message"], line["also"]) == ("said [hidden]", "[hidden]")


def test_nothing_while_it_is_not_wanted(rig: Rig) -> None:
    rig.wanted = False
    rig.log.info("kept here")
    rig.wanted = True
    rig.log.info("sent")
    assert [line["message"] for line in rig.collected()["anka_agent"]] == ["sent"]


def test_a_record_that_cannot_be_formatted_harms_nobody(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    rig.log.info("%d", "no number")
    rig.log.info("next")
    assert [line["message"] for line in rig.collected()["anka_agent"]] == ["next"]
