"""The chart by helm: installed, used, upgraded, uninstalled. Its pods have their own ServiceAccounts, and run from the
built image where there can be one.

One cluster lives through all of it: a scenario, in the order of this file. What each right is for can only be told at
its end, from all that was asked before."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import ssl
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from anka_crds.resources import DISTRIBUTIONS, GROUPS, INSTANCES, NODES, SAVES, TEMPLATES
from anka_dev.cloud import install
from anka_dev.repository import BASE, CHART, ROOT
from anka_kube.resource import Resource
from clients.credential import NOTHING, Credential, UserKey, basic
from clients.lives import LIVES
from localkube.errors import DevError
from localkube.pods.addresses import AddressPool
from support.api_keys import OAEP
from support.chart import LICENSE, NAMESPACE, PACKAGE, SERVICE_PORT, ChartInstallation
from support.chart_actions import (
    add_and_revert_tag,
    create_group,
    distribute_template,
    drain_and_resume,
    make_rare_requests,
    poll_rest,
    revert_newest_tag,
    run_instance,
    save_image,
    shut_out_mac,
    take_snapshot,
)
from support.chart_rights import Rights, Windows
from support.client_authority import ClientAuthority
from support.client_stage import Stage
from support.cloud import FAST_MAC, TAG
from support.container_inspection import inspect, pod_specs
from support.contention import keep_changing
from support.examples import all_become_ready
from support.image import no_containers
from support.joining import Person
from support.rights import Right, bound, covers
from support.rights_table import PEOPLE, WHO, rows
from support.rsa_keys import PRIVATE, PUBLIC, to_pem

pytestmark = [pytest.mark.e2e, pytest.mark.scenario]

MACS = {"mac-01": "ios", "mac-02": "general"}
SCRIPT = {"secretRef": {"name": "setup", "key": "script"}}
# Of a hundred instances each millisecond counts.
ROOMY = {"max_running": 60, "ram_bytes": 256 << 30}
TRIES = 60
GROUP = "anka.veertu.com"
AGENT = ("--max-vm-count=60", "--heartbeat=2", "--lease-duration=8")


@pytest.fixture(scope="module")
def windows() -> Windows:
    return Windows()


@pytest.fixture(autouse=True)
def window(windows: Windows, request: pytest.FixtureRequest) -> Iterator[None]:
    with windows.of(request.node.originalname):
        yield


def test_installed_it_is_ready_and_answers(installation: ChartInstallation) -> None:
    installation.upgrade()
    for part in ("operator", "shim"):
        assert len(installation.pods_of(part)) == 2
    assert "Phase:          Succeeded" in installation.helm.test()
    install.wait_policies(installation.cloud.cluster, *BASE.glob("*.yaml"))
    # The leader is at work.
    installation.cloud.wait_for(f"ankatemplate/{installation.template}", "create")
    installation.until(lambda: installation.tags() == TAG, what="the registry is mirrored")
    listed = {Right(WHO["operator"], where, "", "serviceaccounts", "list") for where in ("anka-nodes", "anka-joining")}
    installation.until(lambda: are_used(listed, installation), what="tokens are looked at")


def test_it_answers_only_who_has_the_root_token(installation: ChartInstallation) -> None:
    """The operator has made one. It is in that Secret and nowhere else."""
    url, secrets = installation.cloud.url, installation.access()
    assert secrets.keys() == {"root-token", "seal-key", "peer-key"}
    refused = httpx.get(f"{url}/api/v1/status")
    assert (refused.status_code, refused.json()) == (401, {"status": "FAIL", "message": "Authentication Required"})
    assert httpx.get(f"{url}/api/v1/status", auth=("root", "0123456789")).status_code == 401
    assert httpx.get(f"{url}/api/v1/status", auth=("root", secrets["root-token"])).json()["status"] == "OK"
    # Prometheus and kubelets log in nowhere.
    assert "anka_shim_authentication_enabled 1.0" in httpx.get(f"{url}/metrics").text
    told = [
        worker.log.read_text() for part in ("operator", "shim") for worker in installation.pods.workers(f"anka-{part}-")
    ]
    told += [installation.helm.manifest(), installation.helm.notes()]
    assert not [secret for secret in secrets.values() for text in told if secret in text]
    assert sum("made the Secret with the root token" in text for text in told) == 1


def test_the_operator_makes_no_other_secret(installation: ChartInstallation) -> None:
    """Not even one of that name that is a token of another ServiceAccount: what RBAC alone would allow."""
    operator = "--as=system:serviceaccount:anka-system:anka-operator"
    for secret in (
        {"metadata": {"name": "other"}},
        {
            "metadata": {"name": "anka-access", "annotations": {"kubernetes.io/service-account.name": "anka-shim"}},
            "type": "kubernetes.io/service-account-token",
        },
        {"metadata": {"name": "anka-access"}, "data": {"other": "eA=="}},
    ):
        with pytest.raises(
            DevError, match="creates the Secret anka-access with the keys of the REST API, and no other"
        ):
            installation.cloud.kubectl.run(
                "create", "--dry-run=server", operator, f"--namespace={NAMESPACE}", "--filename=-",
                stdin=json.dumps({"apiVersion": "v1", "kind": "Secret", **secret}),
            )  # fmt: skip
    for verb in ("list", "update", "patch", "delete"):
        with pytest.raises(DevError, match="exit code 1"):
            installation.cloud.kubectl.run(
                "auth", "can-i", verb, "secret/anka-access", operator, f"--namespace={NAMESPACE}"
            )


def are_used(rights: set[Right], installation: ChartInstallation) -> bool:
    events = installation.audit_events()
    return all(any(covers(right, event) for event in events) for right in rights)


def test_what_is_set_beside_the_defaults(installation: ChartInstallation) -> None:
    """By processes that honour it: what a team needs that comes from the old chart."""
    cloud = installation.cloud
    assert cloud.urls[0].endswith(f":{SERVICE_PORT}")
    # A volume, its mount, and the flag that is about it.
    with urllib.request.urlopen(f"{cloud.urls[0]}/pkg/AnkaAgent.pkg", timeout=60) as answer:
        assert answer.read().decode() == PACKAGE
    # The environment; and the registry, whose address Macs and clients are told is not the one that is read.
    installation.until(lambda: cloud.rest("GET", "/api/v1/status")["body"]["registry_status"] == "Running")
    status = cloud.rest("GET", "/api/v1/status")["body"]
    macs = installation.registry.url.replace("127.0.0.1", "localhost")
    assert (status["license"], status["registry_address"]) == (LICENSE, macs)
    for part in ("operator", "shim"):
        args = installation.pods_of(part)[0]["spec"]["containers"][0]["args"]
        assert {f"--registry-url={macs}", f"--registry-internal-url={installation.registry.url}"} <= set(args)


def test_each_pod_is_its_own_service_account(installation: ChartInstallation) -> None:
    """Its token is bound to it, as a kubelet's would be."""
    seen = {
        (
            event["user"]["username"].rpartition(":")[2],
            event["user"]["extra"]["authentication.kubernetes.io/pod-name"][0],
        )
        for event in installation.audit_events()
        if event["user"]["username"].startswith(f"system:serviceaccount:{NAMESPACE}:")
    }
    assert seen == {
        (f"anka-{part}", pod["metadata"]["name"]) for part in ("operator", "shim") for pod in installation.pods_of(part)
    }


