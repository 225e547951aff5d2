"""What a template takes."""

from __future__ import annotations

import pytest

from anka_scheduler.size import DEFAULT_SIZE, TemplateSizes, TemplateTag, VmSize


@pytest.mark.parametrize(
    ("template", "tag", "wanted"),
    [
        ("t", "v1", VmSize(2, 4096)),
        ("t", "v2", VmSize(8, 1024)),
        ("t", "unseen", VmSize(8, 4096)),  # whatever of the template is large is assumed
        ("other", "v1", DEFAULT_SIZE),
    ],
)
def test_of(template: str, tag: str, wanted: VmSize) -> None:
    sizes = TemplateSizes()
    sizes.learn({("t", "v1"): VmSize(2, 4096)})
    sizes.learn({("t", "v2"): VmSize(8, 1024)})
    sizes.learn({("t", "v1"): VmSize(1, 2048)})
    assert sizes.lookup(template, tag) == wanted


def test_the_order_does_not_matter() -> None:
    one, two = TemplateSizes(), TemplateSizes()
    reports: list[dict[TemplateTag, VmSize]]
    reports = [{("t", "a"): VmSize(1, 9)}, {("t", "a"): VmSize(2, 3)}, {("t", None): VmSize(3, 1)}]
    for report in reports:
        one.learn(report)
    for report in reversed(reports):
        two.learn(report)
    assert [one.lookup("t", tag) for tag in ("a", "b")] == [two.lookup("t", tag) for tag in ("a", "b")]
