"""An environment becomes values; what does not is told, without its text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_shim.old_settings.chart_values import translate
from anka_shim.old_settings.table import ANSWERS


def test_values_are_nested() -> None:
    found = translate(
        {
            "ANKA_ANKA_REGISTRY": "http://r:8089",
            "ANKA_ENABLE_AUTH": "true",
            "ANKA_API_KEYS_SESSION_TTL": "5m",
            "ANKA_LOCAL_ANKA_REGISTRY": "",
        }
    )
    assert found.values == {
        "registry": {"url": "http://r:8089"},
        "auth": {"enabled": True},
        "shim": {"flags": {"api-key-session-seconds": 300}},
    }
    assert found.remarks == [
        "ANKA_ENABLE_AUTH: the operator makes a root token, unless auth.rootToken names a Secret of yours"
    ]
    assert found.faults == []


def test_who_was_open_is_told_that_the_chart_is_not() -> None:
    assert translate({}).remarks == translate({"ANKA_V": "0"}).remarks
    [told] = translate({}).remarks
    assert told.startswith("ANKA_ENABLE_AUTH: is not set, so the old controller let everybody in")
    said = translate({"ANKA_ENABLE_AUTH": "false"})
    assert said.values == {"auth": {"enabled": False}}
    assert told not in said.remarks


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("ANKA_ROOT_TOKEN", "ANKA_ROOT_TOKEN: set this by hand: put it into a Secret"),
        ("ANKA_ETCD_PASSWORD", "ANKA_ETCD_PASSWORD: not needed: "),
        ("ANKA_NEVER_HEARD", "ANKA_NEVER_HEARD: is no documented setting of the old controller"),
    ],
)
def test_remarks(name: str, beginning: str) -> None:
    [remark] = translate({name: "topsecret", "ANKA_ENABLE_AUTH": ""}).remarks
    assert remark.startswith(beginning)


@given(st.dictionaries(st.sampled_from([*sorted(ANSWERS), "ANKA_OTHER"]), st.just("q9secret9q")))
def test_no_line_repeats_a_text(settings: dict[str, str]) -> None:
    found = translate(settings)
    assert "q9secret9q" not in repr(found)


@given(st.dictionaries(st.sampled_from(sorted(ANSWERS)), st.sampled_from(["true", "5m", ":80", "http://r", "1"])))
def test_every_setting_is_a_value_or_has_a_line(settings: dict[str, str]) -> None:
    found = translate(settings)
    lines = "\n".join((*found.remarks, *found.faults))
    for name, text in settings.items():
        assert f"{name}: " in lines or ANSWERS[name].convert is not None, text
