"""AnkaNode: configuration or report changed, so its state and conditions may have."""

from __future__ import annotations

from typing import Any

import kopf

from anka_crds.api import AnkaNode
from anka_crds.api.meta import GROUP, VERSION
from anka_operator.handlers.context import Context, answered


def register(registry: kopf.OperatorRegistry, context: Context) -> None:
    @kopf.on.event(GROUP, VERSION, "ankanodes", registry=registry, id="node")
    async def node(event: Any, body: kopf.Body, **_: Any) -> None:
        if event["type"] != "DELETED":
            await answered(context.node_life.judge(AnkaNode.from_api(dict(body))), context.node_life)
