import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api.defaults import VM_NAME_TEMPLATE
from anka_crds.rules.naming import (
    instance_id,
    is_uuid,
    object_name,
    stable_uuid,
    vm_name,
    vm_token,
)

CREATED = datetime(2026, 1, 24, 16, 45, 4, tzinfo=UTC)
UID = "3f0c1c0a-8a43-4b0e-9d52-6f6c6a1f7e11"
TOKEN = vm_token(CREATED, 123456789)
FACTS: dict[str, Any] = {
    "token": TOKEN,
    "instance": UID,
    "template_name": "14.2-arm64",
    "template_id": "d792c6f6-198c-470f-9526-9c998efe7ab4",
    "node_id": "mac-01",
    "node_name": "Mac 1",
}


def test_token_looks_like_the_nanoseconds_of_old() -> None:
    assert re.fullmatch(r"\d{19}", TOKEN)
    assert f"{int(CREATED.timestamp())}123456789" == TOKEN
    assert vm_token(CREATED, 7).endswith("000000007")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (None, f"mgmtManaged-14.2-arm64-{TOKEN}"),
        (VM_NAME_TEMPLATE, f"mgmtManaged-14.2-arm64-{TOKEN}"),
        ("$template_name-$node_name-$ts", f"mgmtManaged-14.2-arm64-Mac-1-{TOKEN}"),
        ("build", f"mgmtManaged-build-{TOKEN}"),
        ("$ts-x", f"mgmtManaged-{TOKEN}-x"),
        ("$instance_id", f"mgmtManaged-{UID}-{TOKEN}"),
        ("$unknown ${template_id}", f"mgmtManaged-unknown-d792c6f6-198c-470f-9526-9c998efe7ab4-{TOKEN}"),
        ("100 $", f"mgmtManaged-100-{TOKEN}"),
    ],
)
def test_vm_names(template: str | None, expected: str) -> None:
    assert vm_name("mgmtManaged-", template, **FACTS) == expected


@given(st.text(max_size=60), st.text(max_size=30), st.text(max_size=30))
def test_a_name_has_its_token_whatever_the_texts(template: str, template_name: str, node_name: str) -> None:
    facts = {**FACTS, "template_name": template_name, "node_name": node_name}
    name = vm_name("mgmtManaged-", template, **facts)
    assert name.startswith("mgmtManaged-")
    assert TOKEN in name
    assert re.fullmatch(r"[A-Za-z0-9._-]+", name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce", "c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce"),
        ("hello", UID),
        ("C983C3BF-A0C0-43DC-54DC-2FD9F7D62FCE", UID),
    ],
)
def test_instance_id(name: str, expected: str) -> None:
    assert instance_id(name, UID) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nathans-MBP.attlocal.net", "nathans-mbp.attlocal.net"),
        ("Mac Pro 02", "mac-pro-02"),
        ("..a..b--", "a.b"),
        ("x" * 300, "x" * 253),
    ],
)
def test_object_names(text: str, expected: str) -> None:
    assert object_name(text) == expected


@pytest.mark.parametrize("text", ["", "---", "日本"])
def test_no_name_can_be_made(text: str) -> None:
    with pytest.raises(ValueError, match="no letter or digit"):
        object_name(text)


@given(st.text(min_size=1, max_size=400))
def test_object_names_are_valid(text: str) -> None:
    try:
        name = object_name(text)
    except ValueError:
        return
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name)
    assert object_name(name) == name


def test_stable_uuid() -> None:
    assert is_uuid(stable_uuid("a", "b"))
    assert not is_uuid(stable_uuid("a", "b") + "\n")
    assert stable_uuid("a", "b") == stable_uuid("a", "b") != stable_uuid("a", "c")
