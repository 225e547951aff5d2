"""Questions to the scheduler, in the words of a start."""

from __future__ import annotations

import pytest

from anka_shim.failure import Failure
from anka_shim.portal.explain.request import ExplainQuery, read_query
from anka_shim.vm.request import StartVm, resolve
from support.shim_rig import TEMPLATE, rig


def test_its_words_are_those_of_a_start() -> None:
    assert set(ExplainQuery.model_fields) - {"id"} <= set(StartVm.model_fields)


async def test_what_would_be_created() -> None:
    async with rig() as shim:
        query = ExplainQuery.model_validate({"vmid": "macos", "tag": "v1", "group_id": "iOS builds", "vcpu": "4"})
        spec = resolve(read_query(query), shim.services.stores)
        assert (spec.template, spec.tag, spec.group) == (TEMPLATE, "v1", "ios")
        assert spec.resources is not None
        assert spec.resources.vcpu == 4
        with pytest.raises(Failure, match="vmid: is required"):
            read_query(ExplainQuery())
