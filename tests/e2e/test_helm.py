"""What helm makes of the chart. No cluster is asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from anka_dev.local_kubernetes import chart_release
from anka_dev.repository import BASE
from localkube.controlplane.helm import Helm
from localkube.errors import DevError
from localkube.progress import say_on_stderr

pytestmark = pytest.mark.e2e

OWN = ("app.kubernetes.io/", "helm.sh/")


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Built first if need be: minutes, then cached."""
    directory: Path = tmp_path_factory.mktemp("helm")
    return chart_release(directory / "none.kubeconfig", directory, say_on_stderr)


def objects(text: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    found = {}
    for item in filter(None, yaml.safe_load_all(text)):
        metadata = item["metadata"]
        found[item["kind"], metadata.get("namespace", ""), metadata["name"]] = item
    return found


def bare(item: dict[str, Any]) -> dict[str, Any]:
    """Without what only helm adds: its labels, and the note that a namespace stays."""
    labels = {key: value for key, value in item["metadata"].get("labels", {}).items() if not key.startswith(OWN)}
    rest = {key: value for key, value in item["metadata"].items() if key not in ("labels", "annotations")}
    return item | {"metadata": rest | ({"labels": labels} if labels else {})}


def test_the_chart_is_what_the_plain_manifests_are(helm: Helm) -> None:
    helm.lint({})
    rendered = objects(helm.template({"policies": {"finalizer": True}}))
    for file in sorted(BASE.glob("*.yaml")):
        for key, item in objects(file.read_text()).items():
            if key != ("Namespace", "", "anka-system"):  # helm makes the release's own
                assert bare(rendered[key]) == item, key


def test_other_namespaces_leave_no_trace_of_the_usual_ones(helm: Helm) -> None:
    values = {"namespaces": {"nodes": "macs", "instances": "ci", "joining": "doors"}, "policies": {"finalizer": True}}
    text = helm.template(values)
    assert "anka-nodes" not in text
    assert "anka-ci" not in text
    assert "anka-joining" not in text
    assert "--joining-namespace=doors" in text
    assert "system:serviceaccount:macs:node-" in text


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"registry": {"url": "registry:8089"}}, "registry"),
    ({"shim": {"replicas": 0}}, "replicas"),
    ({"shim": {"flag": {}}}, "flag"),
    ({"logs": {"level": "LOUD"}}, "level"),
    ({"service": {"spec": {"ports": []}}}, "/service/spec/ports"),
    ({"shim": {"flags": {"kubeconfig": "x"}}}, "/shim/flags/kubeconfig"),
    ({"publicPaths": ["api"]}, "publicPaths"),
    ({"podLabels": {"app.kubernetes.io/name": "x"}}, "/podLabels/app.kubernetes.io"),
    ({"commonLabels": {"app.kubernetes.io/instance": "x"}}, "/commonLabels/app.kubernetes.io"),
    # What the schema cannot say: values that need or limit each other.
    ({"gateway": {"enabled": True}}, "gateway.parents is empty: name the Gateway that the route attaches to"),
    ({"certificate": {"enabled": True}}, "certificate.enabled needs ingress.enabled"),
    ({"registry": {"internalUrl": "http://r"}}, "registry.internalUrl needs registry.url, by which the Macs pull"),
    ({"registry": {"caSecret": "ca"}}, "registry.caSecret and registry.credentials need registry.url"),
    (
        {"registry": {"url": "http://r", "credentials": {"secretName": "s"}}},
        "registry.credentials.apiKeyId is needed: the id of the key in that Secret",
    ),
    ({"registry": {"url": "http://r", "caSecret": "ca"}}, "are for a registry whose URL begins with https://"),
    ({"namespaces": {"nodes": "anka-ci"}}, "namespaces.nodes: anka-ci is the namespace of something else too"),
    ({"namespaces": {"nodes": "anka-system"}}, "namespaces.nodes: anka-system is the namespace of something else too"),
    (
        {"namespaces": {"joining": "anka-nodes"}},
        "namespaces.joining: anka-nodes is the namespace of something else too",
    ),
    ({"shim": {"flags": {"port": 80}}}, "shim.flags.port: set shim.port instead"),
    ({"shim": {"flags": {"host": "127.0.0.1"}}}, "shim.flags.host: set listen instead"),
    ({"shim": {"flags": {"namespace": "ci"}}}, "shim.flags.namespace: set namespaces.instances instead"),
    ({"operator": {"flags": {"health-port": 80}}}, "operator.flags.health-port: set operator.port instead"),
    ({"operator": {"flags": {"health-host": "::1"}}}, "operator.flags.health-host: set listen instead"),
    (
        {"operator": {"flags": {"node-namespace": "macs"}}},
        "operator.flags.node-namespace: set namespaces.nodes instead",
    ),
    (
        {"operator": {"flags": {"joining-namespace": "x"}}},
        "operator.flags.joining-namespace: set namespaces.joining instead",
    ),
    (
        {"shim": {"flags": {"join-server-url": "https://c"}}, "policies": {"writers": False}},
        "shim.flags.join-server-url needs policies.writers: nothing else limits a join token",
    ),
    ({"operator": {"flags": {"namespace": "x"}}}, "operator.flags.namespace: set the release's namespace instead"),
    ({"shim": {"volumes": [{"name": "tmp", "emptyDir": {}}]}}, "shim.volumes: tmp is a volume of the chart's own"),
    ({"shim": {"volumes": [{"name": "access", "secret": {}}]}}, "shim.volumes: access is a volume of the chart's own"),
    # How it was set before there were values for it.
    ({"shim": {"flags": {"enable-auth": True}}}, "shim.flags.enable-auth: set auth.enabled instead"),
    ({"shim": {"flags": {"root-token-file": "/x"}}}, "shim.flags.root-token-file: set auth.rootToken instead"),
    ({"shim": {"flags": {"tls-cert-file": "/x"}}}, "shim.flags.tls-cert-file: set tls.secretName instead"),
    ({"shim": {"peerKeySecret": "peers"}}, "peerKeySecret"),
    ({"operator": {"flags": {"make-access-secret": True}}}, "set auth.rootToken.secretName instead"),
    ({"auth": {"rootToken": {"value": "topsecret"}}}, "/auth/rootToken"),
    ({"auth": {"rootToken": {"secretName": "Not A Name"}}}, "/auth/rootToken/secretName"),
    ({"auth": {"oidc": {"providerUrl": "http://id"}}}, "/auth/oidc/providerUrl"),
    ({"auth": {"enabled": False, "kubernetesTokens": True}}, "auth.kubernetesTokens needs auth.enabled"),
    ({"auth": {"enabled": False, "authorization": True}}, "auth.authorization needs auth.enabled"),
    (
        {"resourcePermissions": {"enabled": True}},
        "resourcePermissions.enabled needs auth.enabled and auth.authorization",
    ),
    ({"auth": {"certificates": {"caSecret": "c"}}}, "auth.certificates.caSecret needs tls.secretName or"),
    ({"auth": {"certificates": {"crlSecret": "c"}}}, "need auth.certificates.caSecret: whose certificates count"),
    (
        {"auth": {"certificates": {"caSecret": "c", "header": "nginx"}}},
        "auth.certificates.header needs shim.flags.trusted-proxies",
    ),
    ({"auth": {"oidc": {"providerUrl": "https://id"}}}, "auth.oidc.providerUrl needs auth.oidc.clientId"),
    ({"auth": {"oidc": {"providerUrl": "https://id", "clientId": "a"}}}, "providerUrl needs auth.authorization"),
    ({"auth": {"oidc": {"clientId": "a"}}}, "auth.oidc needs auth.oidc.providerUrl"),
    ({"auth": {"oidc": {"clientSecret": {"secretName": "s"}}}}, "auth.oidc.clientSecret needs auth.oidc.siteUrl"),
    (
        {"operator": {"flags": {"leader-renew-seconds": 20}}},
        "operator.flags: leader-retry-seconds < leader-renew-seconds",
    ),
    ({"operator": {"flags": {"leader-lease-seconds": 4.5}}}, "is needed, not 1, 5, 4.5"),
    ({"shim": {"flags": {"drain-seconds": 25}}}, "shim.flags.drain-seconds: at most 20"),
    (
        {"shim": {"flags": {"max-bodies-bytes": 500_000_000}}},
        "half of 1Gi is for requests, and shim.flags let them take 598304000 bytes: max-bodies-bytes, 16 KiB for each",
    ),
    ({"shim": {"flags": {"max-in-flight": 20_000}}}, "half of 1Gi is for requests, and"),
    ({"shim": {"flags": {"max-connections": 5000}}}, "half of 1Gi is for requests, and"),
    ({"shim": {"flags": {"max-body-bytes": 300_000_000}}}, "shim.flags.max-body-bytes: at most 268435456"),
    ({"shim": {"resources": {"limits": {"memory": "2Mi"}}}}, "shim.flags.max-body-bytes: at most 524288"),
]


