"""What an endpoint adds to the line about its request."""

from __future__ import annotations

from typing import Any

from anka_shim.http.notes import note, noted


def test_only_what_is_known_is_added() -> None:
    scope: dict[str, Any] = {}
    assert noted(scope) == {}
    note(scope, external_id=None, instance_id="")
    note(scope, instance_id="i")
    note(scope, external_id="job 7")
    assert noted(scope) == {"instance_id": "i", "external_id": "job 7"}
