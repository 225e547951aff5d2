"""Tokens of a ServiceAccount, as the API makes them."""

from __future__ import annotations

from typing import Any

from anka_crds.kube.client import KubeClient
from anka_crds.kube.errors import Unparsable
from anka_crds.kube.unstructured import SERVICE_ACCOUNTS

ACCOUNT_UID = "anka.veertu.com/account-uid"
"""Annotation of the request: a join token shows by it that it made the ServiceAccount (policy anka-joiner-token)."""


async def request_token(
    client: KubeClient, namespace: str, account: str, seconds: int, *, account_uid: str | None = None
) -> str:
    """A new token that lives for `seconds`, or less where the API caps it. Raises ApiError."""
    body: dict[str, Any] = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": seconds},
    }
    if account_uid is not None:
        body["metadata"] = {"annotations": {ACCOUNT_UID: account_uid}}
    answer = await client.create_subresource(SERVICE_ACCOUNTS, account, "token", body, namespace)
    status = answer.get("status")
    token = status.get("token") if isinstance(status, dict) else None
    if not isinstance(token, str) or not token:
        raise Unparsable("the answer has no token", action=f"create token of {namespace}/{account}")
    return token
