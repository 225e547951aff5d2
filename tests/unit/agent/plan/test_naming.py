"""The name that a VM gets, and the template that it is made from."""

from __future__ import annotations

import pytest

from anka_agent.plan.naming import Source, name_vm, source_of
from anka_crds.api import AnkaInstance, ObjectMeta
from support.objects import TEMPLATE, instance

RESOLVED = {"phase": "Scheduling", "template": {"id": TEMPLATE, "name": "macos-15", "tag": "v2", "contentId": "c"}}


@pytest.mark.parametrize(("status", "wanted"), [({}, Source("t", "v1")), (RESOLVED, Source(TEMPLATE, "v2", "c"))])
def test_the_source_as_resolved(status: dict[str, object], wanted: Source) -> None:
    assert source_of(instance(template="t", tag="v1", status=status)) == wanted


def test_a_name_is_made_of_the_node_the_template_and_chance() -> None:
    one = instance(nameTemplate="$template_name-$node_id-$node_name", status=RESOLVED)
    name, other = (name_vm(one, "p-", node_id="mac-1", node_name="Mac 1", chance=chance) for chance in (1, 2))
    assert name.startswith("p-macos-15-mac-1-Mac-1-")
    assert (name[:-1], name[-9:], other[-9:]) == (other[:-1], "000000001", "000000002")


def test_only_what_the_api_made_gets_a_name() -> None:
    raw = AnkaInstance(metadata=ObjectMeta(name="x"), spec=instance().spec, status=instance().status)
    with pytest.raises(ValueError, match="x has no creationTimestamp"):
        name_vm(raw, "p-", node_id="m", node_name="m", chance=1)
