"""The old controller's clients at a closed shim: each lives its whole life with each credential that it knows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from clients.anka_mcp import AnkaMcp
from clients.credential import Credential, OidcClient, UserKey
from clients.exporter import Exporter
from clients.failing import Reported
from clients.github_actions import GithubActions
from clients.gitlab_executor import GitlabExecutor
from clients.go_session import REQUIRED
from clients.golang import Base
from clients.java_login import KeyLogin, OidcLogin
from clients.java_sdk import ClientException
from clients.jenkins import Jenkins
from clients.lives import LIVES
from clients.teamcity import TeamCity
from support.client_stage import Stage
from support.closed_stage import ClosedStage
from support.rsa_keys import PUBLIC
from support.scripted_controller import Relay, listening
from support.shim_process import PATIENCE_SECONDS

pytestmark = pytest.mark.e2e

LOGINS = {
    "jenkins": ("key", "certificate", "oidc"),
    "teamcity": ("certificate", "oidc"),
    "gitlab_executor": ("token", "root", "certificate"),
    "github_actions": ("root", "certificate"),
    "exporter": ("key", "root", "certificate"),
    "anka_mcp": ("token", "root"),
    "bash": ("mac key",),
}
"""access.md of the project, 1.9: which client knows what. The last two of the nine know nothing."""


@pytest.fixture
def clear(closed: ClosedStage) -> Iterator[ClosedStage]:
    yield closed
    stage = closed.doors["root"]
    stage.until(stage.cleared)


@pytest.mark.parametrize(
    ("client", "login"), [(client, login) for client, logins in LOGINS.items() for login in logins]
)
def test_a_whole_life(clear: ClosedStage, client: str, login: str) -> None:
    LIVES[client](clear.doors[login])


def refused(stage: Stage, credential: Credential) -> dict[str, str]:
    """What each client's user reads."""
    url, pace, header = stage.url, stage.pace, credential.header
    calls = {
        "jenkins": Jenkins([url], pace, credential).is_online,
        "teamcity": TeamCity([url], pace, "p", credential).instances,
        "gitlab_executor": GitlabExecutor(url, pace, "j", {"Authorization": header}, credential).instances,
        "github_actions": lambda: GithubActions(url, pace, "wrong token").down("x"),
        "exporter": Exporter(url, pace, "root", "wrong token").collect,
        "anka_mcp": AnkaMcp(url, pace, header).list_templates,
    }
    said = {}
    for name, call in calls.items():
        with pytest.raises(Reported) as caught:
            call()
        said[name] = str(caught.value)
    return said


def test_a_wrong_credential_is_told_to_each_clients_user(closed: ClosedStage) -> None:
    said = refused(closed.doors["root"], Credential(header="Bearer null"))
    assert said == {
        "jenkins": "HTTP 401 for GET /api/v1/status",
        "teamcity": "HTTP 401 for GET /api/v1/vm",
        "gitlab_executor": f"status code: 401, error: {REQUIRED}",
        "github_actions": "Request failed with status code 401",
        "exporter": REQUIRED,
        "anka_mcp": REQUIRED,
    }


def test_jenkins_shakes_hands_before_each_request(closed: ClosedStage) -> None:
    stage = closed.doors["key"]
    with listening(Relay(stage.url)) as relay:
        client = Jenkins([relay.url], stage.pace, stage.credential)
        calls = (client.is_online, client.templates, client.instances, client.groups, client.capacity)
        for call in (*calls, *calls, *calls, client.is_online):
            call()
        asked = relay.requests()
    assert isinstance(client.login, KeyLogin)
    assert client.login.handshakes == 16
    assert [asked[place : place + 2] for place in range(0, len(asked), 3)] == [
        ["POST /tap/v1/hand", "POST /tap/v1/shake"]
    ] * 16
    assert {line.split(" ")[0] for line in asked[2::3]} == {"GET"}


def test_a_key_of_another_is_told_before_any_request(closed: ClosedStage) -> None:
    stage = closed.doors["key"]
    assert stage.credential.key is not None
    with pytest.raises(Reported, match="HTTP 401 for POST /tap/v1/hand"):
        Jenkins([stage.url], stage.pace, Credential(key=UserKey("nobody", stage.credential.key.file))).is_online()
    with pytest.raises(Reported, match="the provider answers HTTP 401"):
        Jenkins([stage.url], stage.pace, Credential(oidc=OidcClient("jenkins", "wrong"))).is_online()


def test_a_machine_asks_the_provider_once(closed: ClosedStage) -> None:
    stage = closed.doors["oidc"]
    client = Jenkins([stage.url], stage.pace, stage.credential)
    for _ in range(5):
        assert client.templates()
    assert isinstance(client.login, OidcLogin)
    assert client.login.tokens == 1


def test_the_exporter_goes_on_when_its_session_ends(closed: ClosedStage) -> None:
    stage = closed.short
    exporter = Exporter(stage.url, stage.pace, credential=stage.credential)
    assert exporter.collect().controller_running
    session = exporter.session
    assert session is not None
    ended = {"Authorization": session.header}

    def is_over() -> bool:
        answer = httpx.get(f"{stage.url}/api/v1/status", headers=ended, timeout=PATIENCE_SECONDS)
        return answer.status_code == 401 and answer.json()["message"] == REQUIRED

    stage.until(is_over)
    seen = exporter.collect()
    assert {"mac-01", "mac-02"} <= {node.node_id for node in seen.nodes}
    assert session.handshakes == 2


def test_what_a_group_does_not_permit_is_told_too(closed: ClosedStage) -> None:
    """Jenkins' own group may start and end; nodes are for others."""
    stage = closed.doors["oidc"]
    client = Jenkins([stage.url], stage.pace, stage.credential)
    with pytest.raises(ClientException, match="HTTP 403 for DELETE /api/v1/node"):
        client.call("DELETE", "/api/v1/node", {"node_id": "mac-01"})
    job = str(uuid.uuid4())
    token = closed.doors["token"]
    executor = GitlabExecutor(token.url, token.pace, job, {"Authorization": token.credential.header})
    with pytest.raises(Reported, match="status code: 403, error: Not authorized to perform this request"):
        executor._call(Base, "DELETE", "/api/v1/group", {"id": "any"})


def test_a_key_that_ends_while_its_client_works(closed: ClosedStage) -> None:
    root = closed.doors["root"]
    assert root.credential.header
    stage = closed.doors["key"]
    assert stage.credential.key is not None
    root.rest("POST", "/api/v1/apikey", {"id": "leaver", "ttl": 600, "groups": ["ci"], "publicKey": PUBLIC})
    leaver = replace(stage, credential=Credential(key=UserKey("leaver", stage.credential.key.file)))
    client = Jenkins([leaver.url], leaver.pace, leaver.credential)
    exporter = Exporter(leaver.url, leaver.pace, credential=leaver.credential)
    assert client.is_online()
    assert exporter.collect().controller_running
    root.rest("DELETE", "/api/v1/apikey", {"id": "leaver"})
    with pytest.raises(Reported, match="HTTP 401 for POST /tap/v1/hand"):
        client.is_online()
    with pytest.raises(Reported, match="check your id and key path"):
        exporter.collect()
