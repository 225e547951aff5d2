"""The chart under all its values: what it makes is sound, secure, and what an apiserver takes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_settings import BaseSettings

from anka_dev.local_kubernetes import chart_release
from anka_dev.repository import BASE, CHART
from anka_operator.settings import OperatorSettings
from anka_runtime.settings import load
from anka_shim.settings import ShimSettings
from localkube.controlplane import KubernetesCluster
from localkube.controlplane.helm import Helm
from localkube.progress import say_on_stderr
from support.chart_lint import lint
from support.checkers import Checker
from support.client_authority import ClientAuthority
from support.rsa_keys import PRIVATE, to_pem

pytestmark = pytest.mark.e2e

NAMESPACE = "anka-system"
DRY_RUN = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename=-")
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
FROM = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ci"}}}]
TO = [{"ipBlock": {"cidr": "10.0.0.0/8"}}]
RESOURCES = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
FLAGS = [{}, {"log-format": "text", "bind-batch": 200_000_000}, {"registry-seconds": 1.5, "x": None}]
BOTH = [True, False]

Object = dict[str, Any]

# For each value some that differ in effect; the default is among them.
VALUES: dict[str, list[Any]] = {
    "image.repository": ["anka-cloud", "registry.example.com:5000/ci/anka-cloud"],
    "image.tag": ["", "1.2.3"],
    "image.digest": ["", "sha256:" + "a" * 64],
    "image.pullPolicy": ["IfNotPresent", "Always", "Never"],
    "image.pullSecrets": [[], [{"name": "pull"}]],
    "namespaces.create": BOTH,
    "namespaces.nodes": ["anka-nodes", "macs"],
    "namespaces.joining": ["anka-joining", "doors"],
    "namespaces.instances": ["anka-ci", "ci"],
    "namespaces.podSecurity": ["restricted", "baseline", ""],
    "registry.url": ["https://registry.example.com", "http://registry.example.com:8089", ""],
    "registry.internalUrl": ["", "http://registry.anka.svc:8089", "http://[fd00::1]/"],
    "registry.caSecret": ["registry-ca", ""],
    "registry.credentials.secretName": ["registry-key", ""],
    "registry.credentials.kind": ["apiKey", "rootToken", "certificate"],
    "registry.credentials.apiKeyId": ["anka-cloud"],
    "auth.enabled": BOTH,
    "auth.rootToken.secretName": ["", "own-root"],
    "auth.rootToken.key": ["root-token", "token.txt"],
    "auth.apiKeys.enabled": BOTH,
    "auth.authorization": BOTH,
    "auth.kubernetesTokens": BOTH,
    "auth.certificates.caSecret": ["clients-ca", ""],
    "auth.certificates.crlSecret": ["clients-crl", ""],
    "auth.certificates.header": ["", "nginx", "xfcc", "traefik", "rfc9440"],
    "auth.oidc.providerUrl": ["https://id.example.com:8443/realms/ci", ""],
    "auth.oidc.clientId": ["anka"],
    "auth.oidc.audiences": [["jenkins", "teamcity"], []],
    "auth.oidc.usernameClaim": ["azp", "name"],
    "auth.oidc.groupsClaim": ["groups", "roles"],
    "auth.oidc.scopes": [["openid", "profile"]],
    "auth.oidc.caSecret": ["oidc-ca", ""],
    "auth.oidc.siteUrl": ["https://anka.example.com"],
    "auth.oidc.clientSecret.secretName": ["oidc-client", ""],
    "auth.oidc.clientSecret.key": ["client-secret"],
    "auth.sealKey.secretName": ["", "own-seal"],
    "auth.sealKey.key": ["seal-key", "key"],
    "auth.peerKey.secretName": ["", "own-peers"],
    "auth.peerKey.key": ["peer-key", "key"],
    "tls.secretName": ["shim-tls", ""],
    "logs.level": ["INFO", "DEBUG"],
    "logs.format": ["json", "text"],
    "logs.central": BOTH,
    "eventLog.enabled": BOTH,
    "eventLog.url": ["https://events.example.com/anka", "", "http://events:9000"],
    "eventLog.headersSecret": ["event-log", ""],
    "eventLog.format": ["json", "cloudevents"],
    "listen": ["0.0.0.0", "::", "$(POD_IP)"],
    "operator.replicas": [2, 1, 20],
    "operator.flags": FLAGS,
    "operator.port": [8081, 9000],
    "operator.resources": [RESOURCES],
    "operator.env": [[], [{"name": "SSL_CERT_FILE", "value": "/ca/ca.crt"}]],
    "operator.volumes": [[], [{"name": "ca", "configMap": {"name": "ca"}}]],
    "operator.volumeMounts": [[]],
    "operator.annotations": [{}, {"reloader.example.com/auto": "true"}],
    "shim.replicas": [2, 1, 3],
    "shim.flags": FLAGS,
    "shim.port": [8090, 9001],
    "shim.resources": [RESOURCES],
    "shim.env": [[], [{"name": "SSL_CERT_FILE", "value": "/ca/ca.crt"}]],
    "shim.volumes": [[], [{"name": "ca", "configMap": {"name": "ca"}}]],
    "shim.volumeMounts": [[]],
    "shim.annotations": [{}, {"reloader.example.com/auto": "true"}],
    "service.type": ["ClusterIP", "NodePort", "LoadBalancer"],
    "service.port": [8090, 80],
    "service.nodePort": [0],
    "service.annotations": [{}, {"example.com/internal": "true"}],
    "service.spec": [{}, {"publishNotReadyAddresses": True}],
    "publicPaths": [["/", "/api", "/config", "/logs", "/pkg"], ["/api", "/docs"]],
    "ingress.enabled": BOTH,
    "ingress.className": ["", "nginx"],
    "ingress.host": ["anka.example.com", "*.example.com"],
    "ingress.tlsSecret": ["", "own-tls"],
    "ingress.annotations": [{}, {"nginx.ingress.kubernetes.io/auth-type": "basic"}],
    "gateway.enabled": BOTH,
    "gateway.parents": [[{"name": "gateway", "namespace": "infra"}]],
    "gateway.host": ["anka.example.com", "*.example.com"],
    "certificate.enabled": BOTH,
    "certificate.issuer": [{"kind": "ClusterIssuer", "name": "letsencrypt"}],
    "certificate.secret": ["anka-shim-tls", "tls"],
    "networkPolicy.enabled": BOTH,
    "networkPolicy.shimFrom": [[], FROM],
    "networkPolicy.metricsFrom": [[], FROM],
    "networkPolicy.egress.enabled": BOTH,
    "networkPolicy.egress.dnsPorts": [[53], [53, 5353]],
    "networkPolicy.egress.apiPorts": [[443, 6443], [16443]],
    "networkPolicy.egress.apiTo": [[], TO],
    "networkPolicy.egress.registryPorts": [[], [8089]],
    "networkPolicy.egress.registryTo": [[], TO],
    "networkPolicy.egress.eventLogTo": [[], TO],
    "networkPolicy.egress.oidcTo": [[], TO],
    "networkPolicy.egress.more": [[], [{"to": TO}]],
    "podDisruptionBudget": BOTH,
    "priorityClass.create": BOTH,
    "priorityClass.name": ["anka-cloud", "", "system-cluster-critical.x"],
    "priorityClass.value": [1_000_000, -5],
    "topologyKeys": [["kubernetes.io/hostname"], []],
    "nodeSelector": [{"kubernetes.io/os": "linux"}, {}],
    "tolerations": [[], [{"key": "ci", "operator": "Exists"}]],
    "affinity": [{}, {"nodeAffinity": {}}],
    "commonLabels": [{}, {"cost-centre": "ci"}],
    "podLabels": [{}, {"team": "ci"}],
    "podAnnotations": [{}, {"example.com/scrape": "yes"}],
    "policies.writers": BOTH,
    "policies.metadata": BOTH,
    "policies.finalizer": ["auto", True, False],
    "flowSchemas": BOTH,
    "rbac.people": BOTH,
    "rbac.secrets": BOTH,
    "monitoring.podMonitor": BOTH,
    "monitoring.prometheusRule": BOTH,
    "monitoring.dashboards": BOTH,
    "monitoring.labels": [{}, {"release": "prometheus"}],
    "monitoring.dashboardLabels": [{"grafana_dashboard": "1"}, {}],
    "monitoring.interval": ["30s", "500ms"],
    "macAddresses.enabled": BOTH,
    "resourcePermissions.enabled": BOTH,
    "resourcePermissions.namespaces": [[], ["team-ios", "team-web"]],
}
# Groups and kinds of others, which no apiserver of ours knows, and the keys that their spec may and must have.
FOREIGN: dict[str, tuple[str, set[str], set[str]]] = {
    "PodMonitor": ("monitoring.coreos.com/v1", {"podTargetLabels", "selector", "podMetricsEndpoints"}, {"selector"}),
    "PrometheusRule": ("monitoring.coreos.com/v1", {"groups"}, {"groups"}),
    "Certificate": ("cert-manager.io/v1", {"secretName", "dnsNames", "issuerRef"}, {"secretName", "issuerRef"}),
    "HTTPRoute": ("gateway.networking.k8s.io/v1", {"parentRefs", "hostnames", "rules"}, {"parentRefs", "rules"}),
}


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, leaf = name.split(".")
        place = values
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = value
    return values


EVERYTHING = nested({name: choices[0] for name, choices in VALUES.items()} | {
    name: True for name in VALUES if name.endswith(".enabled") or name.startswith("monitoring.p")
} | {"monitoring.dashboards": True, "policies.finalizer": True})  # fmt: skip
NOTHING = nested({name: False for name, choices in VALUES.items() if choices == BOTH} | {
    "operator.replicas": 1, "shim.replicas": 1, "policies.finalizer": False, "priorityClass.name": "",
    "namespaces.podSecurity": "",
})  # fmt: skip
TABLE = {"defaults": {}, "everything": EVERYTHING, "nothing": NOTHING}


def leaves(schema: dict[str, Any], path: str = "") -> set[str]:
    found: set[str] = set()
    for name, item in schema["properties"].items():
        closed = item.get("additionalProperties") is False
        found |= leaves(item, f"{path}{name}.") if closed else {path + name}
    return found


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    directory: Path = tmp_path_factory.mktemp("helm")
    return chart_release(directory / "none.kubeconfig", directory, say_on_stderr, namespace=NAMESPACE)


def rendered(helm: Helm, values: dict[str, Any]) -> list[Object]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [one for one in yaml.load_all(helm.template(values), Loader=loader) if one]


@pytest.fixture(scope="module")
def everything(helm: Helm) -> list[Object]:
    return rendered(helm, EVERYTHING)


def test_no_value_is_left_out() -> None:
    assert VALUES.keys() == leaves(SCHEMA) - {"global"}


def complete_auth(values: dict[str, Any]) -> None:
    """Add what these need of each other."""
    auth = values.setdefault("auth", {})
    certificates, oidc = auth.get("certificates", {}), auth.get("oidc", {})
    if any(certificates.get(name) for name in ("header", "caSecret", "crlSecret")):
        certificates["caSecret"] = VALUES["auth.certificates.caSecret"][0]
        values.setdefault("tls", {})["secretName"] = VALUES["tls.secretName"][0]
        if certificates.get("header"):
            shim = values.setdefault("shim", {})
            shim["flags"] = {**shim.get("flags", {}), "trusted-proxies": "10.0.0.0/8"}
    if any(oidc.get(name) for name in ("providerUrl", "clientId", "audiences", "caSecret", "siteUrl", "clientSecret")):
        oidc |= {"providerUrl": VALUES["auth.oidc.providerUrl"][0], "clientId": "anka", "siteUrl": "https://a.example"}
        auth["authorization"] = True
    if values.get("resourcePermissions", {}).get("enabled"):
        auth["authorization"] = True
    if any((auth.get("authorization"), auth.get("kubernetesTokens"), certificates.get("caSecret"))):
        auth["enabled"] = True


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=st.fixed_dictionaries({}, optional={name: st.sampled_from(VALUES[name]) for name in VALUES}).map(nested))
def test_sound_whatever_the_values(helm: Helm, values: dict[str, Any]) -> None:
    # What belongs together: tests/e2e/test_helm.py has what is refused.
    if values.get("gateway", {}).get("enabled"):
        values["gateway"]["parents"] = VALUES["gateway.parents"][0]
    if values.get("certificate", {}).get("enabled"):
        values.setdefault("ingress", {})["enabled"] = True
    if values.get("registry", {}).get("internalUrl"):
        values["registry"]["url"] = VALUES["registry.url"][0]
    event_log = values.setdefault("eventLog", {})
    if event_log.get("enabled") or event_log.get("url") or event_log.get("headersSecret"):
        event_log |= {"enabled": True, "url": VALUES["eventLog.url"][0]}
    registry = values.get("registry", {})
    if registry.get("caSecret") or registry.get("credentials", {}).get("secretName"):
        registry["url"], registry["internalUrl"] = VALUES["registry.url"][0], ""
        registry.setdefault("credentials", {})["apiKeyId"] = "anka-cloud"
    complete_auth(values)
    objects = rendered(helm, values)
    assert lint(objects, NAMESPACE) == []
    on = {one["kind"] for one in objects}
    wanted = {
        "Ingress": values.get("ingress", {}).get("enabled", False),
        "HTTPRoute": values.get("gateway", {}).get("enabled", False),
        "Certificate": values.get("certificate", {}).get("enabled", False),
        "NetworkPolicy": values.get("networkPolicy", {}).get("enabled", True),
        "PodMonitor": values.get("monitoring", {}).get("podMonitor", False),
        "PrometheusRule": values.get("monitoring", {}).get("prometheusRule", False),
    }
    assert {kind: kind in on for kind in wanted} == wanted


@pytest.mark.parametrize("name", TABLE)
def test_the_apiserver_takes_all_of_it_strictly(
    served_kinds: KubernetesCluster, helm: Helm, name: str, tmp_path: Path
) -> None:
    """Third parties' kinds aside. Namespaces must be there for a dry run of what is in them."""
    objects = rendered(helm, TABLE[name])
    known = [one for one in objects if one["kind"] not in FOREIGN and one["kind"] != "Namespace"]
    for namespace in ("anka-system", "anka-nodes", "anka-joining", "anka-ci"):
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        served_kinds.kubectl.run("apply", "--server-side", "--filename=-", stdin=json.dumps(manifest))
    text = yaml.safe_dump_all(known)
    said = served_kinds.kubectl.run(
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        "--force-conflicts",
        "--filename=-",
        stdin=text,
    )
    assert len(said.splitlines()) == len(known)


