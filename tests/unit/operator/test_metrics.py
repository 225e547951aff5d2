"""Labels are few, whatever people write."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import REGISTRY, Gauge

from anka_operator import metrics
from anka_operator.cluster.stores import ClusterStores
from anka_operator.metrics import OTHER, LabelLimiter, TemplateLabels
from support.objects import TEMPLATE, instance, template


def test_the_first_keep_their_names() -> None:
    limiter = LabelLimiter(2)
    assert [limiter.limit(value) for value in ("a", "b", "c", "a", "c", "b")] == ["a", "b", OTHER, "a", OTHER, "b"]


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({}, {}, "macos-15"),
        ({"template": "macos-15"}, {}, "macos-15"),
        ({"template": "macos-51"}, {}, OTHER),
        ({"template": "renamed"}, {"template": {"id": TEMPLATE, "name": "renamed"}}, "macos-15"),
        ({"template": "macos-15"}, {"template": {"id": "deleted"}}, OTHER),
    ],
)
def test_only_templates_of_the_registry(spec: dict[str, Any], status: dict[str, Any], expected: str) -> None:
    stores = ClusterStores()
    stores.templates.observe(template())
    assert TemplateLabels(stores.templates).of_instance(instance(status=status, **spec)) == expected


def test_the_name_for_people_comes_first() -> None:
    stores = ClusterStores()
    stores.templates.observe(template(displayName="Sequoia"))
    labels = TemplateLabels(stores.templates)
    assert [labels.of_template(word) for word in (TEMPLATE, "macos-15", "Sequoia")] == ["Sequoia"] * 3


def test_too_many_templates() -> None:
    stores = ClusterStores()
    for name in ("a", "b"):
        stores.templates.observe(template(f"uuid-{name}", name))
    names = TemplateLabels(stores.templates, limit=1)
    assert [names.of_template(name) for name in ("a", "b", "a")] == ["a", OTHER, "a"]


def cloud_samples() -> dict[str, list[float]]:
    """Of every gauge of the operator that this module defines, but for whether the process leads."""
    gauges = [one for one in vars(metrics).values() if isinstance(one, Gauge) and one is not metrics.LEADER]
    families = [family for gauge in gauges for family in gauge.collect()]
    return {family.name: [sample.value for sample in family.samples] for family in families}


def test_a_standby_shows_nothing_of_the_cloud() -> None:
    """Every gauge that the leader fills, also one that is added later."""
    metrics.forget_cloud()
    nothing = cloud_samples()
    assert nothing
    assert not any(nothing.values())
    for gauge in metrics.CLOUD:
        one: Gauge = gauge.labels(*gauge._labelnames) if gauge._labelnames else gauge
        one.set(3)
    assert cloud_samples() == {name: [3.0] for name in nothing}
    assert REGISTRY.get_sample_value("anka_operator_queue_depth") == 3
    metrics.forget_cloud()
    assert cloud_samples() == nothing
    assert REGISTRY.get_sample_value("anka_operator_queue_depth") is None


def test_who_leads_again_shows_only_what_it_counts_now() -> None:
    metrics.PENDING.labels("Unschedulable").set(4)
    metrics.forget_cloud()
    metrics.PENDING.labels("TemplateNotFound").set(0)
    assert REGISTRY.get_sample_value("anka_operator_pending_instances", {"reason": "Unschedulable"}) is None
    assert REGISTRY.get_sample_value("anka_operator_pending_instances", {"reason": "TemplateNotFound"}) == 0
    metrics.forget_cloud()
