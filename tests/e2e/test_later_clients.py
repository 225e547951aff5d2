"""Clients at what they do beyond starting and ending VMs: templates brought to Macs, packages, replicas."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from anka_dev.cloud import LocalCloud
from clients.bash import Bash
from clients.failing import Reported
from clients.jenkins import Jenkins, Label
from clients.lives import NODE
from clients.teamcity import TeamCity
from localkube.free_ports import free_port
from support.client_stage import Stage
from support.scripted_controller import Relay, listening

pytestmark = pytest.mark.e2e

PACKAGES = {"AnkaAgent.pkg": b"xar!intel", "AnkaAgentArm.pkg": b"xar!arm"}


@pytest.fixture(scope="module")
def replicas(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Two more shims that know each other, know a repeated start by its external id, and have packages."""
    packages: Path = tmp_path_factory.mktemp("pkg")
    for name, content in PACKAGES.items():
        (packages / name).write_bytes(content)
    cloud: LocalCloud = stage.cloud
    ports = [free_port(), free_port()]
    peers = ",".join(f"127.0.0.1:{port}" for port in ports)
    shims = [
        cloud.start_shim(
            f"--peers={peers}",
            "--peer-seconds=2",
            f"--pkg-dir={packages}",
            "--dedupe-external-id-seconds=60",
            "--terminated-seconds=3",
            port=port,
        )
        for port in ports
    ]
    for shim in shims:
        shim.wait_ready(60)
    return stage


@pytest.fixture
def urls(replicas: Stage) -> list[str]:
    return replicas.cloud.urls[1:3]


def test_a_mac_gets_its_templates_before_its_first_vm(clear: Stage) -> None:
    """The cloud provider's Macs: join draining, pull, take VMs."""
    name = f"aws-{uuid.uuid4().hex[:8]}"
    bash = Bash(clear.url, clear.pace, node_name=f"{name}.example")
    clear.mac(name)
    bash.await_node()
    bash.await_state("Drain Mode")
    bash.distribute(clear.template)

    def held() -> list[str]:
        node = clear.cloud.rest("GET", f"/api/v1/node?id={name}")["body"][0]
        return [template["uuid"] for template in node["templates"]]

    clear.until(lambda: held() == [clear.template])
    with pytest.raises(Reported):
        bash.distribute(str(uuid.uuid4()))
    agent = clear.cloud.macs[name].agent
    assert agent is not None
    agent.stop()
    bash.leave()
    del clear.cloud.macs[name]


def test_packages(replicas: Stage, urls: list[str], tmp_path: Path) -> None:
    bash = Bash(urls[0], replicas.pace)
    for name, content in PACKAGES.items():
        assert bash.package(name, tmp_path / name) == len(content)
        assert (tmp_path / name).read_bytes() == content
    with pytest.raises(Reported, match="404"):
        bash.package("other.pkg", tmp_path / "other.pkg")


@pytest.mark.parametrize("life", ["jenkins", "teamcity"])
def test_replicas_in_turn(replicas: Stage, clear: Stage, urls: list[str], life: str) -> None:
    """TeamCity looks at the list as soon as it has started one: the other replica must show it."""
    lives: dict[str, Callable[[], str]] = {
        "jenkins": lambda: Jenkins(urls, clear.pace).provision(Label(clear.template), NODE)[0],
        "teamcity": lambda: TeamCity(urls, clear.pace, str(uuid.uuid4())).provision(clear.template)[0],
    }
    ids = [lives[life]() for _ in range(3)]
    client = Jenkins(urls, clear.pace)
    for id_ in ids:
        client.terminate(id_)
        # The other replica shows so at once.
        assert next(found.state for found in client.instances() if found.id == id_) in ("Terminating", "Terminated")


def test_a_lost_answer_starts_nothing_twice(replicas: Stage, clear: Stage, urls: list[str]) -> None:
    node = f"{NODE}{uuid.uuid4()}"
    with listening(Relay(urls[0], lost=1)) as relay:
        # They take turns: the status from the one, the start to the other, and its repetition to the first again.
        client = Jenkins([urls[1], relay.url], clear.pace)
        id_, host, port = client.provision(Label(clear.template), node)
        clear.enter(host, port)
        assert relay.requests()[0] == "POST /api/v1/vm"
    assert [row["instance_id"] for row in clear.rows() if row["external_id"] == node] == [id_]
    Jenkins(urls, clear.pace).terminate(id_)