def test_a_pod_that_dies_is_started_again(installation: ChartInstallation) -> None:
    [first, second] = installation.pods.workers("anka-shim-")
    os.kill(first.pid, signal.SIGKILL)
    installation.until(lambda: first.restarts == 1, what="started again")
    assert second.restarts == 0
    # The API hears of both a moment later.
    restarted = "jsonpath={.status.containerStatuses[0].restartCount}=1"
    installation.cloud.wait_for(f"pod/{first.name}", restarted, "condition=Ready", namespace=NAMESPACE)


@pytest.mark.skipif(bool(no_containers()), reason=f"pods are plain processes: {no_containers()}")
def test_what_a_container_sees_and_may(installation: ChartInstallation) -> None:
    """Each of the chart's pods, all at once: its user, nothing to write but its emptyDir, no rights, only the image."""
    if installation.no_image:
        pytest.skip(f"pods are plain processes: {installation.no_image}")
    names = ("anka-shim.anka-system.svc", "anka-shim", "anka-shim-peers.anka-system.svc.cluster.local", "nobody")
    every = pod_specs(installation)
    assert set(every) == {"anka-operator", "anka-shim", "anka-answers"}
    with ThreadPoolExecutor(len(every)) as together:
        asked = {
            part: together.submit(inspect, installation, spec, f"sees-{part}", *names) for part, spec in every.items()
        }
        found = {part: answer.result() for part, answer in asked.items()}
    for part, seen in found.items():
        assert seen["ids"] == [65532, 65532, [65532]]
        none = "0000000000000000"
        assert seen["status"] == {"CapEff": none, "CapPrm": none, "CapBnd": none, "NoNewPrivs": "1"}
        wrote = {folder for folder, said in seen["writes"].items() if said == "written"}
        assert wrote == (set() if part == "anka-answers" else {"/tmp"}), seen["writes"]
        assert seen["account"] == (None if part == "anka-answers" else ["ca.crt", "namespace", "token"])
        assert {"anka-cloud", "kopf", "fastapi"} <= set(seen["packages"])
        assert not {"pytest", "hypothesis", "mypy", "pip", "setuptools"} & set(seen["packages"])
        assert (seen["python"], seen["directory"]) == ("/app/bin/python", "/app")
        assert (seen["host"], seen["processes"]) == (f"sees-{part}", ["1"])
        [service] = seen["names"]["anka-shim.anka-system.svc"]
        assert service == installation.pods.address("anka-shim", NAMESPACE)
        assert seen["names"]["anka-shim"] == [service]
        replicas = [AddressPool.to_local(pod["status"]["podIP"]) for pod in installation.pods_of("shim")]
        assert seen["names"]["anka-shim-peers.anka-system.svc.cluster.local"] == sorted(replicas)
        assert seen["names"]["nobody"] == "Name or service not known"


