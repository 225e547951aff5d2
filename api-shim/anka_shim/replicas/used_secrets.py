"""The secrets of handshakes that were used, at any replica: each is good once (docs/reference/legacy-api.md#uak)."""

import asyncio

from anka_runtime.clock import Clock
from anka_shim.access.handshake import SECRET_SECONDS
from anka_shim.access.nonce_memory import NonceMemory
from anka_shim.replicas.announcements import UsedSecret
from anka_shim.replicas.peers import Peers
from anka_shim.replicas.signature import WINDOW_SECONDS


class UsedSecrets:
    """Nothing is written: each replica remembers its own and those of the others, and tells them of its own before it
    answers. `seconds`: how long one may take. One that is away, or starts later, does not know what was used
    meanwhile."""

    def __init__(self, peers: Peers, clock: Clock, seconds: float) -> None:
        self._peers = peers
        self._clock = clock
        self._seconds = seconds
        self._memory = NonceMemory()

    async def take(self, nonce: bytes, until: int) -> bool:
        """False if it was used before, here or at another replica. Used at two of them in the same moment, it is good
        at neither."""
        secret = UsedSecret(nonce, until)
        if not self.note(secret):
            return False
        known = await asyncio.gather(*(to.tell(secret, self._seconds) for to in self._peers.announcements))
        return not any(known)

    def note(self, secret: UsedSecret) -> bool:
        """That it is used, here or at another replica. False if that was known."""
        now = self._clock.now().timestamp()
        # No secret lasts longer: what says so would only fill the memory.
        until = min(secret.until, int(now) + SECRET_SECONDS + WINDOW_SECONDS)
        return self._memory.take(secret.nonce, until, now)
