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
anka = Anka(sys.argv[1], long=Leftovers(Path(sys.argv[2])))
asyncio.run(anka.call("registry", "pull", "t", seconds=60, exclusive=False))
"""
SLOW = "open({path!r}, 'w').write(str(os.getpid()))\n{more}\ntime.sleep(60)\nsay({{}})"


@pytest.mark.parametrize("more", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"], ids=["polite", "stubborn"])
async def test_a_pull_of_a_killed_agent_is_ended(
    fake_anka: FakeAnka, tmp_path: Path, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "GRACE_SECONDS", 0.5)
    pid_file, directory = tmp_path / "pid", tmp_path / "commands"
    fake_anka.body(SLOW.format(path=str(pid_file), more=more))
    agent = await asyncio.create_subprocess_exec(sys.executable, "-c", AGENT, str(fake_anka.path), str(directory))
    await until(lambda: pid_file.exists() and pid_file.read_text())
    agent.kill()
    await agent.wait()
    child = int(pid_file.read_text())
    os.kill(child, 0)
    monkeypatch.setattr(leftovers, "GRACE_SECONDS", 5.0 if not more else 0.5)
    assert await Leftovers(directory).end() == 1
    await until(lambda: not runs(child))
    assert list(directory.iterdir()) == []
    assert await Leftovers(directory).end() == 0


def runs(pid: int) -> bool:
    """A zombie, which init has yet to reap, does not."""
    answer = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(answer.strip()) and not answer.strip().startswith("Z")


async def test_nothing_is_left_of_one_that_ended(fake_anka: FakeAnka, tmp_path: Path) -> None:
    anka = Anka(str(fake_anka.path), long=Leftovers(tmp_path / "commands"))
    await anka.call("registry", "pull", "t", seconds=30, exclusive=False)
    assert list((tmp_path / "commands").iterdir()) == []
    await anka.call("list", seconds=30)
    assert await Leftovers(tmp_path / "commands").end() == 0
    assert await Leftovers(tmp_path / "nothing").end() == 0


async def test_a_disk_that_refuses_does_not_stop_a_pull(fake_anka: FakeAnka, tmp_path: Path) -> None:
    (tmp_path / "commands").write_text("a file in the way")
    anka = Anka(str(fake_anka.path), long=Leftovers(tmp_path / "commands"))
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
