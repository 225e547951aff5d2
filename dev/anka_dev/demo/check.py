"""``make demo-check``: the printed commands, run as printed."""

from __future__ import annotations

import subprocess

from anka_dev.demo.story import INSTANCE, Story

_SECONDS = 60


def run(story: Story) -> int:
    """0 when every command did what it promises; 1 with a line saying which one did not. Each one's output is shown."""
    story.tell_how_to_reach_it()
    outputs = []
    for title, command in story.commands():
        story.teller.plain(f"\n$ {command}")
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=_SECONDS, check=False)
        story.teller.plain(_shortened(done.stdout).rstrip())
        if done.returncode:
            return _failed(story, title, f"exit code {done.returncode}: {done.stderr.strip()}")
        outputs.append(done.stdout)
    cloud, described, rest, ssh = outputs
    for title, text, wanted in (
        ("The whole cloud", cloud, f"ankainstance.anka.veertu.com/{INSTANCE}"),
        ("The whole cloud", cloud, "Started"),
        ("The whole cloud", cloud, "Active"),
        ("One instance", described, "Started"),
        ("The old REST API", rest, '"instance_state":"Started"'),
        ("Into the VM", ssh, "hello from anka on "),
    ):
        if wanted not in text:
            return _failed(story, title, f"{wanted!r} is not in its output")
    gone = _delete(story)
    if gone:
        return _failed(story, "Deleting", gone)
    story.teller.plain()
    story.teller.plain(f"apply to Ready: {story.apply_to_ready_seconds:.1f} s")
    story.teller.plain(f"ssh said: {ssh.strip()}")
    return 0


def _delete(story: Story) -> str | None:
    """`kubectl delete` returns once the VM is gone from its Mac: why not, or None."""
    # One that is saved goes by itself once that is done: not between the two looks at the Macs.
    for name in story.saved():
        story.cloud.kubectl.run(
            "wait", "--for=delete", f"ankainstance/{name}", f"--timeout={_SECONDS}s", timeout=_SECONDS
        )
    before = story.cloud.vm_names()
    story.cloud.kubectl.run("delete", "ankainstance", INSTANCE, timeout=_SECONDS)
    after = story.cloud.vm_names()
    story.teller.plain(f"\n$ kubectl delete ankainstance {INSTANCE}: VMs on the Macs {len(before)} -> {len(after)}")
    return None if len(after) == len(before) - 1 else f"the Macs had {before} and have {after}"


def _failed(story: Story, title: str, why: str) -> int:
    story.teller.plain(f"demo-check failed: {title.rstrip(':')}: {why}")
    return 1


def _shortened(text: str, lines: int = 40, width: int = 400) -> str:
    """At most so much of it; the rest is in the files."""
    rows = [row if len(row) <= width else f"{row[:width]}…" for row in text.splitlines()]
    return "\n".join(rows if len(rows) <= lines else [*rows[:lines], f"… ({len(rows) - lines} more lines)"])
