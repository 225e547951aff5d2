"""The life of the shim's process: read the caches, serve, and stop in good order."""

import asyncio
import contextlib
import functools
import logging
import signal
import socket

from anka_crds.rules.central_log import SHIM
from anka_kube.endpoint import Endpoint
from anka_registry.access import make_access
from anka_registry.central_logs.forwarding import LogForwarding
from anka_runtime.clock import Clock
from anka_runtime.health import HealthChecks
from anka_runtime.tls_files import TlsFiles, make_server_context
from anka_shim.assembly import application, services
from anka_shim.http.connection_budget import ConnectionBudget
from anka_shim.http.server import Server, make_server
from anka_shim.portal.stream.endpoints import STREAM_PATH
from anka_shim.settings import ShimSettings

log = logging.getLogger(__name__)


async def run(settings: ShimSettings, endpoint: Endpoint, sock: socket.socket) -> None:
    """Serve on `sock` until SIGTERM or SIGINT. A second signal ends the draining at once."""
    async with LogForwarding(settings.log_url, SHIM, access=make_access(settings)).run(socket.gethostname()):
        await _serve(settings, endpoint, sock)


async def _serve(settings: ShimSettings, endpoint: Endpoint, sock: socket.socket) -> None:
    stopping, hurrying = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (hurrying if stopping.is_set() else stopping).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    health = HealthChecks(ready={"stopping": lambda: "shutting down" if stopping.is_set() else None})
    async with services(settings, endpoint, health) as found:
        edge = application(found)
        web = make_server(
            edge,
            connections=ConnectionBudget(
                most=settings.max_connections, most_per_client=settings.connections_per_client
            ),
            keep_alive_seconds=settings.keep_alive_seconds,
            trusted_proxies=settings.trusted_proxies,
            tls=_tls_files(settings, found.clock),
            websockets=(STREAM_PATH.encode(),) if settings.portal else (),
        )
        host, port = sock.getsockname()[:2]
        about = {"host": host, "port": port, "namespace": settings.namespace}
        log.info("listening", extra=about if settings.tls_cert_file is None else {**about, "scheme": "https"})
        task = asyncio.create_task(web.serve(sockets=[sock]), name="server")
        await asyncio.wait({task, asyncio.create_task(stopping.wait())}, return_when=asyncio.FIRST_COMPLETED)
        edge.draining = True
        log.info("stopping: not ready, finishing what is in flight", extra={"seconds": settings.drain_seconds})
        with contextlib.suppress(TimeoutError):
            # Load balancers see at /readyz that we stop, before we stop listening.
            await asyncio.wait_for(hurrying.wait(), settings.drain_seconds)
        found.logs.end_streams()
        await _stop(web, task, hurrying)
    log.info("stopped")


def _tls_files(settings: ShimSettings, clock: Clock) -> TlsFiles | None:
    if settings.tls_cert_file is None:
        return None
    make = functools.partial(make_server_context, lowest=settings.tls_min_version, ciphers=settings.tls_ciphers)
    return TlsFiles(settings.client_ca_file, settings.tls_cert_file, settings.tls_key_file, clock, make)


async def _stop(web: Server, task: asyncio.Task[None], hurrying: asyncio.Event) -> None:
    web.should_exit = True
    hurry = asyncio.create_task(hurrying.wait())
    await asyncio.wait({task, hurry}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        web.force_exit = True
    hurry.cancel()
    await task
