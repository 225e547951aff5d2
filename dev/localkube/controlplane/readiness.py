"""Waits until the API answers, or a component ends, or the time is up."""

import ssl
import time
from collections.abc import Callable, Iterable
from http.client import HTTPException, HTTPSConnection

from localkube.controlplane.certificates import Pki
from localkube.controlplane.process import Component, last_line
from localkube.errors import DevError
from localkube.free_ports import HOST

_POLL_SECONDS = 0.1
_ANSWER_SECONDS = 5.0


class ApiProbe:
    """Sends requests to the API as its administrator."""

    def __init__(self, port: int, pki: Pki) -> None:
        self._port = port
        self._tls = ssl.create_default_context(cafile=str(pki.ca.certificate))
        self._tls.load_cert_chain(pki.admin.certificate, pki.admin.key)

    def ok(self, path: str) -> bool:
        """Whether a GET of ``path`` answers 200 now."""
        connection = HTTPSConnection(HOST, self._port, context=self._tls, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def exit_error(component: Component) -> DevError:
    """The error of a component that ended by itself."""
    line = last_line(component.log) or "it wrote nothing"
    return DevError(f"{component.name} ended with code {component.exit_code}: {line} (log: {component.log})")


def wait_until(
    ready: Callable[[], bool], components: Iterable[Component], waiting_for: Component, seconds: float
) -> None:
    """Return once ``ready``. DevError as soon as a component ends, or after ``seconds``, with the last log line."""
    watched = list(components)
    deadline = time.monotonic() + seconds
    while not ready():
        for component in watched:
            if not component.running:
                raise exit_error(component)
        if time.monotonic() > deadline:
            line = last_line(waiting_for.log) or "it wrote nothing"
            raise DevError(
                f"{waiting_for.name} is not ready after {seconds:g} s; its last line: {line} (log: {waiting_for.log})"
            )
        # The API has no event for "ready" that could be awaited from outside.
        time.sleep(_POLL_SECONDS)
