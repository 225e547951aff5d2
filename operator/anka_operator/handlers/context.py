"""What the handlers work with."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from anka_crds.api.meta import KubeObject
from anka_crds.kube.errors import ApiError, NotFound
from anka_crds.process.clock import Clock
from anka_operator.cluster import Cluster
from anka_operator.controllers.groups import Groups
from anka_operator.controllers.loop import Controller
from anka_operator.controllers.node_life import NodeLife
from anka_operator.controllers.saves import Saves
from anka_operator.controllers.templates import Templates

K = TypeVar("K", bound=KubeObject)


@dataclass(frozen=True)
class Context:
    cluster: Cluster
    clock: Clock
    identity: str
    node_life: NodeLife
    groups: Groups
    templates: Templates
    saves: Saves


async def answered(work: Awaitable[None], controller: Controller) -> None:
    """Do it now; what the API refuses is repeated by the controller that watches over all objects of the kind."""
    try:
        await work
    except NotFound:
        return
    except ApiError as error:
        controller.report(error)
        controller.wake()
