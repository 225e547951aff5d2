"""An id means one object."""

from __future__ import annotations

import pytest

from anka_crds.api.meta import ObjectMeta
from anka_shim.ids import rest_id

NAME = "c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce"
UID = "e74dfc0e-dc94-4ca2-575e-3219ac08ffa2"


@pytest.mark.parametrize(
    ("name", "namespace", "id_"),
    [
        (NAME, "ci", NAME),
        ("golden", "ci", UID),
        (NAME, "other", UID),
        ("golden", "other", UID),
        (NAME.upper(), "ci", UID),
    ],
)
def test_ids(name: str, namespace: str, id_: str) -> None:
    assert rest_id(ObjectMeta(name=name, namespace=namespace, uid=UID), "ci") == id_
