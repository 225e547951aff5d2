"""The right to read the Secrets that an instance names: for the agent of its node, for as long as that needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.meta import API_VERSION, GROUP
from anka_crds.api.phase import Phase
from anka_crds.core.naming import stable_uuid

RBAC = "rbac.authorization.k8s.io"
LABEL = f"{GROUP}/secret-right"
"""On every Role and RoleBinding that we make; its value says whose they are: "instance"."""
SELECTOR = f"{LABEL}=instance"

_STARTING = (Phase.SCHEDULING, Phase.PULLING)
_STARTED = (Phase.STARTED, Phase.STOPPING, Phase.STOPPED)


@dataclass(frozen=True, slots=True)
class Grant:
    """A Role and a RoleBinding of one name. The name follows from all that they say: neither is ever changed."""

    namespace: str
    instance: str
    uid: str
    node: str
    secrets: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"anka-secrets-{stable_uuid('grant', self.uid, self.node, *self.secrets)}"

    def role(self) -> dict[str, Any]:
        # get alone: RBAC knows names for it, but not for list and watch.
        rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": list(self.secrets), "verbs": ["get"]}
        return {"metadata": self._metadata(), "rules": [rule]}

    def binding(self, node_namespace: str) -> dict[str, Any]:
        """`node_namespace`: where the ServiceAccounts of the agents are."""
        account = {"kind": "ServiceAccount", "name": f"node-{self.node}", "namespace": node_namespace}
        role = {"apiGroup": RBAC, "kind": "Role", "name": self.name}
        return {"metadata": self._metadata(), "roleRef": role, "subjects": [account]}

    def _metadata(self) -> dict[str, Any]:
        owner = {"apiVersion": API_VERSION, "kind": "AnkaInstance", "name": self.instance, "uid": self.uid}
        return {"name": self.name, "labels": {LABEL: "instance"}, "ownerReferences": [owner]}


def names_secret(instance: AnkaInstance) -> bool:
    """Whether it takes anything from a Secret at all: most don't, and cost nothing here."""
    return bool(_script(instance) or _password(instance))


def grant_of(instance: AnkaInstance) -> Grant | None:
    """What its node's agent must be able to read now; None: nothing, not yet or not any more."""
    node = instance.status.node_name
    return grant_for(instance, node) if node is not None else None


def grant_for(instance: AnkaInstance, node: str) -> Grant | None:
    """The same for the node that it is about to be given."""
    meta, secrets = instance.metadata, _needed(instance)
    if not secrets or meta.deletion_timestamp is not None:
        return None
    return Grant(meta.namespace or "", meta.name, meta.uid, node, tuple(sorted(secrets)))


def _needed(instance: AnkaInstance) -> set[str]:
    phase = instance.status.phase
    if phase in _STARTING:
        return _script(instance) | _password(instance)
    # A VM that is started once more gets its password once more; its script ran already.
    if phase is Phase.PUSHING or (phase in _STARTED and _restart_wanted(instance)):
        return _password(instance)
    return set()


def _restart_wanted(instance: AnkaInstance) -> bool:
    wanted, done = instance.spec.restarted_at, instance.status.restarted_at
    return wanted is not None and (done is None or done < wanted)


def _script(instance: AnkaInstance) -> set[str]:
    script = instance.spec.startup_script
    return {script.secret_ref.name} if script is not None and script.secret_ref is not None else set()


def _password(instance: AnkaInstance) -> set[str]:
    reference = instance.spec.vnc_password_secret_ref
    return {reference.name} if reference is not None else set()
