from __future__ import annotations

from datetime import UTC, datetime

from anka_crds.rules.challenger import Challenger, parse_challenger


def test_what_is_said_is_read_again() -> None:
    one = Challenger(host_name="mac-9", address="10.0.0.9", hardware_uuid="H", at=datetime(2026, 1, 1, tzinfo=UTC))
    assert parse_challenger(one.to_annotation()) == one
    assert one.describe() == "mac-9, at 10.0.0.9, hardware UUID H"
    assert Challenger(host_name="mac-9").describe() == "mac-9, hardware UUID unknown"


def test_anything_else_is_a_machine_too_and_nothing_is_none() -> None:
    assert parse_challenger(None) is None
    assert parse_challenger("") is None
    found = parse_challenger("{}")
    assert found is not None
    assert found.host_name == "{}"
