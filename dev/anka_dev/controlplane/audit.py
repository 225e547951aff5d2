"""The audit policy, for counting what one instance's life costs the API. Pure."""

from collections.abc import Sequence

import yaml

OUR_GROUP = "anka.veertu.com"


def policy(accounts: Sequence[str] = ()) -> str:
    """Metadata of every finished request on our objects and on Leases; nothing of anything else, but all that the
    ServiceAccounts of the namespaces ``accounts`` ask for.

    RequestReceived is left out: one line for each request, when it is answered.
    """
    return yaml.safe_dump(
        {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "omitManagedFields": True,
            "rules": [
                *(
                    [{"level": "Metadata", "userGroups": [f"system:serviceaccounts:{name}" for name in accounts]}]
                    if accounts
                    else []
                ),
                {
                    "level": "Metadata",
                    "resources": [
                        {"group": OUR_GROUP},
                        {"group": "coordination.k8s.io", "resources": ["leases"]},
                    ],
                },
                {"level": "None"},
            ],
        },
        sort_keys=False,
    )
