"""Who reconciles an instance: this cloud, or the controller that spec.managedBy names (decision 17)."""

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.meta import GROUP

OURS = f"{GROUP}/operator"
"""The manager of instances without spec.managedBy. It is not written into them: absent means the same."""


def is_ours(instance: AnkaInstance) -> bool:
    """Whether our operator, agents and shim care for it. It never changes: the field is immutable."""
    return instance.spec.managed_by in (None, OURS)
