"""API group ``anka.veertu.com/v1alpha1``: one module for each kind."""

from anka_crds.api.distribution import TemplateDistribution
from anka_crds.api.group import NodeGroup
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.meta import GROUP, VERSION, Condition, KubeObject, ObjectMeta
from anka_crds.api.node import AnkaNode
from anka_crds.api.phase import NodeState, Phase
from anka_crds.api.save_image import SaveImage
from anka_crds.api.template import AnkaTemplate

KINDS: tuple[type[KubeObject], ...] = (
    AnkaInstance,
    AnkaNode,
    AnkaTemplate,
    NodeGroup,
    SaveImage,
    TemplateDistribution,
)

__all__ = [
    "GROUP",
    "KINDS",
    "VERSION",
    "AnkaInstance",
    "AnkaNode",
    "AnkaTemplate",
    "Condition",
    "KubeObject",
    "NodeGroup",
    "NodeState",
    "ObjectMeta",
    "Phase",
    "SaveImage",
    "TemplateDistribution",
]
