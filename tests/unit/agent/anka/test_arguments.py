"""Texts from outside in every command line: through a real process, as they are, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from anka_agent.anka.arguments import Argument, check_words
from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.command import Anka
from anka_agent.anka.errors import UnusableArgument
from anka_agent.plan.options import modify_commands, rename_command
from anka_crds.api import AnkaInstance
from support.fake_anka import FakeAnka

LETTERS = "a-\x00\x01\n\r\t\x7f\x85\u2028\ud800\udfffé日\U0001f34f '\"\\$`="
TEXTS = st.text(LETTERS, min_size=1, max_size=8) | st.sampled_from(["--all", "--force", "-t", "--help", "-", "--"])
PORT = {"guestPort": 22, "protocol": "tcp"}

Call = Callable[[AnkaCli, str], Awaitable[object]]


def ignore(percent: int) -> None:
    del percent


def push(anka: AnkaCli, text: str, **more: str | None) -> list[str]:
    given = {"tag": "v", "description": "d", "target": "t", "remote": None, **more}
    return anka.push_command(
        text if "vm" in more else "u",
        str(given["tag"]),
        description=str(given["description"]),
        target=given["target"],
        remote=given["remote"],
    )


CALLS: dict[str, Call] = {
    "show": lambda anka, text: anka.show(text),
    "tags": lambda anka, text: anka.tags(text),
    "clone: template": lambda anka, text: anka.clone(text, "n", None),
    "clone: name": lambda anka, text: anka.clone("t", text, None),
    "clone: tag": lambda anka, text: anka.clone("t", "n", text),
    "rename": lambda anka, text: anka.modify(rename_command(text, "u")),
    "start": lambda anka, text: anka.start(text),
    "start: usb": lambda anka, text: anka.start("u", usb_device=text),
    "stop": lambda anka, text: anka.stop(text),
    "suspend": lambda anka, text: anka.suspend(text),
    "delete": lambda anka, text: anka.delete(text),
    "delete: tag": lambda anka, text: anka.delete("u", text),
    "pull": lambda anka, text: anka.pull(text, None, remote=None, on_percent=ignore),
    "pull: tag": lambda anka, text: anka.pull("t", text, remote=None, on_percent=ignore),
    "pull: remote": lambda anka, text: anka.pull("t", None, remote=text, on_percent=ignore),
    "download": lambda anka, text: anka.download(text, None, remote=None),
    "registry tags": lambda anka, text: anka.registry_tags(text, remote=None),
    "registry names": lambda anka, text: anka.registry_names(remote=text),
    "revert": lambda anka, text: anka.revert(text, "v", remote=None),
    "revert: tag": lambda anka, text: anka.revert("t", text, remote=None),
    "script": lambda anka, text: anka.run_script(text, "true"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(text="-t")
@example(text="a\0b")
@example(text="\ud800")
@example(text="a\nb")
@given(text=TEXTS)
def test_a_text_arrives_as_it_is_or_not_at_all(tmp_path: Path, call: Call, text: str) -> None:
    fake = FakeAnka(tmp_path)
    fake.body(
        "say([] if 'tag' in argv[2:] or 'list' in argv else {} if '--check-download-size' in argv"
        " else {'uuid': 'u', 'name': 'n', 'status': 'x'})"
    )
    fake.calls_file.unlink(missing_ok=True)
    unusable = text.startswith("-") or "\0" in text or "\ud800" in text or "\udfff" in text
    anka = AnkaCli(Anka(str(fake.path)))
    if unusable:
        with pytest.raises(UnusableArgument) as caught:
            asyncio.run(_run(call, anka, text))
        assert "\n" not in str(caught.value)
        assert fake.calls == []
    else:
        asyncio.run(_run(call, anka, text))
        assert text in fake.calls[-1]


async def _run(call: Call, anka: AnkaCli, text: str) -> None:
    await call(anka, text)


@pytest.mark.parametrize("text", ["--all", "-x", "a\0"])
@pytest.mark.parametrize("field", ["tag", "description", "target", "remote", "vm"])
def test_a_push_does_not_begin_with_such_a_text(tmp_path: Path, field: str, text: str) -> None:
    anka = AnkaCli(Anka("anka"))
    with pytest.raises(UnusableArgument):
        push(anka, text, **{field: text})


@pytest.mark.parametrize("text", ["--all", "-x", "a\0"])
@pytest.mark.parametrize(
    "spec",
    [
        lambda text: {"portForwarding": [{"name": text, "guestPort": 22}]},
        lambda text: {"portForwarding": [{"name": "ssh", "guestPort": 22, "hostIp": text}]},
        lambda text: {"hardware": {"serial": text}},
        lambda text: {"hardware": {"uuid": text}},
        lambda text: {"network": {"vlan": text}},
        lambda text: {"network": {"macAddress": text}},
        lambda text: {"disk": {"size": text}},
    ],
)
def test_options_of_an_instance(spec: Callable[[str], dict[str, object]], text: str) -> None:
    made = AnkaInstance.from_api({"metadata": {"name": "one"}, "spec": {"template": "t", **spec(text)}})
    words = [word for command in modify_commands(made.spec, "u") for word in command]
    with pytest.raises(UnusableArgument):
        check_words(words, "modify")


def test_our_own_options_pass() -> None:
    check_words(["--tag", Argument("v-1"), "-c"], "clone")


async def test_a_password_that_no_environment_takes_is_not_quoted(fake_anka: FakeAnka) -> None:
    with pytest.raises(UnusableArgument, match="NUL") as caught:
        await AnkaCli(Anka(str(fake_anka.path))).start("u", vnc_password="se\0cret")
    assert "cret" not in str(caught.value)
    assert fake_anka.calls == []


async def test_a_command_line_that_is_too_long(fake_anka: FakeAnka) -> None:
    with pytest.raises(UnusableArgument, match="too long"):
        await AnkaCli(Anka(str(fake_anka.path))).show("x" * 3_000_000)
