"""An environment becomes values; what does not is told, without its text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_shim.old_settings.chart_values import translate
from anka_shim.old_settings.table import ANSWERS


def test_values_are_nested_and_lists_joined() -> None:
    found = translate(
        {
            "ANKA_ANKA_REGISTRY": "http://r:8089",
            "ANKA_ENABLE_AUTH": "true",
            "ANKA_API_KEYS_SESSION_TTL": "5m",
            "ANKA_LOCAL_ANKA_REGISTRY": "",
        }
    )
    assert found.values["registry"] == {"url": "http://r:8089"}
    assert found.values["shim"]["flags"] == {
        "enable-auth": True,
        "root-token-file": "/etc/anka/access/root-token",
        "api-key-session-seconds": 300,
    }
    assert [one["name"] for one in found.values["shim"]["volumes"]] == ["access"]
    assert found.remarks == [
        "ANKA_ENABLE_AUTH: make the Secrets anka-access (key root-token) and anka-peer-key (key peer-key)"
    ]
    assert found.faults == []


def test_a_switch_that_is_off_says_nothing() -> None:
    assert translate({"ANKA_ENABLE_AUTH": "false"}) == translate({})


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("ANKA_ROOT_TOKEN", "ANKA_ROOT_TOKEN: set this by hand: put it into the Secret"),
        ("ANKA_ETCD_PASSWORD", "ANKA_ETCD_PASSWORD: not needed: "),
        ("ANKA_NEVER_HEARD", "ANKA_NEVER_HEARD: is no documented setting of the old controller"),
    ],
)
def test_remarks(name: str, beginning: str) -> None:
    [remark] = translate({name: "topsecret"}).remarks
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
