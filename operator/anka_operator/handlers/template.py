"""AnkaTemplate: somebody changed what it should say, or made one by hand."""

from __future__ import annotations

from typing import Any

import kopf

from anka_crds.api import AnkaTemplate
from anka_crds.api.meta import GROUP, VERSION
from anka_operator.handlers.context import Context, answered


def register(registry: kopf.OperatorRegistry, context: Context) -> None:
    @kopf.on.event(GROUP, VERSION, "ankatemplates", registry=registry, id="template")
    async def template(event: Any, body: kopf.Body, **_: Any) -> None:
        if event["type"] != "DELETED":
            await answered(context.templates.judge(AnkaTemplate.from_api(dict(body))), context.templates)
