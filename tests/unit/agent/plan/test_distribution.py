from __future__ import annotations

from typing import Any

import pytest

from anka_agent.plan.distribution import TemplateJob, explain_refusal, list_jobs
from anka_crds.api import TemplateDistribution
from anka_crds.api.limits import MAX_TEMPLATE_TASKS
from anka_crds.api.node import RequiredTemplate
from support.objects import distribution, node

HERE = [{"nodeName": "mac-1"}, {"nodeName": "mac-2"}]
TEMPLATE = {"id": "t", "tag": "v1"}
RUNNING = {"phase": "Running", "template": TEMPLATE, "nodes": HERE, "registry": "http://r"}


def has_content(template: str, tag: str | None, content_id: str | None) -> bool:
    return (template, tag) == ("t", "held") and content_id in (None, "now")


def request(name: str = "request", status: dict[str, Any] | None = None, **spec: Any) -> TemplateDistribution:
    return distribution(name, status={**RUNNING, **(status or {})}, **spec)


@pytest.mark.parametrize(
    ("one", "job"),
    [
        (request(), TemplateJob("request", "uid-request", "Pull", "t", "v1", "http://r")),
        (request(action="Remove"), TemplateJob("request", "uid-request", "Remove", "t", "v1", "http://r")),
        (
            request(status={"nodes": [{"nodeName": "mac-1", "round": 3}]}),
            TemplateJob("request", "uid-request", "Pull", "t", "v1", "http://r", 3),
        ),
        (request(cancelled=True), None),
        (request(status={"phase": "Pending"}), None),
        (request(status={"phase": "Done"}), None),
        (request(status={"template": None}), None),
        (request(status={"nodes": [{"nodeName": "mac-2"}]}), None),
        (request(status={"nodes": [{"nodeName": "mac-1", "done": True}]}), None),
        (distribution(status=RUNNING, meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}), None),
    ],
)
def test_which_are_jobs_here(one: TemplateDistribution, job: TemplateJob | None) -> None:
    assert list_jobs([one], node("mac-1"), has_content) == ([job] if job else [])


def test_rules_come_last_and_only_when_they_are_not_fulfilled() -> None:
    kept = [{"template": "t", "tag": "held"}, {"template": "t", "tag": "v3", "registry": "http://r"}]
    found = list_jobs([request()], node("mac-1", status={"keptTemplates": kept}), has_content)
    assert [job.name for job in found] == ["request", "keep:t:v3"]
    assert found[1] == TemplateJob("keep:t:v3", "", "Pull", "t", "v3", "http://r")
    assert [job.is_rule for job in found] == [False, True]


def test_what_a_rule_keeps_is_the_content_that_the_registry_has() -> None:
    kept = [{"template": "t", "tag": "held", "contentId": content} for content in ("now", "other")]
    found = list_jobs([], node("mac-1", status={"keptTemplates": kept}), has_content)
    assert found == [TemplateJob("keep:t:held", "", "Pull", "t", "held", content_id="other")]


def test_the_content_of_a_request() -> None:
    (found,) = list_jobs([request(status={"template": {**TEMPLATE, "contentId": "now"}})], node("mac-1"), has_content)
    assert found.content_id == "now"


def test_the_oldest_first_and_not_more_than_can_be_told() -> None:
    many = [
        distribution(f"r-{age:03}", status=RUNNING, meta={"age": float(age)}) for age in range(MAX_TEMPLATE_TASKS + 9)
    ]
    found = list_jobs(many, node("mac-1"), has_content)
    assert len(found) == MAX_TEMPLATE_TASKS
    assert (found[0].name, found[1].name) == (f"r-{MAX_TEMPLATE_TASKS + 8:03}", f"r-{MAX_TEMPLATE_TASKS + 7:03}")


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
    kept = [RequiredTemplate(template="t", tag="v1")]
    assert (explain_refusal(TemplateJob("r", "u", action, template, tag), kept) is not None) is refused
