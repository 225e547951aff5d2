"""Hosts and ports as they stand in URLs and messages. Pure."""

from urllib.parse import urlsplit


def bracket_host(host: str) -> str:
    """A name or address as in a URL: an IPv6 address is in brackets, in which its colons are no port's."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def join_host_port(host: str, port: int | str) -> str:
    """`host:port`, `[host]:port` for an IPv6 address."""
    return f"{bracket_host(host)}:{port}"


def is_http_url(text: str, *, only_https: bool = False) -> bool:
    """Whether it is the URL of a host, by http or https, with a port that there can be if it names one."""
    try:
        parts = urlsplit(text)
        schemes = ("https",) if only_https else ("http", "https")
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
