"""One cache for each kind, with the indexes that controllers use."""

from anka_crds.api import (
    AnkaInstance,
    AnkaNode,
    AnkaTemplate,
    MACAddressPool,
    NodeGroup,
    PermissionGroup,
    Phase,
    SaveImage,
    TemplateDistribution,
)
from anka_crds.api.instance import find_refusal
from anka_crds.api.meta import FINALIZER
from anka_crds.resources import DISTRIBUTIONS, GROUPS, INSTANCES, MAC_POOLS, NODES, PERMISSION_GROUPS, SAVES, TEMPLATES
from anka_crds.rules.assignment import list_unfinished
from anka_crds.rules.lifetime import has_limit
from anka_crds.rules.secret_refs import names_secret
from anka_kube.lease import LEASES, Lease
from anka_kube.store import Store

BY_NODE = "node"
"""Instances and SaveImages by status.nodeName; TemplateDistributions by each Mac that has not done them."""
AWAITING_RELEASE = "awaiting release"
"""Instances that are being deleted and still have our finalizer, under "yes"."""
TIME_LIMITED = "time limited"
"""Instances with a start deadline, a maximum lifetime or a time to live, under "yes"."""
REFUSED = "refused"
"""Instances that their node has refused, under "yes"."""
WITH_SECRETS = "with secrets"
"""Instances that name a Secret, under "yes"."""
BY_GROUP = "group"
"""Nodes by each of spec.groups."""
BY_TEMPLATE = "template"
"""Nodes by each template on their disks."""
BY_INSTANCE = "instance"
"""SaveImages by namespace/name of their instance."""


class ClusterStores:
    def __init__(self) -> None:
        self.instances: Store[AnkaInstance] = Store(
            INSTANCES,
            {
                BY_NODE: lambda instance: [instance.status.node_name] if instance.status.node_name else [],
                AWAITING_RELEASE: lambda instance: ["yes"] if awaits_release(instance) else [],
                TIME_LIMITED: lambda instance: ["yes"] if has_limit(instance) else [],
                REFUSED: lambda instance: ["yes"] if is_refused(instance) else [],
                WITH_SECRETS: lambda instance: ["yes"] if names_secret(instance) else [],
            },
        )
        self.nodes: Store[AnkaNode] = Store(
            NODES,
            {
                BY_GROUP: lambda node: node.spec.groups,
                BY_TEMPLATE: lambda node: {template.uuid for template in node.status.templates},
            },
        )
        self.templates: Store[AnkaTemplate] = Store(TEMPLATES)
        self.groups: Store[NodeGroup] = Store(GROUPS)
        self.distributions: Store[TemplateDistribution] = Store(
            DISTRIBUTIONS, {BY_NODE: lambda one: [entry.node_name for entry in list_unfinished(one)]}
        )
        self.saves: Store[SaveImage] = Store(
            SAVES,
            {
                BY_INSTANCE: lambda save: [f"{save.metadata.namespace}/{save.spec.instance}"],
                BY_NODE: lambda save: [save.status.node_name] if save.status.node_name else [],
            },
        )
        self.pools: Store[MACAddressPool] = Store(MAC_POOLS)
        """Empty unless MAC addresses are managed."""
        self.permission_groups: Store[PermissionGroup] = Store(PERMISSION_GROUPS)
        """Empty unless resource permissions are on."""
        self.leases: Store[Lease] = Store(LEASES)


def is_refused(instance: AnkaInstance) -> bool:
    """Whether the node that it is bound to could not start it, and has left it to the operator."""
    status = instance.status
    return (
        find_refusal(status) is not None
        and status.phase is Phase.SCHEDULING
        and instance.metadata.deletion_timestamp is None
    )


def awaits_release(instance: AnkaInstance) -> bool:
    """Whether it is being deleted and still has our finalizer."""
    return instance.metadata.deletion_timestamp is not None and FINALIZER in instance.metadata.finalizers
