"""TemplateDistribution: a new request, one that is cancelled, or one whose time to live was changed."""

from __future__ import annotations

from typing import Any

import kopf

from anka_crds.api import TemplateDistribution
from anka_crds.api.meta import GROUP, VERSION
from anka_operator.handlers.context import Context, answered


def register(registry: kopf.OperatorRegistry, context: Context) -> None:
    @kopf.on.event(GROUP, VERSION, "templatedistributions", registry=registry, id="distribution")
    async def distribution(event: Any, body: kopf.Body, **_: Any) -> None:
        if event["type"] != "DELETED":
            found = TemplateDistribution.from_api(dict(body))
            await answered(context.distributions.judge(found), context.distributions)
