"""Kubeconfig documents. Pure."""

import base64
from typing import Any

import yaml

_NAME = "localkube"


def _document(server: str, ca: bytes, user: dict[str, Any], namespace: str | None = None) -> str:
    context: dict[str, Any] = {"cluster": _NAME, "user": "user"}
    if namespace:
        context["namespace"] = namespace
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(ca).decode()}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": _NAME, "cluster": cluster}],
            "users": [{"name": "user", "user": user}],
            "contexts": [{"name": _NAME, "context": context}],
            "current-context": _NAME,
        },
        sort_keys=False,
    )


def with_certificate(server: str, ca: bytes, certificate: bytes, key: bytes) -> str:
    """For a user with a client certificate. All are PEM."""
    return _document(
        server,
        ca,
        {
            "client-certificate-data": base64.b64encode(certificate).decode(),
            "client-key-data": base64.b64encode(key).decode(),
        },
    )


def with_token_file(server: str, ca: bytes, token_file: str, namespace: str) -> str:
    """For a service account. Clients read the file again from time to time, so its token can be replaced."""
    return _document(server, ca, {"tokenFile": token_file}, namespace)