PROGRAMS: dict[str, type[BaseSettings]] = {"anka-operator": OperatorSettings, "anka-shim": ShimSettings}


def write_secrets(folder: Path) -> None:
    """What the Secrets of EVERYTHING would hold, at the places of their mounts below `folder`."""
    authority, token = ClientAuthority(), b"t" * 40
    server = authority.issue_server().write(folder, "server.pem").read_bytes()
    contents = {
        "access": {
            "root-token": token, "seal-key": token, "peer-key": token, "oidc-client-secret": token,
            "clients-ca.crt": authority.pem, "oidc-ca.crt": authority.pem, "clients.crl": authority.revoke(),
            "tls.crt": server, "tls.key": server,
        },
        "registry-ca": {"ca.crt": authority.pem},
        "registry": {"api-key.pem": to_pem(PRIVATE).encode()},
        "event-log": {"headers": b"Authorization: x"},
    }  # fmt: skip
    for volume, files in contents.items():
        (folder / "etc" / "anka" / volume).mkdir(parents=True)
        for name, content in files.items():
            (folder / "etc" / "anka" / volume / name).write_bytes(content)


@pytest.mark.parametrize("values", [*TABLE, "off"])
def test_the_programs_take_their_arguments(
    helm: Helm, values: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And find what each of them needs of the others."""
    write_secrets(tmp_path)
    monkeypatch.setenv("ANKA_KUBECONFIG", str(tmp_path / "none"))
    objects = rendered(helm, {"auth": {"enabled": False}} if values == "off" else TABLE[values])
    for name, model in PROGRAMS.items():
        [container] = one_of(objects, "Deployment", name)["spec"]["template"]["spec"]["containers"]
        load(model, name, [word.replace("=/etc/", f"={tmp_path}/etc/") for word in container["args"]])


def test_an_unknown_field_would_be_noticed(served_kinds: KubernetesCluster, everything: list[Object]) -> None:
    [service] = [one for one in everything if one["kind"] == "Service" and one["metadata"]["name"] == "anka-shim"]
    broken = copy.deepcopy(service) | {"metadata": {"name": "x", "namespace": "default"}}
    broken["spec"]["port"] = 80
    with pytest.raises(Exception, match=r"spec\.port"):
        served_kinds.kubectl.run(*DRY_RUN, stdin=json.dumps(broken))


def test_kinds_of_others_have_their_shape(everything: list[Object]) -> None:
    found = [one for one in everything if one["kind"] in FOREIGN]
    assert {one["kind"] for one in found} == FOREIGN.keys()
    for one in found:
        version, allowed, needed = FOREIGN[one["kind"]]
        assert one["apiVersion"] == version
        assert needed <= one["spec"].keys() <= allowed
    [route] = [one["spec"] for one in found if one["kind"] == "HTTPRoute"]
    assert [match["path"] for match in route["rules"][0]["matches"]] == [
        {"type": "Exact" if path == "/" else "PathPrefix", "value": path} for path in VALUES["publicPaths"][0]
    ]
    rules = [rule for one in found if one["kind"] == "PrometheusRule" for group in one["spec"]["groups"]
             for rule in group["rules"]]  # fmt: skip
    assert rules
    assert all(rule.keys() >= {"expr"} and ("alert" in rule) != ("record" in rule) for rule in rules)


# What kube-score asks for and we don't do, with the reason.
DECLINED = {
    "container-image-pull-policy": "tags are never moved, and a digest can be given: pods start without the registry",
    "container-ephemeral-storage-request-and-limit": "the root is read-only; /tmp is an emptyDir of 64 MiB",
    "deployment-has-host-podantiaffinity": "topologySpreadConstraints do that, and for zones too",
}


def faults(judge: Checker, objects: list[Object]) -> set[str]:
    """Ids of the checks of kube-score that don't pass. Limits of CPU would make leases late: none of them."""
    options = ["--output-format=json", "--kubernetes-version=v1.37", "--ignore-container-cpu-limit"]
    answer = judge.run("score", *options, "-", stdin=yaml.safe_dump_all(objects), accepted=frozenset({0, 1}))
    return {
        check["check"]["id"]
        for judged in json.loads(answer)
        for check in judged["checks"]
        if not check["skipped"] and check["grade"] < 10
    }


@pytest.mark.parametrize("name", ["defaults", "everything"])
def test_kube_score_asks_for_nothing_else(kube_score: Checker, helm: Helm, name: str) -> None:
    known = [one for one in rendered(helm, TABLE[name]) if one["kind"] not in FOREIGN]
    assert faults(kube_score, known) == DECLINED.keys()


def container(objects: list[Object]) -> Object:
    pod = pods(objects)
    found = pod["containers"][0]
    assert isinstance(found, dict)
    return found


def pods(objects: list[Object]) -> Object:
    found = one_of(objects, "Deployment", "anka-shim")["spec"]["template"]["spec"]
    assert isinstance(found, dict)
    return found


def one_of(objects: list[Object], kind: str, name: str) -> Object:
    return next(one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name))


