"""The right to read the Secrets that an instance names: for the agent of its node, for as long as it needs them."""

from dataclasses import dataclass
from typing import Any

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.meta import API_VERSION, GROUP
from anka_crds.api.states import Phase
from anka_crds.rules.naming import stable_uuid
from anka_crds.rules.secret_refs import password_secret, script_secret

RBAC = "rbac.authorization.k8s.io"
LABEL = f"{GROUP}/secret-right"
"""On every Role and RoleBinding of ours; the value "instance" says what they belong to."""
SELECTOR = f"{LABEL}=instance"

_STARTING = (Phase.SCHEDULING, Phase.PULLING)
_STARTED = (Phase.STARTED, Phase.STOPPING, Phase.STOPPED)


@dataclass(frozen=True, slots=True)
class SecretGrant:
    """A Role and a RoleBinding of one name. The name is derived from all their content, so neither ever changes."""

    namespace: str
    instance: str
    uid: str
    node: str
    secrets: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"anka-secrets-{stable_uuid('grant', self.uid, self.node, *self.secrets)}"

    def build_role(self) -> dict[str, Any]:
        # Only get: RBAC restricts it to names, which it cannot do for list and watch.
        rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": list(self.secrets), "verbs": ["get"]}
        return {"metadata": self._metadata(), "rules": [rule]}

    def build_binding(self, node_namespace: str) -> dict[str, Any]:
        """`node_namespace`: where the ServiceAccounts of the agents are."""
        account = {"kind": "ServiceAccount", "name": f"node-{self.node}", "namespace": node_namespace}
        role = {"apiGroup": RBAC, "kind": "Role", "name": self.name}
        return {"metadata": self._metadata(), "roleRef": role, "subjects": [account]}

    def _metadata(self) -> dict[str, Any]:
        owner = {"apiVersion": API_VERSION, "kind": "AnkaInstance", "name": self.instance, "uid": self.uid}
        return {"name": self.name, "labels": {LABEL: "instance"}, "ownerReferences": [owner]}


def grant_for_instance(instance: AnkaInstance) -> SecretGrant | None:
    """What the agent of its node must be able to read now; None: nothing."""
    node = instance.status.node_name
    return grant_for_node(instance, node) if node is not None else None


def grant_for_node(instance: AnkaInstance, node: str) -> SecretGrant | None:
    """The same for the node that it is about to be bound to."""
    meta, secrets = instance.metadata, _find_required_secrets(instance)
    if not secrets or meta.deletion_timestamp is not None:
        return None
    return SecretGrant(meta.namespace or "", meta.name, meta.uid, node, tuple(sorted(secrets)))


def _find_required_secrets(instance: AnkaInstance) -> set[str]:
    phase, password = instance.status.phase, password_secret(instance)
    if phase in _STARTING:
        return {name for name in (script_secret(instance), password) if name is not None}
    # A VM that is restarted gets its password again; its script has run already.
    if phase is Phase.PUSHING or (phase in _STARTED and _needs_restart(instance)):
        return {password} if password is not None else set()
    return set()


def _needs_restart(instance: AnkaInstance) -> bool:
    requested, done = instance.spec.restarted_at, instance.status.restarted_at
    return requested is not None and (done is None or done < requested)
