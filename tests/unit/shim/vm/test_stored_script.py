"""When a script is stored beside its instances, and what is stored."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.api.vm_options import SecretKey, StartupScript
from anka_shim.vm.stored_script import (
    build_secrets,
    describe_share,
    find_large_script,
    measure_request,
    refer_to_script,
)
from support.objects import instance


def spec(content: str | None) -> AnkaInstanceSpec:
    script = None if content is None else StartupScript(content=content, timeout_seconds=7)
    return AnkaInstanceSpec(template="t", startup_script=script)


@pytest.mark.parametrize(
    ("length", "count", "large"),
    [
        (8192, 1, False),
        (8193, 1, True),
        (4096, 2, False),
        (4096, 3, True),
        (82, 100, True),
        (81, 101, False),
        (None, 9, False),
    ],
)
def test_what_counts_is_the_script_in_all_instances(length: int | None, count: int, large: bool) -> None:
    content = None if length is None else "A" * length
    assert find_large_script(spec(content), count, 8192) == (content if large else None)


def test_one_from_a_secret_stays_there() -> None:
    ref = StartupScript(secret_ref=SecretKey(name="a", key="b"))
    assert find_large_script(AnkaInstanceSpec(template="t", startup_script=ref), 100, 0) is None


def test_the_rest_of_the_script_stays() -> None:
    script = refer_to_script(spec("AAAA"), "id").startup_script
    assert script is not None
    assert (script.content, script.timeout_seconds) == (None, 7)
    assert script.secret_ref == SecretKey(name="anka-script-id", key="script")


@pytest.mark.parametrize(("length", "count"), [(8, 3), (1, 100), (700_000, 7)])
def test_the_shares_are_the_whole(length: int, count: int) -> None:
    (share,) = describe_share("A" * length, count).values()
    assert length <= int(share) * count <= length + count


@pytest.mark.parametrize(
    ("length", "count", "most"),
    [(100, 2, 800), (10_000, 1, 10_300), (10_000, 100, 40_000), (0, 100, 20_000)],
)
def test_a_stored_script_is_measured_once(length: int, count: int, most: int) -> None:
    size = measure_request(spec("A" * length or None), count, inline_bytes=8192)
    assert length + count * len('{"template":"t"}') < size < most


def named(name: str, secret: str, **meta: Any) -> Any:
    return instance(name, meta=meta, startupScript={"secretRef": {"name": secret, "key": "script"}})


def test_a_secret_belongs_to_the_instances_that_refer_to_it() -> None:
    owners = [
        named("one", "anka-script-a"),
        named("other", "anka-script-b"),
        named("two", "anka-script-a"),
        named("ends", "anka-script-c", deletionTimestamp="2026-01-01T00:00:00Z"),
        instance("small", startupScript={"content": "AAAA"}),
    ]
    content = base64.b64encode(b"x" * 100).decode()
    first, second = build_secrets("\n".join([content[:60], content[60:]]), owners)
    assert [first["metadata"]["name"], second["metadata"]["name"]] == ["anka-script-a", "anka-script-b"]
    assert [owner["name"] for owner in first["metadata"]["ownerReferences"]] == ["one", "two"]
    assert first["data"] == {"script": content}, "a Secret takes no line breaks"
