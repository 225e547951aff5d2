"""Addresses of pods and Services on this machine. Pure."""

from __future__ import annotations

Address = tuple[str, int]
"""Host and port."""

_LAST = 254


class AddressPool:
    """254 loopback addresses, another network for each ``number`` (a process id, say).

    Kubernetes takes no loopback address for an endpoint: 127.a.b.n here is 10.a.b.n there.
    """

    def __init__(self, number: int) -> None:
        # Never 127.0.x.y, where everything else listens, nor Debian's 127.0.1.1.
        self._prefix = f"{number // 250 % 250 + 1}.{number % 250 + 1}"
        self._taken: set[int] = set()
        self._last = 0

    def take(self) -> str:
        """A free local address, the one longest unused. RuntimeError when there is none."""
        # Round robin: a client with an old address must not reach another pod there.
        turn = (self._last + step for step in range(1, _LAST + 1))
        number = next((each for n in turn if (each := (n - 1) % _LAST + 1) not in self._taken), None)
        if number is None:
            raise RuntimeError(f"more than {_LAST} pods and Services at a time")
        self._taken.add(number)
        self._last = number
        return f"127.{self._prefix}.{number}"

    def release(self, local: str) -> None:
        """Make the address free again."""
        self._taken.discard(int(local.rpartition(".")[2]))

    @staticmethod
    def to_cluster(local: str) -> str:
        """The address by which the cluster knows ``local``."""
        return f"10.{local.partition('.')[2]}"

    @staticmethod
    def to_local(address: str) -> str:
        """The address on this machine of what the cluster knows as ``address``."""
        return f"127.{address.partition('.')[2]}"
