"""What the Secret holds. Pure: who makes it brings the randomness."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from anka_crds.api.defaults import ACCESS_SECRET

KEYS = ("root-token", "seal-key", "peer-key")
"""What the shim's flags --root-token-file, --seal-key-file and --peer-key-file may be about."""

# No label of a release: a GitOps tool would take this Secret for one of its own that has left the repository.
_LABELS = {"app.kubernetes.io/managed-by": "anka-operator"}


def make_secret(namespace: str, make_token: Callable[[], str]) -> dict[str, Any]:
    """`make_token` is asked once for each key: who knows one can't tell another."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": ACCESS_SECRET, "namespace": namespace, "labels": dict(_LABELS)},
        "type": "Opaque",
        "data": {key: b64encode(make_token().encode()).decode() for key in KEYS},
    }


def find_missing_keys(secret: dict[str, Any]) -> list[str]:
    data = secret.get("data") or {}
    return [key for key in KEYS if not data.get(key)]
