from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from anka_agent.anka import leftovers
from anka_agent.anka.command import Anka
from anka_agent.anka.leftovers import Leftovers
from support.fake_anka import FakeAnka
from support.template_mac import until

# A whole agent, killed while its command runs.
AGENT = """
import asyncio, sys
from pathlib import Path
from anka_agent.anka.command import Anka
from anka_agent.anka.leftovers import Leftovers
anka = Anka(sys.argv[1], record=Leftovers(Path(sys.argv[2])))
asyncio.run(anka.call(*sys.argv[3:], seconds=60, exclusive=False))
"""
PULL = ("registry", "pull", "t")


async def orphan(fake_anka: FakeAnka, tmp_path: Path, body: str, *command: str) -> int:
    """A command whose agent was killed; its process."""
    pid_file = tmp_path / "pid"
    fake_anka.body(f"open({str(pid_file)!r}, 'w').write(str(os.getpid()))\n{body}")
    words = [str(fake_anka.path), str(tmp_path / "commands"), *command]
    agent = await asyncio.create_subprocess_exec(sys.executable, "-c", AGENT, *words)
    await until(lambda: pid_file.exists() and pid_file.read_text())
    agent.kill()
    await agent.wait()
    pid = int(pid_file.read_text())
    os.kill(pid, 0)
    return pid


def held(directory: Path) -> str:
    """Code that goes on when it is let go."""
    return f"while not os.path.exists({str(directory / 'go')!r}): time.sleep(0.02)"


def let_go_soon(directory: Path) -> None:
    """What is awaited next begins before."""
    asyncio.get_running_loop().call_later(0.3, (directory / "go").touch)


IGNORES = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
HANGS = "time.sleep(60)"


@pytest.mark.parametrize("more", ["", IGNORES], ids=["polite", "stubborn"])
@pytest.mark.parametrize("command", [PULL, ("start", "vm")], ids=" ".join)
async def test_a_command_that_does_not_end_is_ended(
    fake_anka: FakeAnka, tmp_path: Path, command: tuple[str, ...], more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "GRACE_SECONDS", 0.5 if more else 5.0)
    monkeypatch.setattr(leftovers, "WAIT_SECONDS", 0.2)
    pid = await orphan(fake_anka, tmp_path, more + HANGS, *command)
    assert await Leftovers(tmp_path / "commands").end() == 1
    await until(lambda: not runs(pid))
    assert list((tmp_path / "commands").iterdir()) == []
    assert await Leftovers(tmp_path / "commands").end() == 0


@pytest.mark.parametrize("command", ["start", "clone", "modify", "stop", "delete", "suspend", "registry revert"])
async def test_a_command_that_changes_a_vm_is_waited_for(fake_anka: FakeAnka, tmp_path: Path, command: str) -> None:
    done = tmp_path / "done"
    go, late = held(tmp_path), f"open({str(done)!r}, 'w').write('late')"
    await orphan(fake_anka, tmp_path, f"{go}\n{late}", *command.split(), "vm")
    let_go_soon(tmp_path)
    assert await Leftovers(tmp_path / "commands").end() == 1
    assert done.read_text() == "late"


async def test_what_a_command_leaves_running_is_not_waited_for(
    fake_anka: FakeAnka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were a VM's process to inherit the lock, it must neither hold up the agent nor be ended."""
    monkeypatch.setattr(leftovers, "WAIT_SECONDS", 600.0)
    child = tmp_path / "child"
    vm = (
        "import subprocess\n"
        "vm = subprocess.Popen(['sleep', '60'], close_fds=False)\n"
        f"open({str(child)!r}, 'w').write(str(vm.pid))\n"
        f"{held(tmp_path)}"
    )
    command = await orphan(fake_anka, tmp_path, vm, "start", "vm")
    await until(lambda: child.exists() and child.read_text())
    let_go_soon(tmp_path)
    async with asyncio.timeout(60):
        assert await Leftovers(tmp_path / "commands").end() == 1
    assert not runs(command)
    vm_process = int(child.read_text())
    assert runs(vm_process)
    os.kill(vm_process, 9)


def runs(pid: int) -> bool:
    """A zombie, which init has yet to reap, does not."""
    answer = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(answer.strip()) and not answer.strip().startswith("Z")


async def test_nothing_is_left_of_one_that_ended(fake_anka: FakeAnka, tmp_path: Path) -> None:
    anka = Anka(str(fake_anka.path), record=Leftovers(tmp_path / "commands"))
    await anka.call("registry", "pull", "t", seconds=30, exclusive=False)
    assert list((tmp_path / "commands").iterdir()) == []
    await anka.call("list", seconds=30)
    assert await Leftovers(tmp_path / "commands").end() == 0
    assert await Leftovers(tmp_path / "nothing").end() == 0


async def test_a_disk_that_refuses_does_not_stop_a_pull(fake_anka: FakeAnka, tmp_path: Path) -> None:
    (tmp_path / "commands").write_text("a file in the way")
    anka = Anka(str(fake_anka.path), record=Leftovers(tmp_path / "commands"))
    assert await anka.call("registry", "pull", "t", seconds=30, exclusive=False) == []


async def test_a_stale_record_kills_nobody(tmp_path: Path) -> None:
    """The number in it may be another group's by now: without the lock it means nothing."""
    other = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)
    (tmp_path / "1-1").write_text(str(other.pid))
    assert await Leftovers(tmp_path).end() == 0
    assert other.returncode is None
    assert not (tmp_path / "1-1").exists()
    other.kill()
    await other.wait()
