"""API group ``anka.veertu.com/v1alpha1``: one module for each kind."""

from anka_crds.api.api_key import ApiKey
from anka_crds.api.distribution import TemplateDistribution
from anka_crds.api.group import NodeGroup
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.mac_pool import MACAddressPool
from anka_crds.api.meta import GROUP, VERSION, Condition, KubeObject, ObjectMeta
from anka_crds.api.node import AnkaNode
from anka_crds.api.permission_group import PermissionGroup
from anka_crds.api.save_image import SaveImage
from anka_crds.api.states import NodeState, Phase
from anka_crds.api.template import AnkaTemplate

KINDS: tuple[type[KubeObject], ...] = (
    AnkaInstance, AnkaNode, AnkaTemplate, ApiKey, MACAddressPool, NodeGroup, PermissionGroup, SaveImage,
    TemplateDistribution,
)  # fmt: skip
KINDS_WITH_STATUS = tuple(kind for kind in KINDS if "status" in kind.model_fields)
"""The others are only read: nothing is to be reported of them."""

__all__ = [
    "GROUP",
    "KINDS",
    "KINDS_WITH_STATUS",
    "VERSION",
    "AnkaInstance",
    "AnkaNode",
    "AnkaTemplate",
    "ApiKey",
    "Condition",
    "KubeObject",
    "MACAddressPool",
    "NodeGroup",
    "NodeState",
    "ObjectMeta",
    "PermissionGroup",
    "Phase",
    "SaveImage",
    "TemplateDistribution",
]
