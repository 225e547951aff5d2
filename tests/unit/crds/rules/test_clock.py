from __future__ import annotations

import pytest

from anka_crds.rules.clock import describe_skew, is_skewed


@pytest.mark.parametrize(
    ("ahead", "skewed"), [(None, False), (0, False), (60, False), (-60, False), (61, True), (-61, True), (720, True)]
)
def test_the_bound(ahead: float | None, skewed: bool) -> None:
    assert is_skewed(ahead) is skewed


def test_words() -> None:
    assert describe_skew(12.4) == "12 s ahead of the API's"
    assert describe_skew(-240) == "240 s behind the API's"
