"""What was used once and may not be used again. In memory only."""

from collections import OrderedDict

MOST_NONCES = 200_000
"""200 handshakes a second for a quarter of an hour; some 30 MB."""


class NonceMemory:
    """Forgets each when it has expired anyway; the oldest before, if there are more than MOST_NONCES."""

    def __init__(self) -> None:
        self._until: OrderedDict[bytes, int] = OrderedDict()

    def take(self, nonce: bytes, until: int, now: float) -> bool:
        """False if it was taken before."""
        while self._until and next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)
        if nonce in self._until:
            return False
        self._until[nonce] = until
        if len(self._until) > MOST_NONCES:
            self._until.popitem(last=False)
        return True
