"""Events of one object, read when somebody looks: no cache of them is kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from anka_kube.client import KubeClient
from anka_kube.errors import ApiError, Forbidden
from anka_kube.resource import Selection
from anka_kube.unstructured import EVENTS
from anka_shim.failure import Failure

MOST_READ = 500
SECONDS = 5.0
CLUSTER_NAMESPACE = "default"
"""Where Events about objects without a namespace are."""


class EventReader:
    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def read(self, uid: str, namespace: str | None) -> Sequence[Mapping[str, Any]]:
        """At most MOST_READ. Raises Failure."""
        where = namespace or CLUSTER_NAMESPACE
        selection = Selection(where, field_selector=f"involvedObject.uid={uid}")
        try:
            page = await self._client.list_page(EVENTS, selection, limit=MOST_READ, deadline=SECONDS)
        except Forbidden:
            raise Failure(f"the shim may not list Events in namespace {where}: it needs a Role there") from None
        except ApiError as error:
            raise Failure(f"the Events are not known: {error}") from error
        return page.items
