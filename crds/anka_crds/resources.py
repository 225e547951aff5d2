"""The kinds of the API as `anka_kube` reads and writes them."""

from collections.abc import Callable
from typing import TypeVar

from anka_crds import api
from anka_crds.api.meta import KeepingModel
from anka_crds.rules.management import is_ours
from anka_kube.resource import Resource

K = TypeVar("K", bound=api.KubeObject)


def resource_of(kind: type[K], is_ours: Callable[[K], bool] = lambda _: True) -> Resource[K]:
    served = kind.DEFINITION
    where = (api.GROUP, api.VERSION, served.plural, kind.__name__, served.namespaced)
    field = kind.model_fields.get("status")
    status = field.annotation if field is not None else None
    keeps_status = isinstance(status, type) and issubclass(status, KeepingModel)
    return Resource(*where, kind.from_api, kind.to_api, is_ours, keeps_status)


INSTANCES = resource_of(api.AnkaInstance, is_ours)
NODES = resource_of(api.AnkaNode)
TEMPLATES = resource_of(api.AnkaTemplate)
GROUPS = resource_of(api.NodeGroup)
DISTRIBUTIONS = resource_of(api.TemplateDistribution)
SAVES = resource_of(api.SaveImage)
API_KEYS = resource_of(api.ApiKey)
PERMISSION_GROUPS = resource_of(api.PermissionGroup)
MAC_POOLS = resource_of(api.MACAddressPool)
