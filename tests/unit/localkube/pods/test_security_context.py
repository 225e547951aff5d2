from __future__ import annotations

from typing import Any

import pytest

from localkube.pods.security_context import CAPABILITIES, USUAL, Confinement, argv, confine, mounts

IMAGE = {"User": "65532:65532", "Cmd": ["program", "--help"]}
USUAL_NUMBERS = tuple(sorted(CAPABILITIES.index(name) for name in USUAL))


def confined(
    container: dict[str, Any], pod: dict[str, Any] | None = None, image: dict[str, Any] | None = None, **spec: Any
) -> Confinement:
    manifest = {"spec": {"securityContext": pod or {}, **spec}}
    return confine(manifest, {"name": "c", "securityContext": container}, IMAGE if image is None else image)


def test_of_nothing_said_the_image_decides() -> None:
    assert confined({}) == Confinement(65532, 65532, (65532,), None, False, False, USUAL_NUMBERS)
    assert confined({}, image={}) == Confinement(0, 0, (0,), None, False, False, USUAL_NUMBERS)
    assert confined({}, image={"User": "7"}).group == 0


def test_as_the_chart_has_it() -> None:
    strict = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}
    pod = {"runAsNonRoot": True, "runAsUser": 1, "runAsGroup": 2, "seccompProfile": {"type": "RuntimeDefault"}}
    assert confined(strict, pod) == Confinement(1, 2, (2,), None, True, True, ())


@pytest.mark.parametrize(
    ("pod", "container", "ids"),
    [
        ({"runAsUser": 1}, {}, (1, 0, (0,))),
        ({"runAsUser": 1}, {"runAsUser": 2, "runAsGroup": 3}, (2, 3, (3,))),
        ({"runAsGroup": 3}, {}, (65532, 3, (3,))),
        ({"fsGroup": 9, "supplementalGroups": [8]}, {}, (65532, 65532, (8, 9, 65532))),
    ],
)
def test_who_it_is(pod: dict[str, Any], container: dict[str, Any], ids: tuple[int, int, tuple[int, ...]]) -> None:
    found = confined(container, pod)
    assert (found.user, found.group, found.groups) == ids
    assert found.volumes_group == pod.get("fsGroup")


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"drop": ["KILL", "CAP_CHOWN"]}, USUAL - {"KILL", "CHOWN"}),
        ({"add": ["NET_ADMIN"]}, USUAL | {"NET_ADMIN"}),
        ({"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}, {"NET_BIND_SERVICE"}),
        ({"add": ["ALL"]}, set(CAPABILITIES)),
    ],
)
def test_capabilities(given: dict[str, Any], names: set[str]) -> None:
    assert {CAPABILITIES[number] for number in confined({"capabilities": given}).capabilities} == names


@pytest.mark.parametrize(
    ("container", "pod", "spec", "said"),
    [
        ({"privileged": True}, {}, {}, "container c: securityContext: privileged cannot be honoured here"),
        ({"procMount": "Unmasked"}, {}, {}, "procMount"),
        ({"capabilities": {"add": ["EVERYTHING"]}}, {}, {}, "EVERYTHING"),
        ({}, {"sysctls": [], "seLinuxOptions": {}}, {}, "pod's securityContext: seLinuxOptions, sysctls"),
        ({"seccompProfile": {"type": "Localhost"}}, {}, {}, "a seccompProfile of type Localhost"),
        ({"runAsNonRoot": True}, {"runAsUser": 0}, {}, "runAsNonRoot, and it would run as root"),
        ({}, {}, {"hostNetwork": True}, "pod: hostNetwork"),
        ({}, {}, {"dnsPolicy": "Default"}, "dnsPolicy Default"),
    ],
)
def test_what_cannot_be_honoured_is_refused(
    container: dict[str, Any], pod: dict[str, Any], spec: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        confined(container, pod, **spec)


def test_an_image_whose_user_has_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="the image's user is nobody"):
        confined({}, image={"User": "nobody"})


def test_what_is_off_is_not_refused() -> None:
    assert confined({}, hostNetwork=False, hostPID=None)


def test_containers_with_more_than_is_run_here_are_refused() -> None:
    container = {"name": "c", "lifecycle": {"preStop": {}}, "envFrom": [{}]}
    with pytest.raises(ValueError, match="container c: envFrom, lifecycle cannot be honoured"):
        confine({"spec": {}}, container, IMAGE)


@pytest.mark.parametrize(
    ("container", "image", "words"),
    [
        ({"command": ["a"]}, IMAGE, ["a"]),
        ({"command": ["a"], "args": ["b"]}, IMAGE, ["a", "b"]),
        ({"args": ["b"]}, {"Entrypoint": ["e"], "Cmd": ["c"]}, ["e", "b"]),
        ({}, {"Entrypoint": ["e"], "Cmd": ["c"]}, ["e", "c"]),
        ({}, IMAGE, ["program", "--help"]),
    ],
)
def test_its_command(container: dict[str, Any], image: dict[str, Any], words: list[str]) -> None:
    assert argv({"name": "c", **container}, image) == words


def test_no_command_at_all() -> None:
    with pytest.raises(ValueError, match="container c has no command, and neither has its image"):
        argv({"name": "c"}, {})


def test_mounts() -> None:
    found = mounts(
        {"volumeMounts": [{"name": "a", "mountPath": "/a"}, {"name": "b", "mountPath": "/b", "readOnly": True}]}
    )
    assert found == [("a", "/a", False), ("b", "/b", True)]
    with pytest.raises(ValueError, match="mount of volume a: subPath"):
        mounts({"volumeMounts": [{"name": "a", "mountPath": "/a", "subPath": "x"}]})
