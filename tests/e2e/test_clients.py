"""Every client of the old controller lives its whole life here, alone and beside the others; and what each says when
it can't."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from clients.anka_mcp import AnkaMcp
from clients.bash import Bash
from clients.failing import Reported
from clients.github_actions import GithubActions
from clients.gitlab_executor import GitlabExecutor
from clients.gitlab_runner import GitlabRunner
from clients.jenkins import Jenkins, Label
from clients.lives import LIVES, NODE, ready
from clients.mgmtcl import Mgmtcl
from clients.teamcity import TeamCity
from support.client_stage import Stage
from support.scripted_controller import Relay, listening

pytestmark = pytest.mark.e2e


def at_once(calls: Mapping[str, Callable[[], str]]) -> dict[str, str]:
    """All of them in threads of their own; what each returns, by name."""
    with ThreadPoolExecutor(len(calls)) as together:
        running = {name: together.submit(call) for name, call in calls.items()}
        return {name: future.result() for name, future in running.items()}


def complaint(call: Callable[[], object]) -> str:
    """What the client's user reads when it gives up."""
    with pytest.raises(Reported) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("name", LIVES)
def test_a_whole_life(clear: Stage, name: str) -> None:
    LIVES[name](clear)


def test_all_of_them_at_once(clear: Stage) -> None:
    def live(name: str) -> str:
        LIVES[name](clear)
        return "lived"

    assert set(at_once({name: partial(live, name) for name in LIVES}).values()) == {"lived"}


def test_a_vm_that_ends_in_error(clear: Stage) -> None:
    """Each tells its user why, as far as it does at all; then it ends the VM, or somebody must."""
    stage, pace, job, template = clear, clear.pace, str(uuid.uuid4()), clear.broken
    gitlab, actions, action = GitlabExecutor(stage.url, pace, job), GithubActions(stage.url, pace), str(uuid.uuid4())
    mcp, python, shell = AnkaMcp(stage.url, pace), Mgmtcl(stage.url, pace), Bash(stage.url, pace)
    lives: dict[str, Callable[[], object]] = {
        "jenkins": lambda: Jenkins([stage.url], pace).provision(Label(template), NODE),
        "teamcity": lambda: TeamCity([stage.url], pace, "p").provision(template),
        "gitlab_executor": lambda: gitlab.prepare(template),
        "gitlab_runner": lambda: GitlabRunner(stage.url, pace).provision(template, job),
        "github_actions": lambda: actions.up(template, "true", action),
        "anka_mcp": lambda: ready(mcp, mcp.start_vm(template, job, "true")),
        "mgmtcl": lambda: python.await_state(python.start(template)[0], "Started"),
        "bash": lambda: shell.await_started(shell.start(vmid=template)),
    }
    said = at_once({name: partial(complaint, life) for name, life in lives.items()})
    pulled = r": the template cannot be pulled: .*: HTTP 404$"
    expected = {
        "jenkins": "is Error" + pulled,
        "teamcity": "is Error" + pulled,
        # Two of them read no message.
        "gitlab_executor": "is in an unexpected state: Error$",
        "gitlab_runner": "is Error" + pulled,
        "github_actions": "failed" + pulled,
        "anka_mcp": "is Error" + pulled,
        "mgmtcl": pulled,
        "bash": ": Error$",
    }
    assert [name for name in lives if not re.search(expected[name], said[name])] == [], said
    assert actions.down(action)
    # Jenkins, TeamCity and the old runner have ended theirs; the GitLab executor does not even find its own again.
    assert "not found" in complaint(gitlab.cleanup)
    left = [row["instance_id"] for row in stage.rows() if row["vm"]["instance_state"] == "Error"]
    assert len(left) == 4
    assert all(python.delete(id_) for id_ in left)


def test_a_startup_script_that_fails(clear: Stage) -> None:
    """The workflow's log shows what the script wrote; the VM is kept until the other action ends it."""
    client, job = GithubActions(clear.url, clear.pace), str(uuid.uuid4())
    said = complaint(lambda: client.up(clear.template, "echo no token >&2; exit 3", job))
    assert re.search(r"failed: the startup script ended with exit code 3\nno token\n$", said)
    [row] = [row for row in clear.rows() if row["external_id"] == job]
    script = row["vm"]["startup_script"]
    assert (script["return_code"], script["did_timeout"], script["stderr"]) == (3, False, "no token\n")
    [vm] = clear.cloud.vm_names()
    assert vm == row["vm"]["vminfo"]["name"]
    assert client.down(job) == row["instance_id"]


UNKNOWN = "11111111-2222-3333-4444-555555555555"


