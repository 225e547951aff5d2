"""Tokens as a Kubernetes API makes them, unsigned."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import Any


def service_account_token(
    account: str = "node-mac-1", *, issued: datetime | None, life: timedelta | None, namespace: str = "anka-nodes"
) -> str:
    payload: dict[str, Any] = {"sub": f"system:serviceaccount:{namespace}:{account}"}
    if issued is not None:
        payload["iat"] = int(issued.timestamp())
        if life is not None:
            payload["exp"] = int((issued + life).timestamp())
    return raw_token(payload)


def raw_token(payload: Any) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip('=')}.signature"
