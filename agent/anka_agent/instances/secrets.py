"""Values that an instance takes from a Secret of its namespace."""

from __future__ import annotations

import base64
import binascii

from anka_crds.api.vm_options import SecretKey
from anka_crds.kube.client import KubeClient
from anka_crds.kube.errors import Forbidden, NotFound
from anka_crds.kube.unstructured import unstructured

SECRETS = unstructured("", "v1", "secrets", "Secret", namespaced=True)


class SecretError(Exception):
    """The value cannot be had; str() says what to do."""


async def read(client: KubeClient, namespace: str, ref: SecretKey) -> bytes:
    """The value. Raises SecretError for what somebody must fix, ApiError for what may pass."""
    where = f"Secret {namespace}/{ref.name}"
    try:
        secret = await client.get(SECRETS, ref.name, namespace)
    except NotFound:
        raise SecretError(f"{where} does not exist: create it, then the instance anew") from None
    except Forbidden:
        raise SecretError(
            f"{where} may not be read by this node: let a Role grant `get` on it to the node's ServiceAccount"
        ) from None
    data = secret.raw.get("data") or {}
    if ref.key not in data:
        raise SecretError(f"{where} has no key {ref.key}")
    try:
        return base64.b64decode(data[ref.key], validate=True)
    except binascii.Error:
        raise SecretError(f"{where}: key {ref.key} is not base64") from None
