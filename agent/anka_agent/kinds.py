"""The two kinds that the agent reads and writes."""

from __future__ import annotations

from anka_crds.api import AnkaInstance, AnkaNode
from anka_crds.api.meta import GROUP, VERSION
from anka_crds.kube.resource import Resource

INSTANCES: Resource[AnkaInstance] = Resource(
    GROUP, VERSION, AnkaInstance.SERVED.plural, "AnkaInstance", True, AnkaInstance.from_api, AnkaInstance.to_api
)
NODES: Resource[AnkaNode] = Resource(
    GROUP, VERSION, AnkaNode.SERVED.plural, "AnkaNode", False, AnkaNode.from_api, AnkaNode.to_api
)
