"""The kubeconfig that `join` writes."""

import base64
from pathlib import Path
from typing import Any

import yaml


def kubeconfig(server: str, token_file: Path, *, ca: bytes | None, verify: bool) -> str:
    """For the identity in `token_file`. `ca` None: the system's certificate authorities."""
    cluster: dict[str, Any] = {"server": server}
    if ca is not None:
        cluster["certificate-authority-data"] = base64.b64encode(ca).decode()
    if not verify:
        cluster["insecure-skip-tls-verify"] = True
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "anka",
        "clusters": [{"name": "anka", "cluster": cluster}],
        "users": [{"name": "agent", "user": {"tokenFile": str(token_file)}}],
        "contexts": [{"name": "anka", "context": {"cluster": "anka", "user": "agent"}}],
    }
    return yaml.safe_dump(document, sort_keys=False)