BROKEN: dict[str, tuple[Callable[[list[Object]], Any], str]] = {
    "root": (lambda o: pods(o)["securityContext"].pop("runAsNonRoot"), "may run as root"),
    "seccomp": (lambda o: pods(o)["securityContext"].pop("seccompProfile"), "has no seccomp profile"),
    "host network": (lambda o: pods(o).update(hostNetwork=True), "shares a namespace with its host"),
    "host path": (lambda o: pods(o)["volumes"].append({"name": "x", "hostPath": {}}), "mounts a folder of its host"),
    "escalation": (lambda o: container(o)["securityContext"].pop("allowPrivilegeEscalation"), "more privileges"),
    "capabilities": (lambda o: container(o)["securityContext"].pop("capabilities"), "keeps capabilities"),
    "writable": (lambda o: container(o)["securityContext"].pop("readOnlyRootFilesystem"), "write to its root"),
    "requests": (lambda o: container(o)["resources"].pop("requests"), "lacks requests"),
    "limits": (lambda o: container(o)["resources"]["limits"].clear(), "lacks requests, or a limit of memory"),
    "latest": (lambda o: container(o).update(image="host:5000/anka-cloud:latest"), "without a fixed tag"),
    "no tag": (lambda o: container(o).update(image="host:5000/anka-cloud"), "without a fixed tag"),
    "probe": (lambda o: container(o).pop("livenessProbe"), "has no livenessProbe"),
    "probe of no port": (lambda o: container(o)["readinessProbe"]["httpGet"].update(port="x"), "no readinessProbe"),
    "spread": (
        lambda o: pods(o)["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"].update(a="b"), "other pods",
    ),
    "budget of one": (lambda o: one_of(o, "Deployment", "anka-shim")["spec"].update(replicas=1), "no drain may take"),
    "priority": (lambda o: pods(o).pop("priorityClassName"), "does not use the PriorityClass"),
    "selector": (
        lambda o: one_of(o, "Service", "anka-shim")["spec"]["selector"].update(a="b"), "selects 0 workloads",
    ),
    "target": (
        lambda o: one_of(o, "Service", "anka-shim")["spec"]["ports"][0].update(targetPort="web"), "targets port web",
    ),
    "way in": (
        lambda o: one_of(o, "HTTPRoute", "anka-shim")["spec"]["rules"][0]["backendRefs"][0].update(port=1),
        "HTTPRoute anka-shim leads to no port",
    ),
    "ingress": (
        lambda o: one_of(o, "Ingress", "anka-shim")["spec"]["rules"][0]["http"]["paths"][0]["backend"].update(
            service={"name": "x", "port": {"name": "http"}}
        ),
        "Ingress anka-shim leads to no port",
    ),
    "certificate": (lambda o: one_of(o, "Ingress", "anka-shim")["spec"].pop("tls"), "a host without TLS"),
    "role": (lambda o: o.remove(one_of(o, "ClusterRole", "anka-shim")), "binds a role that is not there"),
    "account": (lambda o: pods(o).update(serviceAccountName="x"), "a ServiceAccount that is not there"),
    "token": (lambda o: pods(o).update(automountServiceAccountToken=False), "lacks the one that it needs"),
    "token of the test": (
        lambda o: one_of(o, "Pod", "anka-answers")["spec"].pop("automountServiceAccountToken"), "does not use",
    ),
    "policy": (
        lambda o: one_of(o, "NetworkPolicy", "anka-shim")["spec"]["podSelector"]["matchLabels"].update(a="b"),
        "is selected by 0 NetworkPolicies",
    ),
    "policy's port": (
        lambda o: one_of(o, "NetworkPolicy", "anka-shim")["spec"]["ingress"][0]["ports"][0].update(port=1),
        "can't be reached at its port",
    ),
    "monitor": (
        lambda o: one_of(o, "PodMonitor", "anka-cloud")["spec"]["selector"]["matchLabels"].update(a="b"), "PodMonitor",
    ),
    "monitor's port": (
        lambda o: one_of(o, "PodMonitor", "anka-cloud")["spec"]["podMetricsEndpoints"][0].update(port="x"),
        "asks a port",
    ),
    "probe's scheme": (
        lambda o: container(o)["readinessProbe"]["httpGet"].update(scheme="HTTP"), "that does not speak as it does",
    ),
    "monitor's scheme": (
        lambda o: one_of(o, "PodMonitor", "anka-shim")["spec"]["podMetricsEndpoints"][0].pop("scheme"),
        "the PodMonitor does not speak as the pods do",
    ),
    "file": (
        lambda o: container(o).update(args=[one.replace("root-token", "r") for one in container(o)["args"]]),
        "/etc/anka/access/root-token is mounted, and no flag names it",
    ),
    "mount": (
        lambda o: container(o)["volumeMounts"].remove({"name": "access", "mountPath": "/etc/anka/access",
                                                       "readOnly": True}),
        "/etc/anka/access/root-token is not mounted",
    ),
    "twice": (lambda o: o.append(one_of(o, "Service", "anka-shim")), "is there twice"),
    "elsewhere": (
        lambda o: one_of(o, "Service", "anka-shim")["metadata"].update(namespace="x"), "namespace of the release",
    ),
    "labels": (
        lambda o: one_of(o, "Service", "anka-shim")["metadata"].pop("labels"), "lacks the labels of the chart",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_our_linter_notices(everything: list[Object], name: str) -> None:
    change, said = BROKEN[name]
    objects = copy.deepcopy(everything)
    assert lint(objects, NAMESPACE) == []
    change(objects)
    assert said in " ".join(lint(objects, NAMESPACE))


def test_the_plain_manifests_are_what_is_dry_run(everything: list[Object]) -> None:
    """So that a file that the chart forgets is noticed here too."""
    names = {(one["kind"], one["metadata"]["name"]) for one in everything}
    for file in BASE.glob("*.yaml"):
        for one in filter(None, yaml.safe_load_all(file.read_text())):
            assert (one["kind"], one["metadata"]["name"]) in names or one["metadata"]["name"] == NAMESPACE
