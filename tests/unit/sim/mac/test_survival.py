"""kill -9 at any moment, the daemon's death, and many commands at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from anka_sim.mac.harness import Mac

SEED = 20_261_124


def _consistent(mac: Mac) -> list[str]:
    """Every VM that is listed is complete; returns their names."""
    rows = mac.anka("-j", "list").body
    for row in rows:
        assert mac.anka("-j", "show", row["uuid"]).code == 0
        assert (mac.directory / "vms" / row["uuid"] / "vm.json").exists()
    assert len({row["name"] for row in rows}) == len(rows)
    return [row["name"] for row in rows]


def _leftovers(mac: Mac) -> list[str]:
    tmp = mac.directory / "tmp"
    return [path.name for path in tmp.iterdir()] if tmp.exists() else []


def test_clone_killed_half_way_is_invisible(mac: Mac, eventually: Any) -> None:
    mac.configure(delays={"clone": 600})
    cloning = mac.popen("-j", "clone", "tpl", "vm")
    eventually(lambda: _leftovers(mac), "the clone is under way")
    assert _consistent(mac) == ["tpl"]
    cloning.kill()
    cloning.wait()
    assert _consistent(mac) == ["tpl"]
    mac.configure(delays={"clone": 0})
    assert mac.anka("-j", "clone", "tpl", "vm").code == 0
    assert mac.anka("-j", "delete", "--yes", "vm").code == 0
    assert _leftovers(mac) == []


def test_lives_killed_at_random_moments(mac: Mac) -> None:
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    for round_ in range(8):
        name = f"vm{round_}"
        for argv in (["clone", "tpl", name], ["start", name], ["stop", name], ["delete", "--yes", name]):
            process = mac.popen("-j", *argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, 0.08))
            process.kill()
            process.wait()
        assert set(_consistent(mac)) <= {"tpl", *(f"vm{n}" for n in range(round_ + 1))}
        # What was interrupted can be done again.
        if mac.anka("-j", "show", name).code == 3:
            assert mac.anka("-j", "clone", "tpl", name).code == 0
        assert mac.anka("-j", "start", name).code == 0
        assert mac.anka("run", name, "true").code == 0
        assert mac.anka("-j", "delete", "--yes", name).code == 0
    assert _consistent(mac) == ["tpl"]
    assert _leftovers(mac) == []


def test_a_dead_daemon_means_the_mac_lost_power(mac: Mac, eventually: Any) -> None:
    mac.anka("clone", "tpl", "vm")
    mac.anka("start", "vm")
    running = mac.popen("run", "vm", "sh", "-c", "echo $$; exec sleep 600")
    assert running.stdout is not None
    guest = int(running.stdout.readline())
    daemon = mac.anka("-j", "show", "vm").body["pid"]
    os.kill(daemon, signal.SIGKILL)
    assert running.wait(timeout=20) == 125
    eventually(lambda: mac.anka("-j", "show", "vm", "status").body == "stopped", "the VM is stopped")
    assert mac.anka("-j", "list", "-r").body == []
    assert mac.anka("-j", "start", "vm").code == 0
    assert mac.anka("-j", "show", "vm").body["pid"] != daemon
    eventually(lambda: not os.path.exists(f"/proc/{guest}"), "the old boot's processes are gone")


def test_power_off(mac: Mac) -> None:
    mac.anka("start", "tpl")
    mac.power_off()
    assert mac.anka("-j", "show", "tpl", "status").body == "stopped"
    mac.power_off()


def test_the_daemon_ends_when_nothing_runs(make_mac: Callable[..., Mac], eventually: Any) -> None:
    mac = make_mac(linger_seconds=0.2)
    mac.anka("create", "vm")
    mac.anka("start", "vm")
    daemon = mac.anka("-j", "show", "vm").body["pid"]
    mac.anka("stop", "vm")
    eventually(lambda: not os.path.exists(f"/proc/{daemon}"), "the daemon ends")
    assert mac.anka("-j", "start", "vm").code == 0


def _together(mac: Mac, lines: list[list[str]]) -> list[int]:
    with ThreadPoolExecutor(len(lines)) as pool:
        return list(pool.map(lambda argv: mac.anka("-j", *argv).code, lines))


def test_twenty_at_once(make_mac: Callable[..., Mac]) -> None:
    mac = make_mac(max_running=100)
    mac.anka("create", "tpl")
    names = [f"vm{n}" for n in range(20)]
    assert _together(mac, [["clone", "tpl", name] for name in names]) == [0] * 20
    assert sorted(_consistent(mac)) == sorted(["tpl", *names])
    assert _together(mac, [["start", name] for name in names]) == [0] * 20
    shown = [mac.anka("-j", "show", name).body for name in names]
    for key in ("ip", "vnc_port", "hostif", "mac"):
        assert len({vm[key] for vm in shown}) == 20, key
    assert len({vm["port_forwarding"][0]["host_port"] for vm in shown}) == 20
    assert len({vm["pid"] for vm in shown}) == 1
    assert _together(mac, [["delete", "--yes", name] for name in names]) == [0] * 20
    assert _consistent(mac) == ["tpl"]
    assert len(mac.commands()) >= 81


def test_one_name_is_given_once(mac: Mac) -> None:
    assert sorted(_together(mac, [["clone", "tpl", "same"]] * 8)) == [0] + [18] * 7


def test_the_limit_holds_among_parallel_starts(mac: Mac) -> None:
    names = [f"vm{n}" for n in range(6)]
    for name in names:
        mac.anka("clone", "tpl", name)
    codes = _together(mac, [["start", name] for name in names])
    assert codes.count(0) == 2
    assert len(mac.anka("-j", "list", "-r").body) == 2


FAULTS = [
    ({"command": "start", "action": "fail", "code": 77, "message": "no luck", "times": 1}, 77, False),
    ({"command": "start", "action": "fail", "code": 77, "message": "no luck", "times": 1, "when": "after"}, 77, True),
    ({"command": "*", "action": "garbage", "code": 1, "message": "<html>", "times": 1}, 1, False),
]


@pytest.mark.parametrize(("fault", "code", "started"), FAULTS, ids=["before", "after", "garbage"])
def test_faults(mac: Mac, fault: dict[str, Any], code: int, started: bool) -> None:
    from anka_sim.mac import faults

    faults.add(mac.store, fault)
    answer = mac.anka("-j", "start", "tpl")
    assert answer.code == code
    assert fault["message"].encode() in answer.stdout
    assert (mac.anka("-j", "show", "tpl", "status").body == "running") is started
    assert mac.anka("-j", "start", "tpl").code == 0


def test_a_hang_lasts_until_it_is_killed(mac: Mac) -> None:
    from anka_sim.mac import faults

    faults.add(mac.store, {"command": "stop", "action": "hang"})
    with pytest.raises(subprocess.TimeoutExpired):
        mac.anka("stop", "tpl", timeout=1)
    faults.clear(mac.store)
    assert mac.anka("stop", "tpl").code == 0


def test_a_long_directory_name_has_a_socket_elsewhere(make_mac: Callable[..., Mac]) -> None:
    mac = make_mac("a" * 120)
    mac.anka("create", "vm")
    assert mac.anka("run", "vm", "echo", "works").stdout == b"works\n"
