"""Asks the Kubernetes API about tokens and rights."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from anka_kube.client import KubeClient
from anka_kube.errors import ApiError
from anka_kube.resource import Resource
from anka_runtime.repetition import CAUSE
from anka_shim.failure import Failure

log = logging.getLogger(__name__)

PARALLEL_REVIEWS = 16
"""The API has other work, too: who sends many tokens waits."""
AGAIN_SECONDS = 1


class KubernetesReviewer:
    """`seconds`: longest time of a review, with the wait for others."""

    def __init__(self, client: KubeClient, seconds: float) -> None:
        self._client = client
        self._seconds = seconds
        self._slots = asyncio.Semaphore(PARALLEL_REVIEWS)

    async def review(self, resource: Resource[Any], spec: Mapping[str, Any]) -> Mapping[str, Any]:
        """The status of the answer. Raises Failure while there is none: clients repeat neither 401 nor 403, so those
        are for what is known to be wrong."""
        try:
            async with asyncio.timeout(self._seconds), self._slots:
                return await self._client.review(resource, spec, deadline=self._seconds)
        except TimeoutError:
            why = "no answer in time"
        except ApiError as error:
            why = str(error)
        log.warning("%s: %s", resource.kind, why, extra={CAUSE: resource.kind})
        text = "the Kubernetes API cannot be asked about tokens and rights now: try again in a moment"
        raise Failure(text, code=503, retry_after=AGAIN_SECONDS)
