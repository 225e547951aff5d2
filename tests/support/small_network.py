"""A network of pods that lasts as long as one process: who reaches whom, tried by real packets. Root of Linux only.

    small_network.py < PLAN

The plan is a list of {name, address, ports, allowed, connects}: ``allowed`` are pairs of a source's address and an own
port, ``connects`` pairs of a target's address and port, each null for all. The
answer is a list of [from, to, port] that were reached. Everything is in a network namespace made for it, and gone with
it: this machine's own network is never touched. Standard library only; ``main`` is run in that namespace.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]
# How long a packet may be on its way to a pod of this machine; what is not allowed is answered at once.
_PATIENCE_SECONDS = 5
_TOOLS = ("unshare", "nsenter", "ip", "iptables-restore")
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def missing() -> str | None:
    """Why there can be no such network here; None when there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need root of Linux"
    if lacking := [tool for tool in _TOOLS if shutil.which(tool, path=_PATH) is None]:
        return f"no {', no '.join(lacking)} here"
    tries = [
        "unshare",
        "--net",
        "sh",
        "-c",
        "ip link add name pods type bridge && ip link add name one type veth peer name two && iptables -S",
    ]
    done = subprocess.run(tries, env={"PATH": _PATH}, capture_output=True, text=True, check=False)
    return f"no networks here: {done.stderr.strip()}" if done.returncode else None


def reached(plan: Sequence[Json]) -> set[tuple[str, str, int]]:
    """From whom to whom at which port."""
    done = subprocess.run(
        ["unshare", "--net", sys.executable, __file__],
        env={"PATH": _PATH}, input=json.dumps(plan), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {(source, target, port) for source, target, port in json.loads(done.stdout)}


def _run(*words: str, said: str | None = None) -> None:
    subprocess.run(words, input=said, text=True, check=True)


def _rules(pod: Json) -> str:
    """The input of iptables-restore."""
    rules = [":INPUT ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]"]
    for chain, device, side, pairs in (("INPUT", "i", "s", pod["allowed"]), ("OUTPUT", "o", "d", pod["connects"])):
        if pairs is not None:
            rules += [
                f"-A {chain} -{device} lo -j ACCEPT",
                f"-A {chain} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
                *(f"-A {chain} -p tcp -{side} {address} --dport {port} -j ACCEPT" for address, port in pairs),
                f"-A {chain} -p tcp -j REJECT --reject-with tcp-reset",
            ]
    return "\n".join(["*filter", *rules, "COMMIT", ""])


def _pod(pod: Json, plan: Sequence[Json]) -> None:
    """In its own namespace: listens, says so, waits for a line, and tells whom it reaches."""
    listening = [socket.create_server((pod["address"], port)) for port in pod["ports"]]
    print("listening", flush=True)
    sys.stdin.readline()
    found = []
    for other in plan:
        for port in other["ports"]:
            try:
                socket.create_connection((other["address"], port), _PATIENCE_SECONDS).close()
            except ConnectionRefusedError:
                continue
            found.append([pod["name"], other["name"], port])
    print(json.dumps(found), flush=True)
    # The others may still be trying.
    sys.stdin.readline()
    del listening


def main() -> None:
    plan = json.load(sys.stdin)
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "link", "add", "pods", "type", "bridge")
    _run("ip", "link", "set", "pods", "up")
    processes = []
    for number, pod in enumerate(plan):
        # Its namespace first: a process waits in it, and becomes the pod on request.
        process = subprocess.Popen(
            ["unshare", "--net", sys.executable, __file__, json.dumps(pod), json.dumps(plan)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        inside = ("nsenter", f"--net=/proc/{process.pid}/ns/net")
        link = f"pod{number}"
        _run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(process.pid))
        _run("ip", "link", "set", link, "master", "pods", "up")
        _run(*inside, "ip", "link", "set", "lo", "up")
        _run(*inside, "ip", "addr", "add", f"{pod['address']}/24", "dev", "eth0")
        _run(*inside, "ip", "link", "set", "eth0", "up")
        _run(*inside, "iptables-restore", said=_rules(pod))
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline() == "listening\n"
        processes.append((process.stdin, process.stdout, process))
    for write, _, _ in processes:
        write.write("try\n")
        write.flush()
    found = [each for _, read, _ in processes for each in json.loads(read.readline())]
    for write, _, process in processes:
        write.close()
        process.wait()
    print(json.dumps(found))


if __name__ == "__main__":
    # A script that finds its neighbours must not find the modules beside it.
    sys.path = [path for path in sys.path if Path(path) != Path(__file__).parent]
    if sys.argv[1:]:
        print("here", flush=True)
        sys.stdin.readline()
        _pod(json.loads(sys.argv[1]), json.loads(sys.argv[2]))
    else:
        main()
