"""`anka-sim registry`: seed and run a simulated registry."""

from __future__ import annotations

import argparse
import asyncio
import signal

from anka_sim.mac.errors import SimulatedAnkaError
from anka_sim.mac.options import size

DEFAULT_PORT = 8089


HELP = "a simulated Anka registry"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions; the chosen one is `run` in the options, a function of these."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    seed = actions.add_parser("seed", help="add a template, or a tag to one")
    seed.add_argument("directory")
    seed.add_argument("--template", required=True, metavar="NAME")
    seed.add_argument("--tag", default="vanilla+port-forward-22")
    seed.add_argument("--uuid", help="the template's UUID; a new one by default")
    seed.add_argument("--home", metavar="DIR", help="files for the home directory of the VM's user")
    seed.add_argument("--arch", default="arm64", choices=("arm64", "amd64"))
    seed.add_argument("--size", default="15G", help="declared size, such as 15G")
    seed.add_argument("--description", default="")
    seed.set_defaults(run=_seed)

    run = actions.add_parser("run", help="serve a registry directory until interrupted")
    run.add_argument("directory")
    run.add_argument("--host", default="127.0.0.1")
    run.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one")
    run.add_argument("--root-token-file", metavar="FILE", help="demand a login; this token is one")
    run.add_argument(
        "--api-key", action="append", default=[], metavar="ID=FILE", help="the same: an API key, with its public key"
    )
    run.add_argument("--tls-cert", metavar="FILE", help="serve https with this certificate")
    run.add_argument("--tls-key", metavar="FILE", help="its private key")
    run.add_argument("--client-ca", metavar="FILE", help="client certificates of these authorities are a login, too")
    run.set_defaults(run=_run)


def _seed(options: argparse.Namespace) -> None:
    from anka_sim.registry import seed

    uuid = seed.template(
        options.directory,
        options.template,
        tag=options.tag,
        uuid=options.uuid,
        arch=options.arch,
        size=size(options.size, "--size"),
        home=options.home,
        description=options.description,
    )
    print(uuid)


def _run(options: argparse.Namespace) -> None:
    try:
        asyncio.run(_serve(options))
    except ValueError as error:
        raise SimulatedAnkaError(str(error)) from error
    except OSError as error:
        raise SimulatedAnkaError(f"cannot serve on {options.host}:{options.port}: {error.strerror or error}") from error


async def _serve(options: argparse.Namespace) -> None:
    from anka_sim.registry.access import make_login, make_tls
    from anka_sim.registry.server import serve_until

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve_until(
        stop,
        options.directory,
        options.host,
        options.port,
        lambda url: print(f"registry at {url}", flush=True),
        login=make_login(options.root_token_file, options.api_key, certificates=bool(options.client_ca)),
        tls=make_tls(options.tls_cert, options.tls_key, options.client_ca) if options.tls_cert else None,
    )
