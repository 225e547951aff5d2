"""Makes the Secret with the root token where there is none, and again when somebody has deleted it.

It is never changed: who wants other keys deletes it."""

import logging
import secrets
from contextlib import suppress

from anka_crds.api.defaults import ACCESS_SECRET
from anka_kube.errors import AlreadyExists, NotFound
from anka_kube.unstructured import SECRETS
from anka_operator.access_secret.desired import find_missing_keys, make_secret
from anka_operator.cluster.access import AnkaCluster
from anka_operator.control_loop import ControlLoop
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
"""Looking needs `get` of this one Secret alone. A watch would need `list` and `watch`, for a change that a person makes
once a year."""
_TOKEN_BYTES = 32


def _make_token() -> str:
    """43 letters, digits, - and _: they need no quotes in a shell, and no escapes in a URL."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


class AccessSecretController(ControlLoop):
    def __init__(self, cluster: AnkaCluster, clock: Clock, *, namespace: str) -> None:
        super().__init__("access secret", clock, tick=LOOK_SECONDS)
        self._cluster = cluster
        self._namespace = namespace
        self._told: list[str] = []
        """Keys whose lack is in the log already."""

    async def run_once(self) -> None:
        try:
            found = await self._cluster.client.get(SECRETS, ACCESS_SECRET, self._namespace)
        except NotFound:
            # An operator that led a moment ago may have made it: then that one counts.
            with suppress(AlreadyExists):
                await self._cluster.write.secrets.create(make_secret(self._namespace, _make_token), self._namespace)
                log.info(
                    "made the Secret with the root token of the REST API",
                    extra={"secret": ACCESS_SECRET, "namespace": self._namespace},
                )
            return
        missing = find_missing_keys(found.raw)
        if missing and missing != self._told:
            log.warning(
                "the Secret %s has no %s: delete it, and it is made again with all that the REST API needs",
                ACCESS_SECRET,
                ", ".join(missing),
                extra={"secret": ACCESS_SECRET, "namespace": self._namespace},
            )
        self._told = missing
