"""``anka-dev portal``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from anka_runtime.cli import Call, Command, from_arguments
from localkube.errors import DevError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="types and style of the JavaScript, where node is installed")
    check.set_defaults(run=run_check)
    vendor = commands.add_parser("vendor", help="take the libraries of others from npm's registry")
    vendor.add_argument("package", nargs="*", help="NAME@VERSION instead of the version that is here")
    vendor.set_defaults(run=run_vendor)
    serve = commands.add_parser("serve", help="the pages with invented rows, without a cluster")
    serve.add_argument("--port", type=int, default=8100, help="default: %(default)s")
    serve.add_argument("--rate", type=float, default=5, help="changes per second; default: %(default)s")
    serve.add_argument("--rights", help="only these, with commas; default: all")
    serve.add_argument("--login", action="store_true", help="nobody is logged in; the root token is: secret")
    serve.add_argument("--open", action="store_true", help="as without authentication")
    serve.set_defaults(run=run_serve)
    look = commands.add_parser("look", help="a picture of a page")
    look.add_argument("hash", help="'#/instances?phase=Started'")
    look.add_argument("--out", type=Path, required=True, help="a .png file")
    look.add_argument("--width", type=int, default=1440, help="default: %(default)s")
    look.add_argument("--height", type=int, default=900, help="default: %(default)s")
    look.add_argument("--dark", action="store_true")
    look.add_argument("--rate", type=float, default=0, help="changes per second; default: none")
    look.add_argument("--url", help="of a portal that runs, http://…/portal/; default: invented rows")
    look.add_argument("--click", action="append", default=[], metavar="NAME", help="a button, by its name; repeatable")
    look.add_argument("--press", action="append", default=[], metavar="KEY", help="a key, such as j; repeatable")
    look.set_defaults(run=run_look)
    screenshots = commands.add_parser("screenshots", help="the pictures of the documentation, of a real cloud")
    screenshots.add_argument("--out", type=Path, help="a folder; default: docs/images/portal, with the manifest")
    screenshots.set_defaults(run=run_screenshots)


def run_check(_: argparse.Namespace) -> int:
    from anka_dev.portal.check import check

    words = check()
    if words:
        print(words, file=sys.stderr)
    return 0


def run_vendor(options: argparse.Namespace) -> int:
    from anka_dev.portal.vendor import vendor

    wanted = dict(parse_package(text) for text in options.package)
    print("\n".join(vendor(wanted)))
    return 0


def parse_package(text: str) -> tuple[str, str]:
    name, _, version = text.rpartition("@")
    if not name or not version:
        raise DevError(f"{text}: is not NAME@VERSION")
    return name, version


def run_serve(options: argparse.Namespace) -> int:
    from anka_dev.portal.serve import serve

    rights = None if options.rights is None else options.rights.split(",")
    serve(options.port, rate=options.rate, rights=rights, authentication=not options.open, logged_in=not options.login)
    return 0


def run_look(options: argparse.Namespace) -> int:
    from anka_dev.portal.look import Picture, take

    picture = Picture(
        options.hash,
        options.out,
        width=options.width,
        height=options.height,
        is_dark=options.dark,
        url=options.url,
        rate=options.rate,
        press=tuple(options.press),
        click=tuple(options.click),
    )
    complaints = asyncio.run(take(picture))
    for line in complaints:
        print(line, file=sys.stderr)
    print(options.out)
    return 1 if complaints else 0


def run_screenshots(options: argparse.Namespace) -> int:
    from anka_dev.portal.screenshots.take import take_all

    take_all(options.out)
    return 0


def run(call: Call[argparse.Namespace]) -> int:
    code: int = call.options.run(call.options)
    return code


COMMAND = Command("portal", "work on the portal's pages", from_arguments(add_arguments), run)
