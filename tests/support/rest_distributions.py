"""Requests to distribute a template, as tests of /api/v1/registry/vm/distribute need them."""

from __future__ import annotations

from typing import Any

from anka_shim.distribution.answer import RequestedOk
from support.shim_rig import TEMPLATE, Rig

PATH = "/api/v1/registry/vm/distribute"


async def request_distribution(shim: Rig, **parameters: Any) -> str:
    answer = await shim.call("POST", PATH, json={"template_id": TEMPLATE, **parameters})
    RequestedOk.model_validate(answer)
    return str(answer["body"]["request_id"])


def get_stored(shim: Rig, id_: str) -> dict[str, Any]:
    return shim.api.objects["templatedistributions"][("", id_)]
