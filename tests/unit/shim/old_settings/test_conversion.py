"""Settings of the old controller become values: durations, switches, URLs, levels and addresses."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_shim.old_settings import conversion
from anka_shim.old_settings.conversion import Conversion, parse_duration, parse_switch


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("5m", 300), ("1m30s", 90), ("1h0m0.5s", 3600.5), ("250ms", 0.25), (".5s", 0.5), ("2h", 7200)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "1d", "-5m", "5m!", "ten"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be a duration, such as 1m30s"):
        parse_duration(text)


@given(st.integers(0, 999), st.integers(0, 59), st.integers(0, 59))
def test_durations_add_up(hours: int, minutes: int, seconds: int) -> None:
    assert math.isclose(parse_duration(f"{hours}h{minutes}m{seconds}s"), hours * 3600 + minutes * 60 + seconds)


@given(st.text(max_size=40))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_duration(text) >= 0


@pytest.mark.parametrize(("text", "on"), [("true", True), ("1", True), ("T", True), ("FALSE", False), ("0", False)])
def test_switches(text: str, on: bool) -> None:
    assert parse_switch(text) is on


@pytest.mark.parametrize(
    ("convert", "text", "values"),
    [
        (conversion.to_url("registry.url"), "http://r:8089/", {"registry.url": "http://r:8089"}),
        (conversion.to_url("a", keep_slash=True), "http://r/events/", {"a": "http://r/events/"}),
        (conversion.to_seconds("a.b"), "90s", {"a.b": 90}),
        (conversion.to_seconds("a.b"), "1500ms", {"a.b": 1.5}),
        (conversion.to_switch("logs.central"), "false", {"logs.central": False}),
        (conversion.to_log_level, "0", {"logs.level": "INFO"}),
        (conversion.to_log_level, "10", {"logs.level": "DEBUG"}),
        (conversion.to_log_level, "warning", {"logs.level": "WARNING"}),
        (conversion.to_service_port, ":80", {"service.port": 80}),
        (conversion.to_service_port, "0.0.0.0:8090", {"service.port": 8090}),
    ],
)
def test_conversions(convert: Conversion, text: str, values: dict[str, object]) -> None:
    assert convert(text) == values


@pytest.mark.parametrize(
    ("convert", "text", "fault"),
    [
        (conversion.to_url("registry.url"), "registry:8089", "must begin with http:// or https://, and name a host"),
        (conversion.to_url("registry.url"), "http://r,http://secret1", "has several URLs: choose one"),
        (conversion.to_url("registry.url"), "http://u:secret1@r", "has a login in the URL: give it by "),
        (conversion.to_switch("a"), "secret1", "must be true or false"),
        (conversion.to_log_level, "secret1", "must be a number from 0 to 10"),
        (conversion.to_service_port, ":secret1", "must end in : and a port"),
        (conversion.to_service_port, ":65536", "must end in : and a port"),
    ],
)
def test_faults_do_not_repeat_the_text(convert: Conversion, text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault) as caught:
        convert(text)
    assert "secret1" not in str(caught.value)
