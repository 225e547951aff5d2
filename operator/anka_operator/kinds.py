"""The kinds the operator reads and writes, typed for the access layer."""

from __future__ import annotations

from typing import TypeVar

from anka_crds.api import AnkaInstance, AnkaNode, AnkaTemplate, NodeGroup
from anka_crds.api.meta import GROUP, VERSION, KubeObject
from anka_crds.kube.resource import Resource

K = TypeVar("K", bound=KubeObject)


def _resource(kind: type[K]) -> Resource[K]:
    served = kind.SERVED
    return Resource(GROUP, VERSION, served.plural, kind.__name__, served.namespaced, kind.from_api, kind.to_api)


INSTANCES = _resource(AnkaInstance)
NODES = _resource(AnkaNode)
TEMPLATES = _resource(AnkaTemplate)
GROUPS = _resource(NodeGroup)
