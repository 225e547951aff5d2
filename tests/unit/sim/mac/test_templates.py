"""Templates over a real registry server: pull with progress, kill -9 half way, push, revert, local tags."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from anka_sim.mac.harness import Mac
from anka_sim.registry import seed
from anka_sim.registry.catalog import RegistryCatalog
from anka_sim.registry.server import serving_in_thread

UUID = "c0847bc9-5d2d-4dbc-ba6a-240f7ff08032"
GIB = 1 << 30


class World(NamedTuple):
    mac: Mac
    url: str
    catalog: RegistryCatalog


@pytest.fixture
def world(tmp_path: Path, make_mac: Callable[..., Mac]) -> Iterator[World]:
    """A registry with `ventura` v1 (15 GiB) and v2 (18 GiB), whose homes hold a file `tag`, and a Mac that uses it."""
    directory = tmp_path / "registry"
    for tag, size in (("v1", 15 * GIB), ("v2", 18 * GIB)):
        home = tmp_path / f"home-{tag}"
        home.mkdir()
        (home / "tag").write_text(tag)
        seed.template(directory, "ventura", tag=tag, uuid=UUID, size=size, home=home, cpu=6)
    with serving_in_thread(directory) as url:
        mac = make_mac(registries=[{"name": "main", "url": url, "default": True}])
        yield World(mac, url, RegistryCatalog(directory))


def _lines(output: bytes) -> tuple[list[str], dict[str, Any]]:
    *progress, last = output.decode().split("\n")
    return progress, json.loads(last)


@pytest.mark.parametrize(
    "line", ["registry pull ventura", f"pull {UUID}", "pull ventura main", "registry --remote main pull ventura"]
)
def test_pull_the_newest(world: World, line: str) -> None:
    answer = world.mac.anka("-j", *line.split())
    assert answer.code == 0
    progress, envelope = _lines(answer.stdout)
    assert envelope["status"] == "OK"
    assert progress[-1].endswith("(19327352832/19327352832 bytes)")
    shown = world.mac.anka("-j", "show", "ventura").body
    assert (shown["uuid"], shown["version"], shown["cpu_cores"], shown["image_size"]) == (UUID, "v2", 6, 18 * GIB)
    assert [tag["tag"] for tag in world.mac.anka("-j", "show", "ventura", "tag").body] == ["v2"]
    assert (world.mac.guest_home("ventura") / "tag").read_text() == "v2"
    assert world.catalog.version(UUID, "v2")["last_pull"] > 0
    assert world.catalog.version(UUID, "v1")["last_pull"] == 0


def test_people_see_progress_on_stderr(world: World) -> None:
    answer = world.mac.anka("pull", "ventura")
    assert answer.stdout == b""
    assert b"100.0%" in answer.stderr
    assert world.mac.anka("pull", "-q", "--tag", "v1", "ventura").stderr == b""


def test_pull_again_is_local(world: World) -> None:
    assert world.mac.anka("-j", "pull", "--tag", "v1", "ventura").code == 0
    again = world.mac.anka("-j", "pull", "--tag", "v1", "ventura")
    assert _lines(again.stdout) == (
        [],
        {"status": "OK", "code": 0, "body": {}, "message": "ventura: available locally"},
    )


def test_check_download_size(world: World) -> None:
    def check(tag: str) -> Any:
        return world.mac.anka("-j", "pull", "--check-download-size", "--tag", tag, "ventura").body

    assert check("v1") == {"size": 15 * GIB, "cached": 0, "available": 500 * GIB}
    world.mac.anka("pull", "--tag", "v1", "ventura")
    assert check("v1") == {}
    assert check("v2") == {"size": 3 * GIB, "cached": 15 * GIB, "available": 485 * GIB}
    assert world.mac.anka("-j", "registry", "check-download-size", "ventura").body["size"] == 3 * GIB


def test_tags_side_by_side(world: World) -> None:
    mac = world.mac
    mac.anka("pull", "--tag", "v1", "ventura")
    mac.anka("pull", "--fetch-only", "ventura")
    assert mac.anka("-j", "show", "ventura").body["version"] == "v1"
    assert [tag["tag"] for tag in mac.anka("-j", "show", "ventura", "tag").body] == ["v1", "v2"]
    mac.anka("clone", "ventura", "old")
    mac.anka("clone", "-t", "v2", "ventura", "new")
    assert mac.anka("run", "old", "cat", "tag").stdout == b"v1"
    assert mac.anka("run", "new", "cat", "tag").stdout == b"v2"
    assert mac.anka("-j", "show", "new").body["version"] == "v2"
    assert mac.anka("-j", "pull", "--local", "--tag", "v2", "ventura").code == 0
    assert mac.anka("-j", "show", "ventura", "--tag", "v1").body["version"] == "v1"
    assert (mac.guest_home("ventura") / "tag").read_text() == "v2"
    assert mac.anka("-j", "delete", "--yes", "--tag", "v1", "ventura").code == 0
    assert [tag["tag"] for tag in mac.anka("-j", "show", "ventura", "tag").body] == ["v2"]


def test_shrink_keeps_one_tag(world: World) -> None:
    world.mac.anka("pull", "--tag", "v1", "ventura")
    assert world.mac.anka("-j", "pull", "--shrink", "--tag", "v2", "ventura").code == 0
    assert [tag["tag"] for tag in world.mac.anka("-j", "show", "ventura", "tag").body] == ["v2"]


def test_deleting_a_template_frees_its_images(world: World) -> None:
    world.mac.anka("pull", "ventura")
    assert len(list((world.mac.directory / "images").iterdir())) == 2
    world.mac.anka("delete", "--yes", "ventura")
    assert list((world.mac.directory / "images").iterdir()) == []


ERRORS = [
    ("pull nope", 3, "nope: not found in the registry"),
    ("pull --tag nope ventura", 3, "No such tag nope"),
    ("registry show ventura --tag nope", 3, "No such tag nope"),
    ("registry show nope", 3, "nope: not found in the registry"),
    ("registry describe nope", 3, "nope: not found in the registry"),
    ("registry revert nope --yes", 3, "nope: not found in the registry"),
    ("pull --local nope", 3, "nope: not found"),
    ("registry --remote http://127.0.0.1:1 pull ventura", 40, "registry http://127.0.0.1:1 does not answer"),
]


@pytest.mark.parametrize(("line", "code", "message"), ERRORS, ids=[row[0] for row in ERRORS])
def test_errors(world: World, line: str, code: int, message: str) -> None:
    answer = world.mac.anka("-j", *line.split())
    assert answer.code == code
    assert answer.envelope["message"].startswith(message)


def test_a_full_disk(world: World) -> None:
    world.mac.configure(disk_bytes=10 * GIB)
    answer = world.mac.anka("-j", "pull", "ventura")
    assert answer.code == 28
    assert "not enough free disk space" in answer.envelope["message"]
    assert world.mac.anka("-j", "list").body == []


def test_a_vm_has_the_templates_name(world: World) -> None:
    world.mac.anka("create", "ventura")
    assert world.mac.anka("-j", "pull", "ventura").code == 18


def test_pull_killed_half_way_goes_on(world: World) -> None:
    mac = world.mac
    mac.configure(delays={"pull_bytes_per_second": 3 * GIB})
    pulling = mac.popen("-j", "pull", "ventura")
    assert pulling.stdout is not None
    assert pulling.stdout.readline().startswith(b"pulling ")
    pulling.kill()
    pulling.wait()
    assert mac.anka("-j", "list").body == []
    mac.configure(delays={"pull_bytes_per_second": 0})
    assert mac.anka("-j", "pull", "ventura").code == 0
    assert mac.anka("-j", "clone", "ventura", "vm").code == 0
    assert mac.anka("run", "vm", "cat", "tag").stdout == b"v2"
    mac.anka("-j", "delete", "--cache")
    assert [path.name for path in (mac.directory / "images").iterdir() if path.name.endswith(".part")] == []


def test_pulls_at_the_same_time(world: World) -> None:
    pulls = [world.mac.popen("-j", "pull", "ventura") for _ in range(6)]
    outputs = [pull.communicate(timeout=60)[0] for pull in pulls]
    assert [pull.returncode for pull in pulls] == [0] * 6, outputs
    assert len(world.mac.anka("-j", "list").body) == 1
    assert world.mac.anka("run", "ventura", "cat", "tag").stdout == b"v2"


def test_the_rate_sets_the_time(world: World) -> None:
    world.mac.configure(delays={"pull_bytes_per_second": 20 * GIB})
    world.mac.anka("pull", "ventura")
    assert 900 <= world.mac.commands()[-1]["ms"] < 10_000


def test_registry_views(world: World) -> None:
    mac = world.mac
    assert mac.anka("-j", "registry", "list").body == [{"uuid": UUID, "id": UUID, "name": "ventura", "latest": "v2"}]
    shown = mac.anka("-j", "registry", "show", "ventura", "--tag", "v1").body
    assert (shown["uuid"], shown["version"], shown["status"]) == (UUID, "v1", "stopped")
    assert [tag["tag"] for tag in mac.anka("-j", "registry", "show", UUID, "tag").body] == ["v1", "v2"]
    assert [version["tag"] for version in mac.anka("-j", "registry", "describe", UUID).body["versions"]] == ["v1", "v2"]


def test_registries_come_and_go(world: World) -> None:
    mac = world.mac
    mac.anka("registry", "add", "second", "http://127.0.0.1:1")
    assert mac.anka("-j", "registry", "list").code == 0
    mac.anka("registry", "set", "second")
    assert mac.anka("-j", "registry", "list").code == 40
    mac.anka("registry", "remove", "second")
    assert [repo["name"] for repo in mac.anka("-j", "registry", "list-repos").body] == ["main"]


def test_push_a_tag_onto_its_template(world: World) -> None:
    mac = world.mac
    mac.anka("pull", "ventura")
    mac.anka("clone", "ventura", "vm")
    mac.anka("run", "vm", "sh", "-c", "echo -n new > tag; chmod 755 tag")
    assert mac.anka("-j", "push", "--tag", "v3", "vm").code == 16
    mac.anka("stop", "vm")
    pushed = mac.anka("-j", "registry", "push", "--tag", "v3", "--description", "mine", "--remote-vm", "ventura", "vm")
    assert pushed.code == 0, pushed
    versions = world.catalog.get(UUID)["versions"]
    assert [(version["tag"], version["description"]) for version in versions] == [
        ("v1", ""),
        ("v2", ""),
        ("v3", "mine"),
    ]
    assert versions[2]["size"] > versions[1]["size"]
    assert mac.anka("-j", "pull", "--tag", "v3", "ventura").code == 0
    assert (mac.guest_home("ventura") / "tag").read_text() == "new"
    assert (mac.guest_home("ventura") / "tag").stat().st_mode & 0o777 == 0o755


def test_push_a_new_template(world: World, make_mac: Callable[..., Mac]) -> None:
    mac = world.mac
    mac.anka("pull", "ventura")
    mac.anka("clone", "ventura", "vm")
    assert mac.anka("-j", "push", "--tag", "first", "vm").code == 0
    other = make_mac("other", registries=[{"name": "main", "url": world.url, "default": True}])
    assert other.anka("-j", "pull", "vm").code == 0
    assert other.anka("run", "vm", "cat", "tag").stdout == b"v2"
    again = mac.anka("-j", "push", "--tag", "first", "vm")
    assert again.code == 18
    assert mac.anka("-j", "push", "--force", "--tag", "first", "vm").code == 0


def test_push_locally(world: World) -> None:
    mac = world.mac
    mac.anka("pull", "ventura")
    assert mac.anka("-j", "push", "--local", "--tag", "mine", "ventura").code == 0
    assert [tag["tag"] for tag in mac.anka("-j", "show", "ventura", "tag").body] == ["v2", "mine"]
    assert [version["tag"] for version in world.catalog.get(UUID)["versions"]] == ["v1", "v2"]
    assert mac.anka("-j", "clone", "-t", "mine", "ventura", "vm").code == 0


def test_revert(world: World) -> None:
    mac = world.mac
    assert mac.anka("-j", "registry", "revert", "ventura", "--tag", "v2", "--yes").code == 0
    assert [version["tag"] for version in world.catalog.get(UUID)["versions"]] == ["v1"]
    assert mac.anka("-j", "registry", "revert", "ventura", "-a", "--yes").code == 0
    assert world.catalog.all() == []


def test_a_damaged_download_is_not_kept(world: World) -> None:
    for path in (world.catalog.directory / UUID / "images").iterdir():
        path.write_bytes(b"short")
    answer = world.mac.anka("-j", "pull", "ventura")
    assert answer.code == 1
    assert "arrived damaged" in answer.envelope["message"]
    assert world.mac.anka("-j", "list").body == []


def test_a_machine_reader_sees_the_answer_last(world: World) -> None:
    done = subprocess.run([world.mac.executable, "-j", "pull", "ventura"], capture_output=True, check=True)
    assert not done.stdout.endswith(b"\n")
    assert done.stderr == b""


def test_a_tag_of_a_suspended_vm_is_resumed_by_its_first_start(world: World, make_mac: Callable[..., Mac]) -> None:
    mac = world.mac
    mac.anka("pull", "ventura")
    mac.anka("clone", "ventura", "vm")
    mac.anka("start", "vm")
    assert mac.anka("-j", "suspend", "vm").code == 0
    assert mac.anka("-j", "push", "--tag", "warm", "--remote-vm", "ventura", "vm").code == 0
    other = make_mac("other", registries=[{"name": "main", "url": world.url, "default": True}])
    version = other.anka("-j", "registry", "describe", "ventura").body["versions"][-1]
    assert version["state_file"]
    assert version["state_files"] == [version["state_file"]]
    assert other.anka("-j", "pull", "ventura").code == 0
    assert other.anka("-j", "show", "ventura").body["status"] == "suspended"
    other.anka("clone", "ventura", "warm")
    assert other.anka("-j", "show", "warm").body["status"] == "suspended"
    assert other.anka("-j", "modify", "warm", "cpu", "2").code == 16, "a suspended VM cannot be changed"
    assert other.anka("-j", "start", "warm").code == 0
    # The tags before it are as they were.
    assert other.anka("-j", "pull", "--tag", "v1", "ventura").code == 0
    assert other.anka("-j", "show", "ventura").body["status"] == "stopped"
    other.anka("clone", "--tag", "warm", "ventura", "again")
    assert other.anka("-j", "show", "again").body["status"] == "suspended"


def test_push_onto_a_template_that_has_the_tag(world: World) -> None:
    mac = world.mac
    mac.anka("pull", "ventura")
    mac.anka("clone", "ventura", "vm")
    refused = mac.anka("-j", "push", "--tag", "v1", "--remote-vm", "ventura", "vm")
    assert refused.code == 18
    assert "already exists" in refused.envelope["message"]


def test_push_a_renamed_vm(world: World) -> None:
    mac = world.mac
    mac.anka("pull", "ventura")
    mac.anka("clone", "ventura", "vm")
    uuid = mac.anka("-j", "show", "vm").body["uuid"]
    mac.anka("start", "vm")
    mac.anka("suspend", "vm")
    assert mac.anka("-j", "modify", uuid, "name", "xcode").code == 0
    assert mac.anka("-j", "modify", uuid, "name", "ventura").code == 18
    assert mac.anka("-j", "registry", "push", "--tag", "v1", uuid).code == 0
    assert {"uuid": uuid, "id": uuid, "name": "xcode", "latest": "v1"} in mac.anka("-j", "registry", "list").body


def test_faults_see_through_the_options_of_registry(world: World) -> None:
    mac = world.mac
    fault = {"command": "registry pull", "action": "fail", "when": "before", "code": 40, "message": "no", "times": 1}
    (mac.directory / "faults.json").write_text(json.dumps([fault]))
    assert mac.anka("-j", "registry", "--remote", world.url, "list").code == 0
    assert mac.anka("-j", "registry", "--remote", world.url, "--insecure", "pull", "ventura").code == 40
    assert mac.anka("-j", "registry", "--remote", world.url, "pull", "ventura").code == 0
