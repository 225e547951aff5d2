"""`anka-sim mac`: create and manage simulated Macs. Not part of `anka`: a real Mac has none of these commands."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from anka_sim import mac
from anka_sim.mac import faults, options, output
from anka_sim.mac.core import SimulatedMac
from anka_sim.mac.daemon import DaemonHypervisor
from anka_sim.mac.store import FileStore

HELP = "simulated Mac hosts with an anka command"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions; the chosen one is `run` in the options, a function of these."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    create = actions.add_parser("create", help="make a Mac in a directory, with DIR/bin/anka")
    create.add_argument("directory")
    create.add_argument("--name", help="the host's name; the directory's by default")
    create.add_argument("--arch", default="arm64", choices=("arm64", "amd64"))
    create.add_argument("--cpu", type=int, default=8, help="cores")
    create.add_argument("--ram", default="16G")
    create.add_argument("--disk", default="500G")
    create.add_argument("--registry", metavar="URL", help="the default registry")
    create.add_argument("--slots", type=int, help="how many VMs may run at once; 2 on arm64 by default")
    create.add_argument(
        "--start-delay", type=float, nargs=2, default=(0.0, 0.0), metavar=("MIN", "MAX"), help="seconds"
    )
    create.add_argument("--network-delay", type=float, default=0.0, help="seconds until a started VM has an address")
    create.add_argument("--pull-rate", default="0", help="bytes per second of a pull, such as 200M; 0 is no limit")
    create.set_defaults(run=_create)

    for name, function, text in (
        ("stop", _stop, "power off: the daemon and every VM end"),
        ("vms", _vms, "list VMs and templates"),
        ("log", _log, "the anka commands that were run"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("directory")
        action.set_defaults(run=function)

    fault = actions.add_parser("fault", help="make anka commands fail, hang or print garbage")
    fault.add_argument("directory")
    fault.add_argument(
        "--command", dest="words", default="*", help="beginning of the command line, such as 'registry pull'"
    )
    fault.add_argument("--action", dest="kind", choices=faults.ACTIONS, default="fail")
    fault.add_argument(
        "--when", choices=("before", "after"), default="before", help="before or after the command's work"
    )
    fault.add_argument("--code", type=int, default=1)
    fault.add_argument("--message", default="simulated fault")
    fault.add_argument("--seconds", type=float, default=86400.0, help="how long a hang lasts")
    fault.add_argument("--times", type=int, help="how often; always if not given")
    fault.add_argument("--clear", action="store_true", help="remove all faults")
    fault.set_defaults(run=_fault)


def _create(given: argparse.Namespace) -> None:
    config: dict[str, Any] = {
        "name": given.name or os.path.basename(os.path.abspath(given.directory)),
        "arch": given.arch,
        "cpu_cores": given.cpu,
        "ram_bytes": options.size(given.ram, "--ram"),
        "disk_bytes": options.size(given.disk, "--disk"),
        "delays": {
            "start": list(given.start_delay),
            "network": given.network_delay,
            "pull_bytes_per_second": 0 if given.pull_rate == "0" else options.size(given.pull_rate, "--pull-rate"),
        },
    }
    if given.slots is not None:
        config["max_running"] = given.slots
    if given.registry:
        config["registries"] = [{"name": "default", "url": given.registry, "default": True}]
    home = mac.create(given.directory, config)
    print(mac.install(os.path.join(home, "bin"), home))


def _open(directory: str) -> SimulatedMac:
    return SimulatedMac(FileStore(directory), DaemonHypervisor(directory))


def _stop(given: argparse.Namespace) -> None:
    _open(given.directory)
    mac.power_off(given.directory)


def _vms(given: argparse.Namespace) -> None:
    fields = ["name", "uuid", "version", "status", "ip", "vnc_port"]
    text = output.table(_open(given.directory).rows(fields=fields))
    if text:
        print(text)


def _log(given: argparse.Namespace) -> None:
    _open(given.directory)
    path = os.path.join(given.directory, "commands.log")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line)
                print(f"{entry['ts']:.3f} {entry['ms']:8.1f} ms  {entry['code']:3}  anka {' '.join(entry['argv'])}")


def _fault(given: argparse.Namespace) -> None:
    store = _open(given.directory).store
    if given.clear:
        faults.clear(store)
        return
    fault = {
        "command": given.words,
        "action": given.kind,
        "when": given.when,
        "code": given.code,
        "message": given.message,
        "seconds": given.seconds,
    }
    if given.times is not None:
        fault["times"] = given.times
    faults.add(store, fault)
