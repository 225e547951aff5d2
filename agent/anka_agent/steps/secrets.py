"""Values that an instance takes from a Secret of its namespace."""

import asyncio
import base64
import binascii
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

from anka_crds.api import AnkaInstance
from anka_crds.api.defaults import CI_NAMESPACE
from anka_crds.api.vm_options import SecretKey
from anka_crds.rules.secret_refs import STORED_SCRIPT
from anka_kube.client import KubeClient
from anka_kube.errors import Forbidden, NotFound
from anka_kube.unstructured import SECRETS
from anka_runtime.backoff import Backoff, Delays, Random, system_random
from anka_runtime.clock import Clock, Sleep

BACKOFF = Backoff(base=0.05, cap=1.0)
"""Time between two attempts while the right to read, or the Secret, is missing."""


class SecretError(Exception):
    """The value cannot be had; str() says what to do."""


class NotThereYet(SecretError):
    """Waiting may help: the right to read is missing, or a Secret that is made right after its instances."""


@dataclass(eq=False)
class SecretReader:
    """`hide` learns every secret before it is used, with its instance's uid and its field: no log that leaves the Mac
    may contain it.

    `timeout`: seconds to wait for the right to read, which the operator grants while the instance is on its way here.
    """

    _client: KubeClient
    hide: Callable[[str, str, bytes], None]
    _: KW_ONLY
    timeout: float
    clock: Clock
    sleep: Sleep = asyncio.sleep
    chance: Random = system_random

    async def read(self, instance: AnkaInstance, field: str, ref: SecretKey) -> bytes:
        """The value of `field`, once it may be read. Raises SecretError for what the user must fix (NotThereYet after
        the timeout), ApiError for what may pass."""
        namespace, end = instance.metadata.namespace or "", self.clock.monotonic() + self.timeout
        delays = Delays(BACKOFF, self.chance)
        while True:
            try:
                value = await self._read_once(namespace, ref)
            except NotThereYet:
                wait = delays.next()
                if self.clock.monotonic() + wait > end:
                    raise
            else:
                self.hide(instance.metadata.uid, field, value)
                return value
            await self.sleep(wait)

    async def _read_once(self, namespace: str, ref: SecretKey) -> bytes:
        where = f"Secret {namespace}/{ref.name}"
        try:
            secret = await self._client.get(SECRETS, ref.name, namespace)
        except NotFound:
            kind = NotThereYet if ref.name.startswith(STORED_SCRIPT) else SecretError
            raise kind(f"{where} does not exist: create it, then the instance anew") from None
        except Forbidden:
            raise NotThereYet(
                f"{where} may not be read by this node: let the operator hand out Secrets of namespace {namespace}, "
                f"as charts/base/rbac-secrets.yaml does for {CI_NAMESPACE}"
            ) from None
        data = secret.raw.get("data") or {}
        if ref.key not in data:
            raise SecretError(f"{where} has no key {ref.key}")
        try:
            return base64.b64decode(data[ref.key], validate=True)
        except binascii.Error:
            raise SecretError(f"{where}: key {ref.key} is not base64") from None
