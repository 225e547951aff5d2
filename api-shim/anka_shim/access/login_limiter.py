"""Guessing credentials is limited, for each address."""

import hashlib
import math
import secrets
from collections import OrderedDict, deque
from ipaddress import IPv6Address, ip_address

from anka_runtime.clock import Clock

MOST_FAILURES = 20
"""Different wrong credentials of one address in WINDOW_SECONDS. A client that repeats the same one guesses nothing."""
WINDOW_SECONDS = 60.0
MOST_ADDRESSES = 4096
MOST_ACCEPTED = 1024
"""Credentials that were right are remembered: their owner goes on when somebody guesses from the same address."""


class LoginLimiter:
    """What failed, and what was right, as keyed digests; bounded in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._failures: OrderedDict[str, deque[tuple[float, bytes]]] = OrderedDict()
        self._accepted: OrderedDict[bytes, None] = OrderedDict()

    def retry_after(self, address: str, credential: bytes) -> int | None:
        """Seconds until this address may try this credential; None for now."""
        if not self._failures:
            return None
        found = self._failures.get(_network(address))
        if found is None:
            return None
        oldest = self._clock.monotonic() - WINDOW_SECONDS
        while found and found[0][0] <= oldest:
            found.popleft()
        if len(found) < MOST_FAILURES:
            return None
        digest = self._digest(credential)
        if digest in self._accepted or any(digest == one for _, one in found):
            return None
        return max(1, math.ceil(found[0][0] - oldest))

    def note_failure(self, address: str, credential: bytes) -> None:
        network, digest, now = _network(address), self._digest(credential), self._clock.monotonic()
        found = self._failures.setdefault(network, deque(maxlen=MOST_FAILURES))
        self._failures.move_to_end(network)
        if all(digest != one for _, one in found):
            found.append((now, digest))
        if len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)

    def note_success(self, credential: bytes) -> None:
        digest = self._digest(credential)
        self._accepted[digest] = None
        self._accepted.move_to_end(digest)
        if len(self._accepted) > MOST_ACCEPTED:
            self._accepted.popitem(last=False)

    def _digest(self, credential: bytes) -> bytes:
        return hashlib.blake2b(credential, key=self._key, digest_size=16).digest()


def _network(address: str) -> str:
    """One home or machine has 2^64 addresses of IPv6: they count as one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or int(parsed) >> 64)
    return str(parsed)
