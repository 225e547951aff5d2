"""The audit policy, for counting requests. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import yaml


@dataclass(frozen=True)
class Audit:
    """What the audit log contains: all requests on objects of API ``groups`` and on Leases, and all requests by
    ServiceAccounts of ``namespaces``."""

    groups: Sequence[str] = ()
    namespaces: Sequence[str] = ()

    def policy(self) -> str:
        """The metadata of each of these requests once it is finished.

        RequestReceived is left out, so that there is one line for each request.
        """
        accounts = [f"system:serviceaccounts:{name}" for name in self.namespaces]
        leases = {"group": "coordination.k8s.io", "resources": ["leases"]}
        return yaml.safe_dump(
            {
                "apiVersion": "audit.k8s.io/v1",
                "kind": "Policy",
                "omitStages": ["RequestReceived"],
                "omitManagedFields": True,
                "rules": [
                    *([{"level": "Metadata", "userGroups": accounts}] if accounts else []),
                    {"level": "Metadata", "resources": [*({"group": name} for name in self.groups), leases]},
                    {"level": "None"},
                ],
            },
            sort_keys=False,
        )