def test_macs_join_as_the_notes_say(installation: ChartInstallation) -> None:
    notes = [line.strip() for line in installation.helm.notes().splitlines() if line.startswith("    ")]
    make_token = [line.split()[1:] for line in notes if line.startswith("kubectl create ")]
    assert [words[1] for words in make_token] == ["serviceaccount", "token"]
    [join] = [line for line in notes if "anka-agent join" in line]
    assert join == "sudo anka-agent join https://API:6443 --token TOKEN --ca-data CA --node-id mac-01"
    # They join groups, with more VMs than Apple permits.
    page = (ROOT / "docs" / "start" / "first-mac.md").read_text()
    [allow] = [line.split()[1:] for line in page.splitlines() if line.startswith("    kubectl create rolebinding all-")]
    installation.cloud.kubectl.run(*allow)
    for name, group in MACS.items():
        for words in make_token:
            token = installation.cloud.kubectl.run(*[name if word == "mac-01" else word for word in words]).strip()
        person = Person(installation.cloud, name, **ROOMY)
        assert "join success" in person.joins(f"--groups={group}", *AGENT, token=token).stdout
        person.starts_the_agent()
    for name in MACS:
        installation.cloud.wait_for(f"ankanode/{name}", "create", "condition=Ready")
        installation.cloud.wait_for(f"serviceaccount/{name}", "delete", namespace="anka-joining")
    installation.cloud.wait_for(f"ankatemplate/{installation.template}", "create")
    shown = partial(installation.cloud.rest, "GET", "/api/v1/node")
    installation.until(lambda: {node["node_id"] for node in shown()["body"]} == set(MACS), what="REST shows both")


def test_an_api_key_as_the_notes_say(installation: ChartInstallation, tmp_path: Path) -> None:
    cloud = installation.cloud
    [line] = [line.strip() for line in installation.helm.notes().splitlines() if "/api/v1/apikey" in line]
    shell = line.replace("http://127.0.0.1:8090", cloud.url)
    assert shell != line
    variables = os.environ | {"TOKEN": cloud.root_token}
    subprocess.run(["bash", "-euo", "pipefail", "-c", shell], cwd=tmp_path, env=variables, check=True, timeout=60)
    with httpx.Client(base_url=cloud.url, timeout=60) as http:
        bearer = log_in(http, "jenkins", (tmp_path / "jenkins.pem").read_bytes())
        assert http.get("/api/v1/vm", headers=bearer).json()["status"] == "OK"
        # The same key logs in at either replica, and ends at both.
        for url in (f"http://{worker.local}:8090" for worker in installation.pods.workers("anka-shim-")):
            assert httpx.get(f"{url}/api/v1/vm", headers=bearer, timeout=60).json()["status"] == "OK"
        assert cloud.rest("PUT", "/api/v1/apikey", {"id": "jenkins", "groups": ["other"]})["status"] == "OK"
        assert cloud.rest("PUT", "/api/v1/apikey", {"id": "nobody", "groups": []})["message"] == "Not found"
        assert cloud.rest("DELETE", "/api/v1/apikey", {"id": "jenkins"})["status"] == "OK"
        installation.until(lambda: http.get("/api/v1/vm", headers=bearer).status_code == 401, what="refused")