@pytest.mark.parametrize(("values", "said"), WRONG, ids=str)
def test_wrong_values_are_named(helm: Helm, values: dict[str, Any], said: str) -> None:
    with pytest.raises(DevError, match=re.escape(said)):
        helm.template(values)


def test_all_faults_are_told_at_once(helm: Helm) -> None:
    values = {"gateway": {"enabled": True}, "shim": {"flags": {"port": 80}}}
    with pytest.raises(DevError, match=r"gateway\.parents is empty.*; shim\.flags\.port"):
        helm.template(values)


def test_flags_that_only_look_wrong(helm: Helm) -> None:
    """One below the other, whatever their defaults."""
    flags = {"leader-lease-seconds": 60, "leader-renew-seconds": 40, "leader-retry-seconds": 0.5}
    text = helm.template({"operator": {"flags": flags}, "shim": {"flags": {"peers": None, "log-level": "DEBUG"}}})
    assert '"--leader-renew-seconds=40"' in text


FLAGS = ("max-bodies-bytes", "max-in-flight", "max-connections")


def limits(text: str) -> list[int | None]:
    found = [re.search(rf"--{flag}=(\d+)", text) for flag in FLAGS]
    return [match and int(match[1]) for match in found]


@pytest.mark.parametrize(
    ("limit", "flags", "wanted"),
    [
        ("1Gi", {}, [268_435_456, 2000, 1000]),
        ("1G", {}, [250_000_000, 2000, 1000]),
        (1_073_741_824, {}, [268_435_456, 2000, 1000]),
        ("1.5Gi", {}, [402_653_184, 2000, 1000]),
        ("128Mi", {}, [33_554_432, 1024, 256]),
        ("524288Ki", {}, [134_217_728, 2000, 1000]),
        ("1Ti", {}, [274_877_906_944, 2000, 1000]),
        (None, {}, [None, None, None]),
        ("1Gi", {"max-bodies-bytes": 2_000_000}, [2_000_000, 2000, 1000]),
        ("1Gi", {"max-connections": 3000}, [268_435_456, 2000, 3000]),
        (None, {"max-in-flight": 5000}, [None, 5000, None]),
    ],
)
def test_what_requests_may_take_fits_into_memory(
    helm: Helm, limit: str | int | None, flags: dict[str, int], wanted: list[int | None]
) -> None:
    values = {"shim": {"resources": {"limits": {"memory": limit}}, "flags": flags}}
    assert limits(helm.template(values)) == wanted


