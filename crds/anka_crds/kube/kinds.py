"""Our kinds as the access layer wants them."""

from __future__ import annotations

from typing import TypeVar

from anka_crds.api import GROUP, VERSION, AnkaInstance, AnkaNode, AnkaTemplate, KubeObject, NodeGroup, SaveImage
from anka_crds.kube.resource import Resource

K = TypeVar("K", bound=KubeObject)


def resource_of(kind: type[K]) -> Resource[K]:
    served = kind.SERVED
    return Resource(GROUP, VERSION, served.plural, kind.__name__, served.namespaced, kind.from_api, kind.to_api)


INSTANCES = resource_of(AnkaInstance)
NODES = resource_of(AnkaNode)
TEMPLATES = resource_of(AnkaTemplate)
GROUPS = resource_of(NodeGroup)
SAVES = resource_of(SaveImage)
