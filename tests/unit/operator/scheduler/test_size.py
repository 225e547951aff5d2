"""What a template takes."""

from __future__ import annotations

import pytest

from anka_operator.scheduler.size import DEFAULT_SIZE, Size, TemplateSizes, TemplateTag


@pytest.mark.parametrize(
    ("template", "tag", "wanted"),
    [
        ("t", "v1", Size(2, 4096)),
        ("t", "v2", Size(8, 1024)),
        ("t", "unseen", Size(8, 4096)),  # whatever of the template is large is assumed
        ("other", "v1", DEFAULT_SIZE),
    ],
)
def test_of(template: str, tag: str, wanted: Size) -> None:
    sizes = TemplateSizes()
    sizes.learn({("t", "v1"): Size(2, 4096)})
    sizes.learn({("t", "v2"): Size(8, 1024)})
    sizes.learn({("t", "v1"): Size(1, 2048)})
    assert sizes.of(template, tag) == wanted


def test_the_order_does_not_matter() -> None:
    one, two = TemplateSizes(), TemplateSizes()
    reports: list[dict[TemplateTag, Size]]
    reports = [{("t", "a"): Size(1, 9)}, {("t", "a"): Size(2, 3)}, {("t", None): Size(3, 1)}]
    for report in reports:
        one.learn(report)
    for report in reversed(reports):
        two.learn(report)
    assert [one.of("t", tag) for tag in ("a", "b")] == [two.of("t", tag) for tag in ("a", "b")]
