"""Values that an instance takes from a Secret of its namespace."""

from __future__ import annotations

import asyncio
import base64
import binascii
import itertools
from collections.abc import Awaitable, Callable

from anka_crds.api.vm_options import SecretKey
from anka_crds.kube.client import KubeClient
from anka_crds.kube.errors import Forbidden, NotFound
from anka_crds.kube.unstructured import unstructured
from anka_crds.process.clock import Clock

SECRETS = unstructured("", "v1", "secrets", "Secret", namespaced=True)


WAITS = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between tries while the right is not there; the last one is repeated."""


class SecretError(Exception):
    """The value cannot be had; str() says what to do."""


class NotAllowed(SecretError):
    """This node has no right to read it: not yet, or not at all."""


async def read_when_allowed(
    client: KubeClient,
    namespace: str,
    ref: SecretKey,
    *,
    seconds: float,
    clock: Clock,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> bytes:
    """The value, once the right to read it is there: the operator hands it out at the same time as the instance comes
    here. Raises SecretError for what somebody must fix (NotAllowed after `seconds`), ApiError for what may pass."""
    until = clock.monotonic() + seconds
    for wait in itertools.chain(WAITS, itertools.repeat(WAITS[-1])):
        try:
            return await read(client, namespace, ref)
        except NotAllowed:
            if clock.monotonic() + wait > until:
                raise
        await sleep(wait)
    raise AssertionError("unreachable")


async def read(client: KubeClient, namespace: str, ref: SecretKey) -> bytes:
    """The value. Raises SecretError for what somebody must fix, ApiError for what may pass."""
    where = f"Secret {namespace}/{ref.name}"
    try:
        secret = await client.get(SECRETS, ref.name, namespace)
    except NotFound:
        raise SecretError(f"{where} does not exist: create it, then the instance anew") from None
    except Forbidden:
        raise NotAllowed(
            f"{where} may not be read by this node: let the operator hand out Secrets of namespace {namespace}, as "
            "charts/base/rbac-secrets.yaml does for anka-ci"
        ) from None
    data = secret.raw.get("data") or {}
    if ref.key not in data:
        raise SecretError(f"{where} has no key {ref.key}")
    try:
        return base64.b64decode(data[ref.key], validate=True)
    except binascii.Error:
        raise SecretError(f"{where}: key {ref.key} is not base64") from None
