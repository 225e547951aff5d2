"""`anka-dev registry`: seed and run a simulated registry."""

from __future__ import annotations

import argparse
import asyncio
import signal
from typing import TYPE_CHECKING

from anka_dev.errors import DevError
from anka_dev.mac.errors import AnkaError
from anka_dev.mac.options import size

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

DEFAULT_PORT = 8089


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("registry", help="a simulated Anka registry")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    seed = actions.add_parser("seed", help="add a template, or a tag to one")
    seed.add_argument("directory")
    seed.add_argument("--template", required=True, metavar="NAME")
    seed.add_argument("--tag", default="vanilla+port-forward-22")
    seed.add_argument("--uuid", help="the template's UUID; made up if not given")
    seed.add_argument("--home", metavar="DIR", help="files for the home directory of the VM's user")
    seed.add_argument("--arch", default="arm64", choices=("arm64", "amd64"))
    seed.add_argument("--size", default="15G", help="declared size, such as 15G")
    seed.add_argument("--description", default="")
    seed.set_defaults(run=_seed)

    run = actions.add_parser("run", help="serve a registry directory until interrupted")
    run.add_argument("directory")
    run.add_argument("--host", default="127.0.0.1")
    run.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one")
    run.set_defaults(run=_run)


def _seed(options: argparse.Namespace) -> int:
    from anka_dev.registry import seed
    from anka_dev.registry.catalog import CatalogError

    try:
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
    except (CatalogError, AnkaError, OSError) as error:
        raise DevError(str(error)) from error
    print(uuid)
    return 0


def _run(options: argparse.Namespace) -> int:
    try:
        asyncio.run(_serve(options))
    except OSError as error:
        raise DevError(f"cannot serve on {options.host}:{options.port}: {error.strerror or error}") from error
    return 0


async def _serve(options: argparse.Namespace) -> None:
    from anka_dev.registry.server import serve_until

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve_until(
        stop, options.directory, options.host, options.port, lambda url: print(f"registry at {url}", flush=True)
    )
