"""What the handlers work with."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from anka_crds.api.meta import KubeObject
from anka_crds.kube.errors import ApiError, NotFound
from anka_operator.controllers.distributions import Distributions
from anka_operator.controllers.groups import Groups
from anka_operator.controllers.loop import Controller
from anka_operator.controllers.node_life import NodeLife
from anka_operator.controllers.recorder import Recorder
from anka_operator.controllers.saves import Saves
from anka_operator.controllers.templates import Templates

K = TypeVar("K", bound=KubeObject)


@dataclass(frozen=True)
class Context:
    recorder: Recorder
    node_life: NodeLife
    groups: Groups
    templates: Templates
    distributions: Distributions
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
