"""ServiceAccount tokens: reading the claims of one, which only the API verifies; requesting one from the API; and
keeping this Mac's own fresh, in the file that its kubeconfig names."""

import asyncio
import base64
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from anka_agent import metrics
from anka_kube.client import KubeClient
from anka_kube.errors import ApiError, Unparsable
from anka_kube.unstructured import SERVICE_ACCOUNTS
from anka_runtime.clock import Clock, Sleep
from anka_runtime.files import read_text, write_private

log = logging.getLogger(__name__)

SUBJECT = "system:serviceaccount:"
ACCOUNT_UID = "anka.veertu.com/account-uid"
"""Annotation of the request: with it a join token proves that it made the ServiceAccount (policy anka-joiner-token)."""
OWN_REQUEST = "anka.veertu.com/own-token"
"""Label of any other request, which spares the apiserver the policies about join tokens: they look at every Mac."""
USED_UP = 0.8
"""Share of its life after which a token is renewed, as for a kubelet."""
AT_LEAST_EVERY = timedelta(days=1)
"""Longest time between two renewals: a Mac that is switched off has nearly its token's whole life left."""
LOOK_SECONDS = 60.0
"""Seconds between two checks: timers fire late on a Mac that slept."""


@dataclass(frozen=True, slots=True)
class Claims:
    namespace: str
    account: str
    issued: datetime | None
    expires: datetime | None
    """None: the token does not expire."""

    def is_expired(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now


def read_claims(token: str) -> Claims:
    """Raises ValueError for anything but a ServiceAccount token."""
    parts = token.strip().split(".")
    if len(parts) != 3:
        raise ValueError("not a ServiceAccount token: it has three parts with dots between them")
    try:
        data = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        subject = str(data["sub"])
        issued, expires = _moment(data.get("iat")), _moment(data.get("exp"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("not a ServiceAccount token: its middle part is not JSON with a subject") from None
    namespace, _, account = subject.removeprefix(SUBJECT).partition(":")
    if not subject.startswith(SUBJECT) or not namespace or not account:
        raise ValueError(f"not a token of a ServiceAccount, but of {subject!r}")
    return Claims(namespace, account, issued, expires)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


async def request_token(
    client: KubeClient, namespace: str, account: str, seconds: int, *, account_uid: str | None = None
) -> str:
    """A new token that lives for `seconds`, or less if the API caps it. `account_uid`: the request is made with a join
    token. Raises ApiError."""
    body: dict[str, Any] = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": seconds},
    }
    if account_uid is not None:
        body["metadata"] = {"annotations": {ACCOUNT_UID: account_uid}}
    else:
        body["metadata"] = {"labels": {OWN_REQUEST: "true"}}
    answer = await client.create_subresource(SERVICE_ACCOUNTS, account, "token", body, namespace)
    status = answer.get("status")
    token = status.get("token") if isinstance(status, dict) else None
    if not isinstance(token, str) or not token:
        raise Unparsable("the answer has no token", action=f"create token of {namespace}/{account}")
    return token


def is_due(token: Claims, now: datetime) -> bool:
    """Whether to renew it now; never a token that does not expire, or does not say when it was issued."""
    if token.issued is None or token.expires is None:
        return False
    return now >= token.issued + min((token.expires - token.issued) * USED_UP, AT_LEAST_EVERY)


class TokenRenewal:
    """`seconds`: life of the tokens that it requests."""

    def __init__(
        self, client: KubeClient, file: Path, *, seconds: int, clock: Clock, sleep: Sleep = asyncio.sleep
    ) -> None:
        self.problem: str | None = None
        """Why the last renewal failed; None if it succeeded."""
        self._client = client
        self._file = file
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep

    async def run(self) -> None:
        """Renew at once, because this Mac may have been off for a long time, and then when due, until cancelled."""
        fresh = False
        while True:
            try:
                if not fresh or is_due(self._read(), self._clock.now()):
                    await self.renew()
                    fresh = True
                self.problem = None
            except (ApiError, OSError, ValueError) as error:
                if str(error) != self.problem:
                    log.warning("this Mac's token is not renewed: %s; trying again", error)
                self.problem = str(error)
                metrics.TOKEN_RENEWALS.labels("failed").inc()
            await self._sleep(LOOK_SECONDS)

    async def renew(self) -> None:
        """Raises ApiError, OSError, and ValueError for a file without a token."""
        old = self._read()
        token = await request_token(self._client, old.namespace, old.account, self._seconds)
        new = read_claims(token)
        write_private(self._file, token)
        metrics.TOKEN_RENEWALS.labels("done").inc()
        if new.expires is not None:
            metrics.TOKEN_EXPIRY.set(new.expires.timestamp())
        log.info("token renewed", extra={"expires": new.expires.isoformat() if new.expires else "never"})

    def _read(self) -> Claims:
        return read_claims(read_text(self._file))
