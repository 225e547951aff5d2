"""The driver against real executables that misbehave in every way we know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from anka_agent.anka import errors
from anka_agent.anka.command import LINE_BYTES, Anka, command_name
from support.fake_anka import FakeAnka
from support.processes import wait_for_end

SOON = 60.0


async def until(true: Callable[[], object]) -> None:
    """For what other processes do: nobody tells us."""
    end = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


async def test_body_of_the_last_line(fake_anka: FakeAnka) -> None:
    fake_anka.body("print('pulling 10%')\nprint()\nsay({'a': 1})\nprint('\\n')")
    assert await Anka(str(fake_anka.path)).call("show", "x", seconds=SOON) == {"a": 1}
    assert fake_anka.calls == [["--machine-readable", "show", "x"]]


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("print('{\"status\":\"ERROR\",\"code\":3,\"message\":\"x: not found\"}'); sys.exit(3)",
         errors.NotFoundError, "anka show: x: not found"),
        ("print('{\"status\":\"ERROR\",\"code\":18,\"message\":\"exists\"}'); sys.exit(1)",
         errors.AlreadyExistsError, "exists"),
        ("print('{\"status\":\"ERROR\",\"message\":\"\"}'); sys.exit(7)", errors.AnkaError, "failed with code 7"),
        ("print('{\"status\":\"ERROR\",\"code\":0,\"message\":\"odd\"}')", errors.AnkaError, "odd"),
        ("say({}); sys.stdout.flush(); sys.exit(4)", errors.AnkaError, "ended with exit code 4"),
        ("pass", errors.GarbageError, "printed nothing and ended with exit code 0"),
        ("print('Segmentation fault'); sys.exit(139)", errors.GarbageError, "Segmentation fault"),
        ("print('{\"status\": \"OK\"'); sys.stderr.write('broken pipe')", errors.GarbageError, "broken pipe"),
        ("print('[1, 2]')", errors.GarbageError, "printed no JSON answer"),
        ("print('{\"body\": 1}')", errors.GarbageError, "printed no JSON answer"),
        ("os.write(1, bytes([255, 254, 0, 10]))", errors.GarbageError, "printed no JSON answer"),
        ("os.kill(os.getpid(), signal.SIGKILL)", errors.GarbageError, "was ended by signal 9"),
    ],
)  # fmt: skip
async def test_failures(fake_anka: FakeAnka, body: str, kind: type[errors.AnkaError], words: str) -> None:
    fake_anka.body(body)
    with pytest.raises(errors.AnkaError) as caught:
        await Anka(str(fake_anka.path)).call("show", "x", seconds=SOON)
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_hanging_command_is_killed_with_its_children(fake_anka: FakeAnka, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    fake_anka.body(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = os.fork()\n"
        f"with open({str(pids)!r}, 'a') as file: file.write(f'{{os.getpid()}}\\n')\n"
        "time.sleep(60)"
    )
    with pytest.raises(errors.CommandTimeout) as caught:
        await Anka(str(fake_anka.path)).call("start", "x", seconds=3)
    assert str(caught.value) == "anka start: did not end within 3 s"
    assert caught.value.transient
    both = [int(line) for line in pids.read_text().split()]
    assert len(both) == 2
    for pid in both:
        wait_for_end(pid)


async def test_cancelling_kills_it_too(fake_anka: FakeAnka, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    fake_anka.body(f"open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    task = asyncio.create_task(Anka(str(fake_anka.path)).call("clone", "a", "b", seconds=60))
    await until(lambda: pid.exists() and pid.read_text())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    wait_for_end(int(pid.read_text()))


async def test_lines_come_as_they_are_printed(fake_anka: FakeAnka, tmp_path: Path) -> None:
    proceed = tmp_path / "proceed"
    fake_anka.body(
        "sys.stdout.write('10%\\r20%\\r'); sys.stdout.flush()\n"
        f"while not os.path.exists({str(proceed)!r}): time.sleep(0.02)\n"
        "sys.stderr.write('99%\\n'); sys.stderr.flush(); say({})"
    )
    lines: list[str] = []

    def note(line: str) -> None:
        lines.append(line)
        if line == "20%":
            proceed.touch()

    await Anka(str(fake_anka.path)).call("registry", "pull", "t", seconds=SOON, on_line=note)
    assert lines[:3] == ["10%", "20%", "99%"]


async def test_a_flood_does_not_fill_the_memory(fake_anka: FakeAnka) -> None:
    fake_anka.body("sys.stdout.write('x' * (20 << 20) + '\\n'); say([1])")
    assert await Anka(str(fake_anka.path)).call("list", seconds=60) == [1]


async def test_a_line_without_end_is_remembered_up_to_a_limit(fake_anka: FakeAnka) -> None:
    fake_anka.body("sys.stdout.write('x' * (4 << 20) + '\\n'); say([1])")
    lines: list[str] = []
    assert await Anka(str(fake_anka.path)).call("registry", "pull", seconds=60, on_line=lines.append) == [1]
    assert 0 < len(lines[0]) <= LINE_BYTES + 65536


async def test_calls_at_a_time_are_bounded(fake_anka: FakeAnka) -> None:
    fake_anka.body("begun = time.time(); time.sleep(0.3); say([begun, time.time()])")
    anka = Anka(str(fake_anka.path), limit=2)
    spans = await asyncio.gather(*(anka.call("list", seconds=SOON) for _ in range(5)))
    for begun, _ in spans:
        assert sum(other <= begun < ended for other, ended in spans) <= 2


async def test_a_pull_does_not_hold_back_the_others(fake_anka: FakeAnka) -> None:
    fake_anka.body("time.sleep(600 if 'pull' in argv else 0); say([])")
    anka = Anka(str(fake_anka.path), limit=1)
    pull = asyncio.create_task(anka.call("registry", "pull", "t", seconds=600, exclusive=False))
    begun = time.monotonic()
    await anka.call("list", seconds=SOON)
    assert time.monotonic() - begun < SOON
    pull.cancel()
    await asyncio.gather(pull, return_exceptions=True)


async def test_missing_command(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingCommand, match="no such command"):
        await Anka(str(tmp_path / "nothing")).call("list", seconds=1)
    (tmp_path / "file").write_text("not executable")
    with pytest.raises(errors.MissingCommand, match="cannot be run: Permission denied"):
        await Anka(str(tmp_path / "file")).call("list", seconds=1)


async def test_environment_is_added_to(fake_anka: FakeAnka) -> None:
    fake_anka.body("say([os.environ.get('ANKA_VNC_PASSWORD'), 'PATH' in os.environ])")
    answer = await Anka(str(fake_anka.path)).call("start", seconds=SOON, env={"ANKA_VNC_PASSWORD": "x"})
    assert answer == ["x", True]


@pytest.mark.parametrize(
    ("args", "name"),
    [
        ((), ""),
        (("list",), "list"),
        (("start", "vm"), "start"),
        (("registry", "pull", "t"), "registry pull"),
        (("registry", "--remote", "http://r", "push", "t"), "registry push"),
        (("registry", "--remote", "http://r", "--api-key-id", "push", "--api-key", "/k", "list"), "registry list"),
        (("registry",), "registry"),
    ],
)
def test_what_a_command_is_called(args: tuple[str, ...], name: str) -> None:
    assert command_name(args) == name


async def test_run_has_no_json_answer(fake_anka: FakeAnka) -> None:
    fake_anka.body("print('Finished APFS operation')")
    await Anka(str(fake_anka.path)).run("vm", "sh", "-c", "true", seconds=SOON)
    assert fake_anka.calls == [["run", "vm", "sh", "-c", "true"]]


@pytest.mark.parametrize(
    ("body", "kind", "words", "transient"),
    [
        ("print('out'); print('No space left', file=sys.stderr); sys.exit(1)", errors.AnkaError,
         "anka run: No space left", False),
        ("print('only this'); sys.exit(3)", errors.AnkaError, "anka run: only this", False),
        ("sys.exit(18)", errors.AnkaError, "anka run: ended with exit code 18", False),
        ("sys.exit(125)", errors.ConnectionLost, "anka run: ended with exit code 125", True),
    ],
)  # fmt: skip
async def test_run_fails_with_what_the_command_said(
    fake_anka: FakeAnka, body: str, kind: type[errors.AnkaError], words: str, transient: bool
) -> None:
    fake_anka.body(body)
    with pytest.raises(errors.AnkaError) as caught:
        await Anka(str(fake_anka.path)).run("vm", "false", seconds=SOON)
    assert (type(caught.value), str(caught.value), caught.value.transient) == (kind, words, transient)