def test_without_secrets_there_is_no_right_to_them(helm: Helm) -> None:
    for secrets in (True, False):
        found = objects(helm.template({"rbac": {"secrets": secrets}, "auth": {"enabled": False}}))
        rules = [rule for key, item in found.items() if key[0] in ("Role", "ClusterRole") for rule in item["rules"]]
        assert any("secrets" in rule["resources"] for rule in rules) is secrets


CREDENTIALS = {
    "rootToken": {"registry-root-token-file"},
    "apiKey": {"registry-api-key-id", "registry-api-key-file"},
    "certificate": {"registry-cert-file", "registry-key-file"},
}


def test_who_makes_join_tokens(helm: Helm) -> None:
    """Nobody but administrators, unless the portal is to."""
    for url in ("", "https://cluster.example:6443"):
        values = {"namespaces": {"joining": "door"}, "shim": {"flags": {"join-server-url": url} if url else {}}}
        found = objects(helm.template(values))
        roles = [(kind, namespace) for kind, namespace, name in found if name == "anka-join-tokens"]
        assert sorted(roles) == ([("Role", "door"), ("RoleBinding", "door")] if url else [])
        arguments = arguments_of(found, "anka-shim")
        assert "--joining-namespace=door" in arguments
        assert (f"--join-server-url={url}" in arguments) is bool(url)


