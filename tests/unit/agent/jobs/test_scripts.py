"""Scripts in flight, with real runner processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from anka_agent.jobs.journal import Journal
from anka_agent.jobs.scripts import ScriptJob
from anka_agent.plan.situation import JobState
from anka_crds.api.limits import OUTPUT_BYTES
from anka_crds.api.vm_info import ScriptResult
from support.processes import wait_for_end

SHELL = ["/bin/sh"]


async def until(true: Callable[[], object]) -> None:
    """For what other processes do: nobody tells us."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


async def run(job: ScriptJob, text: str, seconds: float = 60) -> ScriptResult:
    job.begin(SHELL, text.encode(), timeout=seconds)
    async with asyncio.timeout(60):
        await job.wait()
    result = job.result()
    assert result is not None
    return result


@pytest.fixture
def job(tmp_path: Path) -> ScriptJob:
    return ScriptJob(tmp_path / "uid" / "script")


@pytest.mark.parametrize(
    ("text", "state", "result"),
    [
        ("echo out; echo err >&2", JobState.SUCCEEDED, ScriptResult(return_code=0, stdout="out\n", stderr="err\n")),
        ("exit 3", JobState.FAILED, ScriptResult(return_code=3)),
        ("kill -9 $$", JobState.FAILED, ScriptResult(return_code=-9)),
        ("printf '\\377'", JobState.SUCCEEDED, ScriptResult(return_code=0, stdout="\ufffd")),
    ],
)
async def test_outcomes(job: ScriptJob, text: str, state: JobState, result: ScriptResult) -> None:
    assert job.state is JobState.NONE
    assert await run(job, text) == result
    assert job.state is state


async def test_only_the_end_of_long_output_is_kept(job: ScriptJob) -> None:
    result = await run(job, "i=0; while [ $i -lt 20000 ]; do echo line$i; i=$((i+1)); done")
    assert len(result.stdout) == OUTPUT_BYTES
    assert result.stdout.endswith("line19999\n")


async def test_timeout_ends_the_script_and_its_children(job: ScriptJob, tmp_path: Path) -> None:
    result = await run(job, f"echo begun; sleep 60 & echo $! > {tmp_path}/pid; wait", seconds=2)
    assert (result.return_code, result.did_timeout, result.stdout) == (-1, True, "begun\n")
    assert job.state is JobState.TIMED_OUT
    wait_for_end(int((tmp_path / "pid").read_text()))


async def test_begun_once(job: ScriptJob, tmp_path: Path) -> None:
    text = f"echo ran >> {tmp_path}/ran"
    await run(job, text)
    again = ScriptJob(job.directory)
    again.begin(SHELL, text.encode(), timeout=30)
    await again.wait()
    assert (tmp_path / "ran").read_text() == "ran\n"


async def test_found_again_by_a_new_agent(job: ScriptJob, tmp_path: Path) -> None:
    job.begin(SHELL, f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; echo done".encode(), timeout=30)
    other = ScriptJob(job.directory)
    assert other.state is JobState.RUNNING
    (tmp_path / "go").touch()
    await other.wait()
    assert other.result() == ScriptResult(return_code=0, stdout="done\n")


async def test_lost_when_its_runner_is_killed(job: ScriptJob) -> None:
    job.begin(SHELL, b"sleep 60", timeout=60)
    started = job.directory / "started.json"
    await until(started.exists)
    os.kill(json.loads(started.read_text())["pid"], signal.SIGKILL)
    await job.wait()
    assert job.state is JobState.LOST
    result = job.result()
    assert result is not None
    assert result.errors == ["cut off before its end"]


async def test_killed_before_the_runner_began_it_is_begun_again(job: ScriptJob) -> None:
    job.directory.mkdir(parents=True)
    (job.directory / "job.json").write_text("{}")
    assert job.state is JobState.NONE
    assert (await run(job, "echo now")).stdout == "now\n"


async def test_missing_command_is_a_result(job: ScriptJob) -> None:
    job.begin(["/no/such/command"], b"", timeout=5)
    await job.wait()
    result = job.result()
    assert result is not None
    assert result.return_code == 127
    assert result.errors == ["/no/such/command: No such file or directory"]


def test_the_script_is_nobody_elses(job: ScriptJob, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def note(*_: object, **__: object) -> None:
        seen.append((job.directory / "script").stat().st_mode & 0o077)
        raise OSError("seen")

    monkeypatch.setattr("anka_agent.jobs.scripts.subprocess.Popen", note)
    with pytest.raises(OSError, match="seen"):
        job.begin(SHELL, b"true", timeout=5)
    assert seen == [0]
    assert job.directory.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("command", [SHELL, ["/no/such/command"]])
async def test_nothing_of_it_stays_on_the_disk(job: ScriptJob, command: list[str]) -> None:
    """It may come from a Secret."""
    job.begin(command, b"true # sesame", timeout=5)
    await job.wait()
    assert job.result() is not None
    assert [file.name for file in job.directory.iterdir() if b"sesame" in file.read_bytes()] == []


async def test_forgetting_ends_what_runs(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    job = journal.script("uid")
    job.begin(SHELL, b"sleep 60", timeout=60)
    await until((job.directory / "started.json").exists)
    pid = json.loads((job.directory / "started.json").read_text())["pid"]
    journal.forget("uid")
    assert not (tmp_path / "uid").exists()
    wait_for_end(pid)
