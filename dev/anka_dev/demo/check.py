"""``make demo-check``: the printed commands, run as printed."""

from __future__ import annotations

import subprocess

from anka_dev.demo.steps import INSTANCE, Demo

_SECONDS = 60


def run(demo: Demo) -> int:
    """0 when every command did what it promises; 1 with a line that names the one that did not. Prints their output."""
    demo.print_commands()
    output = ""
    for command in demo.commands():
        demo.printer.plain(f"\n$ {command.line}")
        done = subprocess.run(
            ["bash", "-c", command.line], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        output = done.stdout
        demo.printer.plain(_shorten(output).rstrip())
        if done.returncode:
            return _fail(demo, command.title, f"exit code {done.returncode}: {done.stderr.strip()}")
        for wanted in command.wanted:
            if wanted not in output:
                return _fail(demo, command.title, f"{wanted!r} is not in its output")
    if problem := _delete(demo):
        return _fail(demo, "Deleting", problem)
    demo.printer.plain()
    demo.printer.plain(f"apply to Ready: {demo.apply_to_ready_seconds:.1f} s")
    demo.printer.plain(f"ssh said: {output.strip()}")
    return 0


def _delete(demo: Demo) -> str | None:
    """Check that `kubectl delete` returns once the VM is deleted from its Mac: what is wrong, or None."""
    # An instance that is saved is deleted after that: this must not happen between the two looks at the Macs.
    for name in demo.instances_to_save():
        demo.cloud.kubectl.run(
            "wait", "--for=delete", f"ankainstance/{name}", f"--timeout={_SECONDS}s", timeout=_SECONDS
        )
    before = demo.cloud.vm_names()
    demo.cloud.kubectl.run("delete", "ankainstance", INSTANCE, timeout=_SECONDS)
    after = demo.cloud.vm_names()
    demo.printer.plain(f"\n$ kubectl delete ankainstance {INSTANCE}: VMs on the Macs {len(before)} -> {len(after)}")
    return None if len(after) == len(before) - 1 else f"the Macs had {before} and have {after}"


def _fail(demo: Demo, title: str, why: str) -> int:
    demo.printer.plain(f"demo-check failed: {title.rstrip(':')}: {why}")
    return 1


def _shorten(text: str, lines: int = 40, width: int = 400) -> str:
    """At most ``lines`` lines of ``width`` letters; the files have the rest."""
    rows = [row if len(row) <= width else f"{row[:width]}…" for row in text.splitlines()]
    return "\n".join(rows if len(rows) <= lines else [*rows[:lines], f"… ({len(rows) - lines} more lines)"])