def log_in(http: httpx.Client, id_: str, pem: bytes) -> dict[str, str]:
    """By hand and shake: the header of the session."""
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    secret = key.decrypt(base64.b64decode(http.post("/tap/v1/hand", json={"id": id_}).content), OAEP).decode()
    session = http.post("/tap/v1/shake", json={"id": id_, "secret": secret}).json()["data"]
    return {"Authorization": f"Bearer {base64.b64encode(json.dumps(session).encode()).decode()}"}


def test_the_examples(installation: ChartInstallation) -> None:
    all_become_ready(installation.cloud)
    # One of them saves a tag, which no client of the old controller expects.
    revert_newest_tag(installation)


@pytest.fixture(scope="module")
def stage(installation: ChartInstallation, ssh_key: Path, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    cloud = installation.cloud
    group = cloud.rest("POST", "/api/v1/group", {"name": "ci"})["body"]["id"]
    answer = cloud.rest("POST", "/api/v1/node/group", {"group_ids": [group], "node_ids": list(MACS)})
    assert answer["status"] == "OK"
    # Each client uses what it knows: an API key, the root token, or a header that is always the same.
    folder = tmp_path_factory.mktemp("stage")
    new = {"id": "stage", "ttl": 86_400, "groups": [], "publicKey": PUBLIC}
    assert cloud.rest("POST", "/api/v1/apikey", new)["status"] == "OK"
    (folder / "key.pem").write_text(to_pem(PRIVATE))
    root = basic("root", cloud.root_token)
    credential = Credential(cloud.root_token, root, UserKey("stage", folder / "key.pem"))
    return Stage(cloud, installation.template, "", group, ssh_key, cloud.url, credential, root)


def test_the_old_clients_through_the_service(stage: Stage) -> None:
    """Each lives its whole life, all at once."""
    with ThreadPoolExecutor(len(LIVES)) as together:
        for life in [together.submit(life, stage) for life in LIVES.values()]:
            life.result()
    stage.until(stage.cleared)


def test_what_happens_seldom(installation: ChartInstallation, stage: Stage) -> None:
    """Each of these needs a right that all the rest does without."""
    cloud, template = installation.cloud, stage.template
    # One waits, which the operator tells, and is deleted before it had a node; an image is to be made of none.
    installation.make("AnkaInstance", "waits", template="not-there")
    installation.make("SaveImage", "of-none", instance="none", newTemplateName="x", tag="v1", ttlSecondsAfterFinished=1)
    installation.make("TemplateDistribution", "short", template=template, ttlSecondsAfterFinished=1)
    # A startup script from a Secret: the right to read it is handed out, and taken back.
    cloud.kubectl.run("create", "secret", "generic", "setup", "--from-literal=script=true", "--namespace=anka-ci")
    installation.make("AnkaInstance", "secret", "anka-ci", template=template, startupScript=SCRIPT)
    # A large script is stored once, beside the instances of its request.
    large = base64.b64encode(b"true #" + b"x" * 9000).decode()
    many = cloud.rest("POST", "/api/v1/vm", {"vmid": template, "count": 2, "startup_script": large})
    assert many["status"] == "OK", many
    # A template that no Mac has room for, and which then leaves the registry.
    huge = installation.registry.add_template("huge", [TAG], size=10**15)
    cloud.wait_for(f"ankatemplate/{huge}", "create")
    installation.make("AnkaInstance", "huge", template=huge)
    make_rare_requests(installation, stage)
    shut_out_mac(installation)
    for name, phase, namespace in (("secret", "Started", "anka-ci"), ("huge", "Error", "default")):
        cloud.wait_for(f"ankainstance/{name}", f"jsonpath={{.status.phase}}={phase}", namespace=namespace)
    assert cloud.rest("DELETE", f"/api/v1/registry/vm?id={huge}")["status"] == "OK"
    cloud.wait_for(f"ankatemplate/{huge}", "delete")
    cloud.wait_for("templatedistribution/short", "delete")
    cloud.wait_for("saveimage/of-none", "delete")
    about = ("get", "events", "--field-selector=involvedObject.name=waits", "--output=name")
    installation.until(lambda: cloud.kubectl.run(*about), what="told that it waits")
    for kind, id_ in (("instances", many["body"][0]), ("nodes", "mac-01")):
        shown = cloud.rest("GET", f"/portal/v1/object?kind={kind}&id={id_}")["body"]
        assert "eventsProblem" not in shown, shown
    cloud.kubectl.run("delete", "ankainstance", "huge", "waits")
    cloud.kubectl.run("delete", "ankainstance", "secret", *many["body"], "--namespace=anka-ci")
    installation.until(
        lambda: not installation.list_objects("roles,rolebindings", "--selector=anka.veertu.com/secret-right"),
        what="right is gone",
    )


@pytest.mark.parametrize(
    ("who", "kind", "makes_it_written", "name"),
    [
        ("operator", NODES, drain_and_resume, "mac-01"),
        ("operator", GROUPS, create_group, ""),
        ("operator", TEMPLATES, add_and_revert_tag, "template"),
        ("operator", DISTRIBUTIONS, distribute_template, ""),
        ("agent", INSTANCES, run_instance, ""),
        ("agent", SAVES, save_image, ""),
    ],
    ids=["node", "group", "template", "distribution", "instance", "save"],
)
def test_who_writes_what_others_change_all_the_time(
    installation: ChartInstallation,
    who: str,
    kind: Resource[Any],
    makes_it_written: Callable[[ChartInstallation, str], None],
    name: str,
) -> None:
    """It reads the object again, and writes again. Whether two writers meet is chance: it is tried until they have."""
    right = Right(WHO[who], "", GROUP, kind.plural, "get")
    begun = len(installation.audit_events())
    for number in range(TRIES):
        made = f"restless-{number}"
        named = installation.template if name == "template" else name or made
        with keep_changing(installation.cloud.cluster.kubeconfig, kind, named, "default" if kind.namespaced else None):
            makes_it_written(installation, made)
        if any(covers(right, event) for event in installation.audit_events()[begun:]):
            return
    pytest.fail(f"{right} was not needed in {TRIES} tries")


def test_a_mac_falls_silent_and_leaves(installation: ChartInstallation) -> None:
    person = Person(installation.cloud, "mac-03", **FAST_MAC)
    person.joins("--heartbeat=1", "--lease-duration=4", "--max-vm-count=1")
    agent = person.starts_the_agent()
    installation.cloud.wait_for("ankanode/mac-03", "create", "condition=Ready")
    agent.kill()
    installation.cloud.wait_for("ankanode/mac-03", "jsonpath={.status.state}=Offline")
    person.types("disjoin")
    assert installation.cloud.kubectl.run("get", "ankanode", "mac-03", "--ignore-not-found") == ""
    del installation.cloud.macs["mac-03"]


def test_the_same_values_again_change_nothing(installation: ChartInstallation) -> None:
    before, secrets = wanted(installation), installation.access()
    assert len(before) > 40
    installation.upgrade()
    assert wanted(installation) == before
    assert installation.access() == secrets


def wanted(installation: ChartInstallation) -> dict[str, Any]:
    """The release without what controllers tell at any time, as of a pod that was slow to answer its probe."""
    found = installation.release()
    for item in found.values():
        if item.pop("status", None) is not None:
            del item["metadata"]["resourceVersion"]
    return found


def test_an_upgrade_with_a_hundred_running(installation: ChartInstallation, tmp_path: Path) -> None:
    """A newer chart, whose pods are all others: no instance is lost, no VM restarts, and REST answers throughout."""
    cloud = installation.cloud
    answers = [cloud.rest("POST", "/api/v1/vm", {"vmid": installation.template, "count": 20}) for _ in range(5)]
    assert {answer["status"] for answer in answers} == {"OK"}, answers

    def all_started() -> bool:
        # `kubectl wait` asks for one after the other, and no more than a few each second.
        shown = "--output=jsonpath={.items[*].status.phase}"
        phases = cloud.kubectl.run("get", "ankainstances", "--namespace=anka-ci", shown).split()
        assert "Error" not in phases
        return phases == ["Started"] * 100

    installation.until(all_started, seconds=240, what="a hundred started")
    before, pods = take_snapshot(installation), {pod["metadata"]["name"] for pod in installation.list_objects("pods")}
    assert len(before.vms) == len({vm for _, vm in before.vms.values()}) == 100
    newer = shutil.copytree(CHART, tmp_path / "newer")
    text = (newer / "Chart.yaml").read_text()
    (newer / "Chart.yaml").write_text(text.replace("version: 0.1.0", "version: 0.2.0"))
    with poll_rest(installation) as wrong:
        installation.upgrade(newer, logs={"level": "DEBUG"})
        installation.until(
            lambda: not pods & {pod["metadata"]["name"] for pod in installation.list_objects("pods")}, what="old pods"
        )
    assert wrong == []
    assert {item["metadata"]["labels"]["helm.sh/chart"] for item in installation.release().values()} == {
        "anka-cloud-0.2.0"
    }
    # The new leader tells again what the one before it has told, and takes up the work.
    drain_and_resume(installation)
    selector = "--field-selector=involvedObject.name=mac-01,reason=Active"
    told = ("get", "events", "--namespace=default", selector, "--output=jsonpath={.items[*].count}")
    installation.until(lambda: max(map(int, cloud.kubectl.run(*told).split())) > 1, what="told again")
    assert take_snapshot(installation) == before
    one = answers[0]["body"][0]
    assert cloud.rest("DELETE", "/api/v1/vm", {"id": one})["status"] == "OK"
    cloud.wait_for(f"ankainstance/{one}", "delete", namespace="anka-ci")
    assert len(cloud.vm_names()) == 99


# Rights. They look at what all tests before have done, so they come late.


@pytest.fixture(scope="module")
def rights(installation: ChartInstallation) -> Rights:
    return Rights(installation)


HELD = Right(WHO["operator"], "anka-ci", "", "secrets", "get")
"""Kubernetes lets nobody grant what he doesn't hold: the operator holds this, and never uses it."""
PUSH = Right(WHO["shim"], "", GROUP, "ankatemplates", "push")
"""An admission policy asks for this; no request has such a verb."""
SELDOM = tuple(Right(WHO["agent"], "", GROUP, kind, "list") for kind in ("saveimages", "templatedistributions"))
"""A stream begins with what there is: agents list where an API has no such streams, and once an hour."""


def refused_to(installation: ChartInstallation, who: str, group: str, resource: str, verb: str) -> bool:
    """By RBAC, or because nobody may hand out what he doesn't hold."""
    right = Right(who, "", group, resource, verb)
    return any(event["responseStatus"]["code"] == 403 and covers(right, event) for event in installation.audit_events())


def test_nobody_was_refused_what_he_needs(rights: Rights) -> None:
    assert rights.refused() == []


def test_each_right_is_used_where_the_table_says(rights: Rights, windows: Windows) -> None:
    used = rights.used(windows)
    table = {row.right: row.test for row in rows() if row.right.who not in PEOPLE}
    assert table.keys() == used.keys()
    assert {str(right): (test, sorted(used[right])) for right, test in table.items()
            if right not in (HELD, PUSH, *SELDOM) and test not in used[right]} == {}  # fmt: skip
    assert used[HELD] == used[PUSH] == {}


def test_the_old_api_pushes_to_templates(installation: ChartInstallation, rights: Rights) -> None:
    cloud = installation.cloud
    [vm] = cloud.rest("POST", "/api/v1/vm", {"vmid": installation.template})["body"]
    cloud.wait_for(f"ankainstance/{vm}", "jsonpath={.status.phase}=Started", namespace="anka-ci")
    [one] = [one for one in rights.granted() if one.right == PUSH]
    with rights.without(one):
        image = {"id": vm, "target_vm_id": installation.template, "tag": "pushed"}
        assert "forbidden" in cloud.rest("POST", "/api/v1/image", image)["message"]
    assert cloud.rest("DELETE", "/api/v1/vm", {"id": vm})["status"] == "OK"
    cloud.wait_for(f"ankainstance/{vm}", "delete", namespace="anka-ci")


def test_agents_may_list_what_their_streams_begin_with(rights: Rights) -> None:
    """How they do it: tests/unit/kube/test_reflector.py, against an API without such streams."""
    for right in SELDOM:
        assert rights.allows(right)


def test_no_right_is_granted_twice(rights: Rights) -> None:
    """Each is refused once its one rule is without it: the request that was seen above would have been."""
    every = rights.granted()
    assert len({one.right for one in every}) == len(every)
    for one in every:
        assert rights.allows(one.right)
        with rights.without(one):
            pass


def test_people(installation: ChartInstallation, rights: Rights) -> None:
    """Who has view or edit of Kubernetes has ours with it, once the controllers have added them."""
    every = rights.of_people()
    assert {one.right for one in every} == {row.right for row in rows() if row.right.who in PEOPLE}
    for kubernetes in PEOPLE.values():
        installation.cloud.kubectl.run("create", "--filename=-", stdin=json.dumps(bound(kubernetes)))
    for one in every:
        installation.until(partial(rights.allows, one.right, PEOPLE[one.role]), what=str(one.right))
    # What one may, the lesser may not, but for what their own role has, too: pools of MAC addresses can be viewed.
    viewed = {replace(one.right, who="") for one in every if one.role == "anka-view"}
    for one in every:
        assert replace(one.right, who="") in viewed or not rights.allows(one.right, "view"), one
        assert one.role != "anka-repair" or one.right.verb != "repair" or not rights.allows(one.right, "edit"), one


@pytest.mark.parametrize(("who", "namespace", "resource", "verb"), [
    ("operator", "", "ankainstances/status", "update"),
    ("operator", "anka-ci", "secrets", "get"),
    ("agent", "", "ankainstances/status", "update"),
    ("shim", "anka-ci", "ankainstances", "create"),
    ("join token", "anka-nodes", "serviceaccounts/token", "create"),
])  # fmt: skip
def test_without_a_right(
    installation: ChartInstallation, rights: Rights, who: str, namespace: str, resource: str, verb: str
) -> None:
    """What people then see, as the table says it; and that it heals by itself once the right is back."""
    cloud = installation.cloud
    [one] = [
        one
        for one in rights.granted()
        if (one.right.who, one.right.namespace, one.right.resource, one.right.verb)
        == (WHO[who], namespace, resource, verb)
    ]
    if who in ("operator", "agent"):
        spec = {"startupScript": SCRIPT} if resource == "secrets" else {}
        with rights.without(one):
            installation.make("AnkaInstance", "lacking", "anka-ci", template=installation.template, **spec)
            asked = (one.right.group, resource, verb)
            if resource == "secrets":
                asked = ("rbac.authorization.k8s.io", "roles", "create")
            installation.until(lambda: refused_to(installation, one.right.who, *asked), what="refused")
        if resource != "secrets":  # which are looked at again every 15 s
            cloud.wait_for("ankainstance/lacking", "jsonpath={.status.phase}=Started", namespace="anka-ci")
        cloud.kubectl.run("delete", "ankainstance", "lacking", "--namespace=anka-ci")
    elif who == "shim":
        with rights.without(one):
            answer = cloud.rest("POST", "/api/v1/vm", {"vmid": installation.template})
        assert answer["status"] == "FAIL"
        assert "forbidden" in answer["message"]
    else:
        person = Person(cloud, "mac-04", **FAST_MAC)
        with rights.without(one):
            said = person.joins(code=1).stderr
        assert "forbidden" in said


def test_a_deleted_root_token_is_made_anew(installation: ChartInstallation) -> None:
    """Who wants another one deletes the Secret. Pods that start then have the new one; others a minute later,
    when their kubelet has brought it."""
    kubectl, before = installation.cloud.kubectl, installation.access()
    kubectl.run("delete", "secret", "anka-access", f"--namespace={NAMESPACE}")
    installation.cloud.wait_for("secret/anka-access", "create", namespace=NAMESPACE)
    after = installation.access()
    assert set(before.values()).isdisjoint(after.values())
    kubectl.run("rollout", "restart", "deployment/anka-shim", f"--namespace={NAMESPACE}")
    kubectl.run("rollout", "status", "deployment/anka-shim", f"--namespace={NAMESPACE}", "--timeout=120s", timeout=150)

    def code(token: str) -> int:
        return httpx.get(f"{installation.cloud.url}/api/v1/status", auth=("root", token), timeout=60).status_code

    installation.until(lambda: code(before["root-token"]) == 401, what="old pods are gone")
    assert code(after["root-token"]) == 200
    installation.cloud.root_token = after["root-token"]


def test_tls_in_the_process(installation: ChartInstallation, tmp_path: Path) -> None:
    """Probes, `helm test` and the replicas speak HTTPS then."""
    authority, service = ClientAuthority(), ip_address(installation.pods.address("anka-shim", NAMESPACE))
    names = x509.SubjectAlternativeName([x509.IPAddress(service)])
    both = authority.issue(("CN", "anka-shim"), extensions=[(names, False)]).write(tmp_path, "both.pem")
    files = [f"--cert={both}", f"--key={both}"]
    installation.cloud.kubectl.run("create", "secret", "tls", "shim-tls", *files, f"--namespace={NAMESPACE}")
    installation.upgrade(tls={"secretName": "shim-tls"})
    assert "Phase:          Succeeded" in installation.helm.test()
    url = installation.cloud.url.replace("http://", "https://")
    context = ssl.create_default_context(cadata=authority.pem.decode())
    with httpx.Client(base_url=url, verify=context, auth=("root", installation.cloud.root_token)) as http:
        assert http.get("/api/v1/status").json()["status"] == "OK"
        installation.until(
            lambda: "anka_shim_peers 1.0" in http.get("/metrics").text, what="the replicas know each other"
        )
    installation.upgrade()


def test_open_to_everybody_as_before(installation: ChartInstallation, stage: Stage) -> None:
    """With auth.enabled=false, which the notes and a metric say. On again, the root token is the one of before."""
    secrets, running = installation.access(), installation.cloud.vm_names()
    installation.upgrade(auth={"enabled": False})
    assert "has NO AUTHENTICATION" in installation.helm.notes()
    assert "Phase:          Succeeded" in installation.helm.test()
    assert "anka_shim_authentication_enabled 0.0" in httpx.get(f"{installation.cloud.url}/metrics").text
    assert not [one for one in installation.release() if "anka-access" in one and "Policy" not in one]
    anybody = replace(stage, url=installation.cloud.url, credential=NOTHING, root="")
    with ThreadPoolExecutor(len(LIVES)) as together:
        for life in [together.submit(life, anybody) for life in LIVES.values()]:
            life.result()
    installation.until(lambda: installation.cloud.vm_names() == running, what="nothing of it is left")
    installation.upgrade()
    assert installation.access() == secrets


def test_what_an_uninstall_leaves(installation: ChartInstallation) -> None:
    before = take_snapshot(installation)
    installation.helm.uninstall()
    left = ("deployments,replicasets,pods,services", "--selector=app.kubernetes.io/instance=anka")
    installation.until(lambda: not installation.list_objects(*left), what="pods end")
    assert take_snapshot(installation) == before
    assert len(installation.cloud.vm_names()) == 99
    secrets = installation.access()
    # Installed again, all goes on, with the same root token; and then it is removed as docs/operate/upgrade.md says.
    installation.upgrade()
    assert installation.access() == secrets
    install.wait_policies(installation.cloud.cluster, *BASE.glob("*.yaml"))
    page = (ROOT / "docs" / "operate" / "upgrade.md").read_text()
    for line in page.rpartition("To get rid of everything")[2].splitlines():
        words = line.split()
        if words[:3] == ["kubectl", "delete", "ankainstances"]:
            # Looking whether each is gone, kubectl asks no more than a few times each second.
            installation.cloud.kubectl.run(*words[1:], "--wait=false")
            installation.until(
                lambda: not installation.list_objects("ankainstances"), seconds=240, what="instances are gone"
            )
        elif words[:1] == ["kubectl"]:
            installation.cloud.kubectl.run(*words[1:])
        elif words[:2] == ["helm", "uninstall"]:
            installation.helm.uninstall()
    assert installation.cloud.vm_names() == []
    stay = {item["metadata"]["name"] for item in installation.list_objects("namespaces,customresourcedefinitions")}
    assert {name for name in stay if "anka" in name} == {"anka-system"}
