"""Finds API keys by what their owners call them."""

from anka_crds.api import ApiKey
from anka_runtime.clock import Clock
from anka_shim.http.authentication import LoginMethod, Principal
from anka_shim.store.caches import Stores, Watches, require_caches


class ApiKeyCatalog:
    """Looked up at each use: a key that is deleted, has expired or has other groups counts as such at once."""

    def __init__(self, stores: Stores, watches: Watches, clock: Clock) -> None:
        self._stores = stores
        self._watches = watches
        self._clock = clock

    def find(self, id_: str) -> ApiKey | None:
        """One that is valid now. Raises Failure while the caches are read: then nobody knows that there is none, and
        clients do not repeat what was refused."""
        require_caches(self._watches)
        key = self._stores.api_key(id_)
        return key if key is not None and self._clock.now() < key.spec.expires_at else None


def principal_of(key: ApiKey) -> Principal:
    """Who has logged in with it."""
    return Principal(key.spec.id, groups=frozenset((*key.spec.groups, key.spec.id)), method=LoginMethod.API_KEY)
