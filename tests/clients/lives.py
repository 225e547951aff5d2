"""The whole life of each client, from its first look to SSH to the end. Each leaves nothing behind."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from clients.anka_mcp import POLL_SECONDS, AnkaMcp, Ready
from clients.bash import Bash
from clients.credential import with_login
from clients.exporter import Exporter
from clients.failing import Reported
from clients.github_actions import GithubActions
from clients.gitlab_executor import GitlabExecutor
from clients.gitlab_runner import GitlabRunner
from clients.jenkins import Jenkins, Label
from clients.mgmtcl import Mgmtcl
from clients.teamcity import TeamCity
from support.client_stage import Stage
from support.cloud import TAG, TEMPLATE

NODE = "https://jenkins.example/computer/é-1/"


def jenkins(stage: Stage) -> None:
    client = Jenkins([stage.url], stage.pace, stage.credential)
    assert client.is_online()
    assert client.templates()[stage.template] == TEMPLATE
    assert client.tags(stage.template)[-1] == TAG
    assert client.groups()["ci"] == stage.group
    assert client.capacity() >= 8
    label = Label(stage.template, TAG, stage.group, priority=10, vcpu=2, vram=2048, startup_script="touch ~/by-script")
    id_, host, port = client.provision(label, NODE)
    stage.enter(host, port)
    client.note_job(id_, "job-17")
    shown = stage.rest("GET", f"/api/v1/vm?id={id_}")
    # ISO-8859-1 has arrived as what it means.
    assert (shown["external_id"], shown["metadata"]) == (NODE, {"jenkins-job-id": "job-17"})
    client.save_is_supported()
    client.terminate(id_)
    # One that did not see the answer asks again.
    client.terminate(id_)
    seen = client.await_gone(id_)
    assert seen == ["Terminating", "Terminated"][-len(seen) :]
    assert shown["vminfo"]["name"] not in stage.cloud.vm_names()
    assert [wire.opened for wire in client.wires] == [1]


def teamcity(stage: Stage) -> None:
    client = TeamCity([stage.url], stage.pace, f"profile-{uuid.uuid4()}", stage.credential)
    assert client.is_online()
    assert client.is_enterprise()
    assert TEMPLATE in client.choices()
    assert client.groups()["ci"] == stage.group
    id_, host, port = client.provision(stage.template, TAG, group_id=stage.group)
    stage.enter(host, port)
    assert [found.id for found in client.mine()] == [id_]
    client.terminate(id_)
    assert {found.state for found in client.mine()} <= {"Terminating", "Terminated"}


def gitlab_executor(stage: Stage) -> None:
    job = f"https://gitlab.example/project/-/jobs/{uuid.uuid4()}"
    given = stage.credential
    # Where no login is needed, one counts for nothing.
    headers = {} if given.tls else {"Authorization": given.header or "Bearer administrators-own"}
    client = GitlabExecutor(stage.url, stage.pace, job, headers, given)
    id_, host, port = client.prepare(client.template_called(TEMPLATE), tag=TAG, group_id=stage.group, priority=5)
    stage.enter(host, port)
    # Each stage is a process of its own.
    assert GitlabExecutor(stage.url, stage.pace, job, headers, given).run() == (host, port)
    vm = stage.vm_of(id_)
    assert GitlabExecutor(stage.url, stage.pace, job, headers, given).cleanup() == id_
    with pytest.raises(Reported, match=r"external id .* not found"):
        client.cleanup()
    stage.until(lambda: vm not in stage.cloud.vm_names())


def gitlab_runner(stage: Stage) -> None:
    authorization = {"Authorization": stage.credential.header} if stage.credential.header else {}
    client = GitlabRunner(stage.url, stage.pace, {"Host": "controller.example", "X-Project": "p", **authorization})
    job = f"runner-{uuid.uuid4()}"
    id_, host, port = client.provision(stage.template, job, group="ci", tag=TAG, name_template=f"{job}-$ts", count=1)
    stage.enter(host, port)
    assert job in stage.vm_of(id_)
    client.terminate(id_)
    assert client.show(id_).instance_state in ("Terminating", "Terminated")


def github_actions(stage: Stage) -> None:
    given = stage.credential
    token = "" if given.tls else given.root_token or "0123456789"
    client = GithubActions(stage.url, stage.pace, token, given)
    external = str(uuid.uuid4())
    script = f"echo {external} > ~/runner-name"
    id_ = client.up(stage.template, script, external, tag=TAG, vcpu=2, vram=2048, group_id=stage.group)
    info = client.show(id_)["vminfo"]
    [port] = [rule["host_port"] for rule in info["port_forwarding"] if rule["guest_port"] == 22]
    # The runner has registered before the action said so.
    assert stage.enter(info["host_ip"], port, "cat ~/runner-name") == f"{external}\n"
    assert client.down(external) == id_


def exporter(stage: Stage) -> None:
    given = stage.credential
    password = "" if given.key or given.tls else given.root_token or "0123456789"
    client = Exporter(stage.url, stage.pace, "root", password, given)
    first, second = client.watch(2)
    for seen in (first, second):
        assert (seen.controller_running, seen.registry_running) == (True, True)
        assert {"mac-01", "mac-02"} <= {node.node_id for node in seen.nodes}
        assert set(seen.nodes_by_arch) == {"arm64"}
        assert seen.disk.total > seen.disk.free > 0
        assert seen.tags[stage.template].keys() == {TAG}
        assert seen.templates[stage.template] >= 50_000_000


def anka_mcp(stage: Stage) -> None:
    client = AnkaMcp(stage.url, stage.pace, stage.credential.header)
    assert client.list_templates()[TEMPLATE] == [TAG]
    id_ = client.start_vm(TEMPLATE, f"mcp-{uuid.uuid4()}", "touch ~/by-mcp", TAG)
    found = ready(client, id_)
    stage.enter(found.host, found.port)
    client.delete_vm(id_)


def mgmtcl(stage: Stage) -> None:
    client = Mgmtcl(with_login(stage.url, "root", stage.credential.root_token), stage.pace)
    assert stage.template in client.templates()
    assert "mac-01" in client.nodes()
    [id_] = client.start(stage.template)
    assert (id_, stage.template) in [row[:2] for row in client.rows()]
    vm = client.await_state(id_, "Started")
    [row] = [row for row in client.rows() if row[0] == id_]
    assert row[3].startswith("vnc://")
    assert client.node(vm["node_id"])[0]["node_name"] in ("mac-01", "mac-02")
    [port] = [rule["host_port"] for rule in vm["vminfo"]["port_forwarding"] if rule["guest_port"] == 22]
    stage.enter(vm["vminfo"]["host_ip"], port)
    assert client.delete(id_)
    while client.show(id_) is not None:
        client.pace.pause(1)
    assert client.delete(id_) is False


def bash(stage: Stage) -> None:
    name = f"aws-{uuid.uuid4().hex[:8]}"
    client = Bash(stage.url, stage.pace, node_name=f"{name}.example")
    assert client.needs_authentication() == (stage.credential.key is not None)
    if stage.credential.key is not None:
        client.log_in(stage.credential.key)
        assert not client.needs_authentication()
    assert client.version() > 1000
    assert client.registry_answers()
    client.log("joining")
    stage.mac(name)
    assert client.await_node() == name
    client.await_state("Drain Mode")
    client.drain(False)
    client.await_state("Active")
    id_ = client.start(vmid=stage.template, tag=TAG, node_id=name)
    host, port = client.await_started(id_)
    stage.enter(host, port)
    client.drain(True)
    client.await_state("Drain Mode")
    client.terminate(id_)
    agent = stage.cloud.macs[name].agent
    assert agent is not None
    while stage.cloud.macs[name].vm_names():
        client.pace.pause(1)
    agent.stop()
    client.leave()
    assert client.node_id() == ""
    del stage.cloud.macs[name]


LIVES: dict[str, Callable[[Stage], None]] = {
    life.__name__: life
    for life in (
        jenkins, teamcity, gitlab_executor, gitlab_runner, github_actions, exporter, anka_mcp, mgmtcl, bash
    )
}  # fmt: skip


def ready(client: AnkaMcp, id_: str) -> Ready:
    """Its caller must ask again while the template is pulled."""
    while not isinstance(found := client.wait_for(id_), Ready):
        client.pace.pause(POLL_SECONDS)
    return found
