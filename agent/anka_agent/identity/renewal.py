"""Keeps this Mac's token fresh, in the file that its kubeconfig names."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from pathlib import Path

from prometheus_client import Counter, Gauge

from anka_agent.identity import claims
from anka_agent.identity.claims import Claims
from anka_agent.identity.tokens import request_token
from anka_crds.kube.client import KubeClient, Sleep
from anka_crds.kube.errors import ApiError
from anka_crds.process.clock import Clock
from anka_crds.process.files import write_private

log = logging.getLogger(__name__)

EXPIRY = Gauge("anka_agent_token_expiry_timestamp_seconds", "When the token of this Mac expires, in Unix time")
RENEWALS = Counter("anka_agent_token_renewals_total", "Renewals of this Mac's token", ["outcome"])

USED_UP = 0.8
"""Share of its life after which a token is renewed, as kubelet does it."""
AT_LEAST_EVERY = timedelta(days=1)
"""A Mac that is switched off keeps nearly the whole life of its token."""
LOOK_SECONDS = 60.0
"""A Mac that slept must not go by a timer that slept with it."""


def due(token: Claims, now: datetime) -> bool:
    """Whether to renew it now; one that does not expire, or says nothing of when it began, is left alone."""
    if token.issued is None or token.expires is None:
        return False
    return now >= token.issued + min((token.expires - token.issued) * USED_UP, AT_LEAST_EVERY)


class TokenRenewal:
    """`seconds`: the life to ask for."""

    def __init__(
        self, client: KubeClient, file: Path, *, seconds: int, clock: Clock, sleep: Sleep = asyncio.sleep
    ) -> None:
        self.trouble: str | None = None
        """Why the last renewal failed; None when it did not."""
        self._client = client
        self._file = file
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep

    async def run(self) -> None:
        """Renew at once, for nobody knows how long this Mac was away, and then when it is time, until cancelled."""
        fresh = False
        while True:
            try:
                if not fresh or due(self._read(), self._clock.now()):
                    await self.renew()
                    fresh = True
                self.trouble = None
            except (ApiError, OSError, ValueError) as error:
                if str(error) != self.trouble:
                    log.warning("this Mac's token is not renewed: %s; trying again", error)
                self.trouble = str(error)
                RENEWALS.labels("failed").inc()
            await self._sleep(LOOK_SECONDS)

    async def renew(self) -> None:
        """Raises ApiError, OSError, and ValueError for a file without a token."""
        old = self._read()
        token = await request_token(self._client, old.namespace, old.account, self._seconds)
        new = claims.read(token)
        write_private(self._file, token)
        RENEWALS.labels("done").inc()
        if new.expires is not None:
            EXPIRY.set(new.expires.timestamp())
        log.info("token renewed", extra={"expires": new.expires.isoformat() if new.expires else "never"})

    def _read(self) -> Claims:
        return claims.read(self._file.read_text(encoding="utf-8"))
