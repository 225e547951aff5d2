"""How a setting of the old controller becomes values of the chart. Pure.

A conversion takes the text of a setting and returns values by their dotted path. It raises ValueError for a text that
the old controller could not have read; the message does not repeat it, since it may be a secret."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

Conversion = Callable[[str], Mapping[str, object]]

_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR"})
_MOST_PORTS = 65535


def to_url(path: str, *, login: str = "registry.credentials", keep_slash: bool = False) -> Conversion:
    """`login`: the value that has what must not stand in a URL."""

    def convert(text: str) -> Mapping[str, object]:
        if "," in text:
            raise ValueError("has several URLs: choose one")
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must begin with http:// or https://, and name a host")
        if parts.username is not None or parts.password is not None:
            raise ValueError(f"has a login in the URL: give it by {login}")
        return {path: text if keep_slash else text.rstrip("/")}

    return convert


def to_seconds(path: str) -> Conversion:
    """From a duration as Go reads it, such as 1m30s."""

    def convert(text: str) -> Mapping[str, object]:
        seconds = parse_duration(text)
        return {path: int(seconds) if seconds.is_integer() else seconds}

    return convert


def to_switch(path: str) -> Conversion:
    def convert(text: str) -> Mapping[str, object]:
        return {path: parse_switch(text)}

    return convert


def to_log_level(text: str) -> Mapping[str, object]:
    """From a verbosity, 0 to 10, or a name."""
    if text.upper() in _LEVELS:
        return {"logs.level": text.upper()}
    if not text.isdecimal():
        raise ValueError("must be a number from 0 to 10")
    return {"logs.level": "INFO" if int(text) == 0 else "DEBUG"}


def to_service_port(text: str) -> Mapping[str, object]:
    """From `[host]:port`. The host is left out: a pod listens on its own addresses."""
    port = text.rpartition(":")[2]
    if not port.isdecimal() or not 0 < int(port) <= _MOST_PORTS:
        raise ValueError("must end in : and a port")
    return {"service.port": int(port)}


def parse_duration(text: str) -> float:
    """Seconds. Raises ValueError."""
    if text == "0":
        return 0.0
    if not text or _DURATION.sub("", text):
        raise ValueError("must be a duration, such as 1m30s")
    return round(sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text)), 6)


def parse_switch(text: str) -> bool:
    """Raises ValueError."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("must be true or false")
