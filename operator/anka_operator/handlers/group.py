"""NodeGroup: its fallback may be missing or go in a circle now, or be well again."""

from __future__ import annotations

from typing import Any

import kopf

from anka_crds.api import NodeGroup
from anka_crds.api.meta import GROUP, VERSION
from anka_operator.handlers.context import Context, answered


def register(registry: kopf.OperatorRegistry, context: Context) -> None:
    @kopf.on.event(GROUP, VERSION, "nodegroups", registry=registry, id="group")
    async def group(event: Any, body: kopf.Body, **_: Any) -> None:
        if event["type"] != "DELETED":
            await answered(context.groups.judge(NodeGroup.from_api(dict(body))), context.groups)
