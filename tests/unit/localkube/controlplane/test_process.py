import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from localkube.controlplane import process
from localkube.controlplane.process import Component, last_line
from localkube.errors import DevError

SLEEP = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal\nsignal.signal(signal.SIGTERM, lambda *_: None)\n"
    "print('up', flush=True)\nwhile True: signal.pause()",
]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def wait_for_text(log: Path) -> None:
    """Returns when the component has written something; the test's own timeout is the bound."""
    with subprocess.Popen(["tail", "-n", "+1", "-f", str(log)], stdout=subprocess.PIPE) as tail:
        assert tail.stdout is not None
        tail.stdout.readline()
        tail.kill()


def start(tmp_path: Path, argv: list[str]) -> Component:
    return Component("thing", argv, tmp_path / "thing.log", tmp_path)


def test_stop_sends_sigterm_and_may_be_called_twice(tmp_path: Path) -> None:
    component = start(tmp_path, SLEEP)
    wait_for_text(component.log)
    assert component.running
    component.stop()
    component.stop()
    assert (component.running, component.exit_code) == (False, 128 + signal.SIGTERM)
    assert gone(component.pid)


def test_one_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.2)
    component = start(tmp_path, STUBBORN)
    wait_for_text(component.log)
    component.stop()
    assert component.exit_code == 128 + signal.SIGKILL
    assert gone(component.pid)


def test_a_stuck_supervisor_does_not_save_the_component(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", -4.8)  # the wait for the supervisor is 5 s longer than the grace
    component = start(tmp_path, SLEEP)
    os.kill(component._supervisor.pid, signal.SIGSTOP)
    component.stop()
    assert not component.running


def test_kill_is_a_crash(tmp_path: Path) -> None:
    component = start(tmp_path, SLEEP)
    component.kill()
    assert component.exit_code == 128 + signal.SIGKILL
    component.kill()


def test_an_exit_of_its_own_is_seen_with_its_code_and_log(tmp_path: Path) -> None:
    component = start(tmp_path, ["sh", "-c", "echo on stdout; echo no luck >&2; exit 7"])
    component._supervisor.wait()
    assert (component.running, component.exit_code, last_line(component.log)) == (False, 7, "no luck")


def test_a_missing_binary_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DevError, match=r"^thing did not start: No such file or directory: /no/such$"):
        start(tmp_path, ["/no/such"])


@pytest.mark.parametrize("last_words", ["os.kill(os.getpid(), 9)", "os._exit(0)", "raise SystemExit(1)"])
def test_it_ends_with_whoever_started_it(tmp_path: Path, last_words: str) -> None:
    # The supervisor inherits the write end: end of file is when it is gone.
    read, write = os.pipe()
    program = textwrap.dedent(f"""
        import os, pathlib
        from localkube.controlplane.process import Component
        here = pathlib.Path({str(tmp_path)!r})
        component = Component("thing", {SLEEP!r}, here / "thing.log", here, keep_open=({write},))
        print(component.pid, flush=True)
        {last_words}
    """)
    try:
        child = subprocess.Popen(
            [sys.executable, "-c", program],
            pass_fds=(write,),
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        os.close(write)
        out, _ = child.communicate(timeout=30)
        assert os.read(read, 1) == b""
    finally:
        os.close(read)
    assert gone(int(out))


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"", ""), (b"a\nb\n\n  \n", "b"), (b"x" * 40_000 + b"\nlast", "last"), (b"\xff\xfe\n", "\ufffd\ufffd")],
)
def test_last_line(tmp_path: Path, content: bytes, line: str) -> None:
    (tmp_path / "log").write_bytes(content)
    assert last_line(tmp_path / "log") == line


def test_no_log_has_no_last_line(tmp_path: Path) -> None:
    assert last_line(tmp_path / "none") == ""