def test_what_there_is_not(clear: Stage) -> None:
    """Template, tag and instance: what each client makes of the messages that it knows, and of others."""
    url, pace, job = clear.url, clear.pace, str(uuid.uuid4())
    jenkins, teamcity = Jenkins([url], pace), TeamCity([url], pace, job)
    gitlab, runner = GitlabExecutor(url, pace, job), GitlabRunner(url, pace)
    actions, mcp, python, shell = GithubActions(url, pace), AnkaMcp(url, pace), Mgmtcl(url, pace), Bash(url, pace, "x")
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: jenkins.provision(Label(UNKNOWN), NODE), "VM not in the registry"),
        (lambda: teamcity.provision(UNKNOWN), "VM not in the registry"),
        (lambda: gitlab.prepare(UNKNOWN), "status code: 200, error: VM not in the registry"),
        (lambda: gitlab.template_called("nope"), "template nope not found"),
        (lambda: runner.provision(UNKNOWN, job), "VM not in the registry"),
        (lambda: actions.up(UNKNOWN, "true", job), "VM not in the registry"),
        (lambda: mcp.start_vm(UNKNOWN, job, "true"), "VM not in the registry"),
        (lambda: python.start(UNKNOWN), f"There is no template {UNKNOWN}"),
        (lambda: shell.start(vmid=UNKNOWN), "VM not in the registry"),
        (lambda: gitlab.prepare(clear.template, tag="nope"), "status code: 200, error: No such tag nope"),
        (lambda: runner.provision(clear.template, job, tag="nope"), "No such tag nope"),
        (lambda: actions.up(clear.template, "true", job, tag="nope"), "No such tag nope"),
        (lambda: mcp.start_vm(clear.template, job, "true", tag="nope"), "No such tag nope"),
        (lambda: python.start(clear.template, tag="nope"), "No such tag nope"),
        (lambda: runner.provision(clear.template, job, group="nope"), "no such group: nope"),
        (lambda: jenkins.show(UNKNOWN), "Not found"),
        (lambda: jenkins.terminate(UNKNOWN), "Failed to terminate"),
        (lambda: teamcity.terminate(UNKNOWN), "Failed to terminate"),
        (lambda: jenkins.tags(UNKNOWN), "Not found"),
        (lambda: gitlab.show(UNKNOWN), "status code: 200, error: Not found"),
        (lambda: gitlab.node(UNKNOWN), "status code: 200, error: Not found"),
        (gitlab.run, f"instance with external id {job} not found"),
        (lambda: runner.show(UNKNOWN), "Not found"),
        (lambda: actions.show(UNKNOWN), "Not found"),
        (lambda: actions.down(job), f"VM with external id {job} not found"),
        (lambda: mcp.wait_for(UNKNOWN), "Not found"),
        (lambda: shell.terminate(UNKNOWN), "Not found"),
        (shell.leave, "node_id: is required, the id of a node"),
    ]
    assert [(complaint(call), expected) for call, expected in cases if complaint(call) != expected] == []
    # The oldest client has branches for it, which it reaches only if the HTTP code is 200.
    assert (python.show(UNKNOWN), python.node(UNKNOWN), python.template(UNKNOWN)) == (None, None, None)
    assert python.delete(UNKNOWN) is False


def test_without_the_tag_if_there_is_no_such_tag(clear: Stage) -> None:
    """The plugins' fallback to the latest: it hangs on the exact words of the message."""
    with listening(Relay(clear.url)) as relay:
        client = Jenkins([relay.url], clear.pace)
        id_, host, port = client.provision(Label(clear.template, "nope"), NODE)
        clear.enter(host, port)
        posted = [sent.json for sent in relay.sent if sent.method == "POST"]
        assert [body.get("tag") for body in posted] == ["nope", None]
        client.terminate(id_)
    teamcity = TeamCity([clear.url], clear.pace, str(uuid.uuid4()))
    id_, _, _ = teamcity.provision(clear.template, "nope")
    teamcity.terminate(id_)


def test_an_answer_that_is_lost(clear: Stage) -> None:
    """Jenkins asks again, and works with what it then gets; the first VM has the same external id."""
    with listening(Relay(clear.url, lost=1)) as relay:
        client = Jenkins([relay.url], clear.pace)
        node = f"{NODE}{uuid.uuid4()}"
        id_, host, port = client.provision(Label(clear.template), node)
        clear.enter(host, port)
        assert relay.requests().count("POST /api/v1/vm") == 2
    ids = {row["instance_id"] for row in clear.rows() if row["external_id"] == node}
    assert len(ids) == 2
    assert id_ in ids
    for each in ids:
        client = Jenkins([clear.url], clear.pace)
        client.terminate(each)


def test_jenkins_saves_what_its_job_made(clear: Stage) -> None:
    client = Jenkins([clear.url], clear.pace)
    assert client.save_is_supported()
    id_, host, port = client.provision(Label(clear.template), NODE)
    clear.enter(host, port, "echo made > ~/by-job")
    tag = f"saved-{uuid.uuid4().hex[:8]}"
    client.await_saved(client.save(id_, clear.template, tag, script="touch ~/by-script"))
    # The operator mirrors the registry every second.
    clear.until(lambda: client.tags(clear.template)[-1] == tag)
    client.await_gone(id_)
    try:
        id_, host, port = client.provision(Label(clear.template, tag), NODE)
        assert clear.said(host, port, "cat ~/by-job; ls ~/by-script | wc -l").split() == ["made", "1"]
        client.terminate(id_)
    finally:
        client.revert(clear.template)
    assert tag not in client.tags(clear.template)
