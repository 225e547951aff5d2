"""SaveImage: a new request is taken up at once."""

from __future__ import annotations

from typing import Any

import kopf

from anka_crds.api import SaveImage
from anka_crds.api.meta import GROUP, VERSION
from anka_operator.handlers.context import Context, answered


def register(registry: kopf.OperatorRegistry, context: Context) -> None:
    @kopf.on.event(GROUP, VERSION, "saveimages", registry=registry, id="save-image")
    async def save_image(event: Any, body: kopf.Body, **_: Any) -> None:
        if event["type"] != "DELETED":
            await answered(context.saves.judge(SaveImage.from_api(dict(body))), context.saves)
