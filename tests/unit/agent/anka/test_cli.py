"""Which command line each operation becomes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from anka_agent.anka.cli import AnkaCli, Download, ListedUsbDevice, Tag, percent_of
from anka_agent.anka.command import Anka
from anka_agent.anka.errors import GarbageError, NotFoundError
from support.fake_anka import FakeAnka

VM = {"uuid": "u", "name": "n", "status": "stopped"}


@pytest.fixture
def anka(fake_anka: FakeAnka) -> AnkaCli:
    return AnkaCli(Anka(str(fake_anka.path)))


def ignore(percent: int) -> None:
    del percent


@pytest.mark.parametrize(
    ("call", "line", "body"),
    [
        (lambda anka: anka.vms(), "list", [VM]),
        (lambda anka: anka.show("u"), "show u", VM),
        (lambda anka: anka.clone("t", "n", None), "clone t n", {}),
        (lambda anka: anka.clone("t", "n", "v1"), "clone t n --tag v1", "uuid"),
        (lambda anka: anka.modify(["modify", "u", "cpu", "2"]), "modify u cpu 2", {}),
        (lambda anka: anka.start("u"), "start u", {}),
        (lambda anka: anka.start("u", usb_device="phone"), "start --usb phone u", {}),
        (lambda anka: anka.stop("u"), "stop --force u", {}),
        (lambda anka: anka.suspend("u"), "suspend u", {}),
        (lambda anka: anka.delete("u"), "delete --yes u", {}),
        (lambda anka: anka.registry_tags("t", remote="R"), "registry --remote R describe t", {"versions": []}),
        (lambda anka: anka.registry_names(remote=None), "registry list", []),
        (lambda anka: anka.revert("t", "v", remote="R"), "registry --remote R revert --tag v --yes t", {}),
        (lambda anka: anka.pull("t", "v", remote=None, on_percent=ignore), "registry pull --tag v t", {}),
        (lambda anka: anka.pull("t", None, remote="R", on_percent=ignore), "registry --remote R pull t", {}),
    ],
)  # fmt: skip
async def test_command_lines(
    anka: AnkaCli, fake_anka: FakeAnka, call: Callable[[AnkaCli], Awaitable[object]], line: str, body: Any
) -> None:
    fake_anka.answer(body)
    await call(anka)
    assert [" ".join(argv) for argv in fake_anka.calls] == [f"--machine-readable {line}"]


async def test_delete_of_what_is_gone_is_fine(anka: AnkaCli, fake_anka: FakeAnka) -> None:
    fake_anka.table({})
    await anka.delete("u")


async def test_tags_and_usb(anka: AnkaCli, fake_anka: FakeAnka) -> None:
    fake_anka.table(
        {
            "show t tag": [{"tag": "v1", "number": 0, "size": 5}, {"no": "tag"}],
            "usb list": [
                {"id": "1", "location": "0x1", "name": "phone"},
                {"id": "2", "vm": "x"},
                5,
                {"location": "3", "name": "iPhone (iphones)", "is_claimed": 1, "is_busy": 1},
                {"location": 4, "name": "iPhone", "claim_name": "iphones", "is_busy": 0},
                {"location": "5", "name": "Hub (USB 3) fast", "group": "hubs"},
            ],
        }
    )
    assert await anka.tags("t") == [Tag("v1", 0, 5)]
    assert await anka.usb() == [
        ListedUsbDevice("0x1", "phone", True),
        ListedUsbDevice("2", None, False),
        ListedUsbDevice("3", "iPhone", False, "iphones"),
        ListedUsbDevice("4", "iPhone", True, "iphones"),
        ListedUsbDevice("5", "Hub (USB 3) fast", True, "hubs"),
    ]
    fake_anka.answer("text")
    with pytest.raises(GarbageError):
        await anka.tags("t")


async def test_pull_tells_percent(anka: AnkaCli, fake_anka: FakeAnka) -> None:
    fake_anka.body("print('pulling t: 33.3% (1/3 bytes)'); print('no figure'); print('100.0%'); say({})")
    seen: list[int] = []
    await anka.pull("t", None, remote=None, on_percent=seen.append)
    assert seen == [33, 100]


@pytest.mark.parametrize(
    ("line", "percent"), [("12%", 12), ("a 5 % b 7.9%", 7), ("250%", 100), ("%", None), ("none", None)]
)
def test_percent_of(line: str, percent: int | None) -> None:
    assert percent_of(line) == percent


@pytest.mark.parametrize(
    ("body", "tags"),
    [
        ({"versions": [{"tag": "a"}, {"tag": "b", "number": 1}]}, ["a", "b"]),
        ({"versions": [{"number": 0}, "x", {"tag": None}]}, []),
        ({"versions": None}, []),
        ({}, []),
    ],
)
async def test_tags_in_the_registry(anka: AnkaCli, fake_anka: FakeAnka, body: Any, tags: list[str]) -> None:
    fake_anka.answer(body)
    assert await anka.registry_tags("t", remote=None) == tags


async def test_names_in_the_registry(anka: AnkaCli, fake_anka: FakeAnka) -> None:
    fake_anka.answer([{"uuid": "u", "name": "a"}, {"id": "v", "name": "b"}, 5])
    assert await anka.registry_names(remote=None) == {"a", "b"}
    fake_anka.answer({})
    assert await anka.registry_names(remote=None) == set()


async def test_what_the_registry_does_not_have(anka: AnkaCli, fake_anka: FakeAnka) -> None:
    fake_anka.table({})
    await anka.revert("t", "v", remote=None)
    with pytest.raises(NotFoundError):
        await anka.registry_tags("t", remote=None)


def test_a_push_is_a_command_line(anka: AnkaCli) -> None:
    def line(**more: Any) -> str:
        options = {"description": "", "target": None, "remote": None, **more}
        return " ".join(anka.push_command("u", "v", **options)[1:])

    assert line() == "--machine-readable registry push --tag v u"
    assert line(description="d", target="t", remote="R") == (
        "--machine-readable registry --remote R push --tag v --description d --remote-vm t u"
    )


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"size": 60, "cached": 5, "available": 100}, Download(60, 100)),
        ({"size": 0, "cached": 5, "available": 0}, Download(0, 0)),
        ({}, None),
    ],
)
async def test_size_of_a_download(anka: AnkaCli, fake_anka: FakeAnka, body: Any, found: Download | None) -> None:
    fake_anka.answer(body)
    assert await anka.download("t", "v1", remote="http://r") == found
    line = "registry --remote http://r pull --check-download-size --tag v1 t"
    assert fake_anka.calls[-1] == ["--machine-readable", *line.split()]


@pytest.mark.parametrize("body", [[1], {"size": 5}, {"size": "5", "available": 1}])
async def test_a_size_that_is_none(anka: AnkaCli, fake_anka: FakeAnka, body: Any) -> None:
    fake_anka.answer(body)
    with pytest.raises(GarbageError, match=r"^anka registry pull: "):
        await anka.download("t", None, remote=None)