def test_the_shim_explains_with_the_operator_s_placement(helm: Helm) -> None:
    found = objects(helm.template({"operator": {"flags": {"placement": "pack"}}}))
    for name in ("anka-operator", "anka-shim"):
        assert "--placement=pack" in arguments_of(found, name)


def arguments_of(found: dict[tuple[str, str, str], dict[str, Any]], name: str) -> list[str]:
    (deployment,) = (one for (kind, _, called), one in found.items() if (kind, called) == ("Deployment", name))
    arguments: list[str] = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    return arguments


def test_where_the_event_log_goes(helm: Helm) -> None:
    """The operator alone sends it: the shim has neither the Secret nor the way."""
    log = {"enabled": True, "url": "https://events.example.com:8443/x", "headersSecret": "h", "format": "cloudevents"}
    found = objects(helm.template({"eventLog": log}))
    flags = {}
    for part in ("operator", "shim"):
        pod = found["Deployment", "anka-system", f"anka-{part}"]["spec"]["template"]["spec"]
        flags[part] = [flag for flag in pod["containers"][0]["args"] if "event-log" in flag]
        assert ("event-log" in [volume["name"] for volume in pod["volumes"]]) is (part == "operator")
        rules = found["NetworkPolicy", "anka-system", f"anka-{part}"]["spec"]["egress"]
        ports = [port["port"] for rule in rules for port in rule["ports"]]
        assert (8443 in ports) is (part == "operator")
    assert flags["shim"] == []
    assert sorted(flags["operator"]) == [
        "--enable-event-log",
        "--event-log-format=cloudevents",
        "--event-log-headers-file=/etc/anka/event-log/headers",
        "--event-log-url=https://events.example.com:8443/x",
    ]


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_how_both_log_in_at_the_registry(helm: Helm, kind: str) -> None:
    """Flags name files of the mounted Secrets: no secret is in the manifests."""
    credentials = {"secretName": "key", "kind": kind, "apiKeyId": "cloud"}
    values = {"registry": {"url": "https://r", "caSecret": "own-ca", "credentials": credentials}}
    found = objects(helm.template({**values, "auth": {"enabled": False}}))
    for name in ("anka-operator", "anka-shim"):
        pod = found["Deployment", "anka-system", name]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        flags = dict(argument.removeprefix("--").split("=", 1) for argument in container["args"])
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        secrets = {one["name"]: one["secret"]["secretName"] for one in pod["volumes"] if "secret" in one}
        files = {
            flag: secrets[mounts[path.rsplit("/", 1)[0]]] for flag, path in flags.items() if flag.endswith("-file")
        }
        of_registry = {flag for flag in flags if flag.startswith("registry-")}
        assert of_registry == {"registry-url", "registry-ca-file"} | CREDENTIALS[kind]
        wanted = {"registry-ca-file": "own-ca"} | {flag: "key" for flag in CREDENTIALS[kind] if flag.endswith("-file")}
        assert files == wanted
