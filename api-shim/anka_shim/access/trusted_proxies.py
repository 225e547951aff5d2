"""The proxies whose words about a client are believed. Pure."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

_REMEMBERED = 4096
EVERYBODY = "*"


class TrustedProxies:
    """`entries`: addresses and networks; EVERYBODY is none of them here, as anybody could then be anybody. ValueError
    for what is neither."""

    def __init__(self, entries: list[str]) -> None:
        self._networks = [ip_network(entry) for entry in entries if entry != EVERYBODY]
        self._remember = lru_cache(_REMEMBERED)(self._find)

    def has(self, address: str) -> bool:
        return self._remember(address)

    def _find(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            # As a socket for both shows an address of IPv4.
            found = found.ipv4_mapped
        return any(found in network for network in self._networks)
