"""Labels, annotations and finalizers: what the code has is described, and nothing else."""

from __future__ import annotations

import pytest

from anka_dev.reference.labels import KEYS, keys_in, page, undescribed


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('A = "anka.veertu.com/vm"', ["anka.veertu.com/vm"]),
        ('A = f"{GROUP}/request-slot"', ["anka.veertu.com/request-slot"]),
        ('{"app.kubernetes.io/created-by": "x"}', ["app.kubernetes.io/created-by"]),
        ('A = f"{GROUP}/{VERSION}"', []),
        ('"anka.veertu.com/v1alpha1"', []),
        ('"see anka.veertu.com/vm for more"', []),
        ('A = f"{OTHER}/vm"', []),
    ],
)
def test_keys_in_source(source: str, expected: list[str]) -> None:
    assert list(keys_in(source)) == expected


def test_every_key_is_described_and_exists() -> None:
    assert undescribed() == []


def test_the_page_has_all() -> None:
    text = page().text()
    assert all(f"| `{key}` | {one.kind} |" in text for key, one in KEYS.items())
