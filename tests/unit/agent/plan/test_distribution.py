from __future__ import annotations

from typing import Any

import pytest

from anka_agent.plan.distribution import MAX_JOBS, Job, jobs, refusal
from anka_crds.api import TemplateDistribution
from anka_crds.api.node import KeptTemplate
from support.objects import distribution, node

HERE = [{"nodeName": "mac-1"}, {"nodeName": "mac-2"}]
TEMPLATE = {"id": "t", "tag": "v1"}
RUNNING = {"phase": "Running", "template": TEMPLATE, "nodes": HERE, "registry": "http://r"}


def holds(template: str, tag: str | None) -> bool:
    return (template, tag) == ("t", "held")


def request(name: str = "request", status: dict[str, Any] | None = None, **spec: Any) -> TemplateDistribution:
    return distribution(name, status={**RUNNING, **(status or {})}, **spec)


@pytest.mark.parametrize(
    ("one", "job"),
    [
        (request(), Job("request", "uid-request", "Pull", "t", "v1", "http://r")),
        (request(action="Remove"), Job("request", "uid-request", "Remove", "t", "v1", "http://r")),
        (request(cancelled=True), None),
        (request(status={"phase": "Pending"}), None),
        (request(status={"phase": "Done"}), None),
        (request(status={"template": None}), None),
        (request(status={"nodes": [{"nodeName": "mac-2"}]}), None),
        (request(status={"nodes": [{"nodeName": "mac-1", "done": True}]}), None),
        (distribution(status=RUNNING, meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}), None),
    ],
)
def test_which_are_jobs_here(one: TemplateDistribution, job: Job | None) -> None:
    assert jobs([one], node("mac-1"), holds) == ([job] if job else [])


def test_rules_come_last_and_only_when_they_are_not_fulfilled() -> None:
    kept = [{"template": "t", "tag": "held"}, {"template": "t", "tag": "v3", "registry": "http://r"}]
    found = jobs([request()], node("mac-1", status={"keptTemplates": kept}), holds)
    assert [job.name for job in found] == ["request", "keep:t:v3"]
    assert found[1] == Job("keep:t:v3", "", "Pull", "t", "v3", "http://r")
    assert [job.is_rule for job in found] == [False, True]


def test_the_oldest_first_and_not_more_than_can_be_told() -> None:
    many = [distribution(f"r-{age:03}", status=RUNNING, meta={"age": float(age)}) for age in range(MAX_JOBS + 9)]
    found = jobs(many, node("mac-1"), holds)
    assert len(found) == MAX_JOBS
    assert (found[0].name, found[1].name) == (f"r-{MAX_JOBS + 8:03}", f"r-{MAX_JOBS + 7:03}")


@pytest.mark.parametrize(
    ("action", "template", "tag", "refused"),
    [
        ("Remove", "t", None, True),
        ("Remove", "t", "v1", True),
        ("Remove", "t", "v2", False),
        ("Remove", "other", None, False),
        ("Pull", "t", "v1", False),
    ],
)
def test_refusal(action: Any, template: str, tag: str | None, refused: bool) -> None:
    kept = [KeptTemplate(template="t", tag="v1")]
    assert (refusal(Job("r", "u", action, template, tag), kept) is not None) is refused
