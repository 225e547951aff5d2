"""Manifests with texts that nobody would write, applied with kubectl to a whole cloud: each is refused, or its instance
ends Started or in Error, and every one can be deleted. Nothing is tried for ever."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import time
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from localkube.errors import DevError
from support.cloud import TEMPLATE

pytestmark = pytest.mark.e2e

Json = dict[str, Any]

INSTANCES = 70
SAVES = 4
START_SECONDS = 15
WAITING = {"tag", "usbDevice", "serial", "uuid", "secret"}
"""What an instance may rightly wait for: it gets a deadline for its start. Without one, what cannot start must end by
itself."""
SECONDS = 240.0

NASTY = (
    "\0", "a\0b", "\x01", "\x1b[31mred", "\x7f", "\x85", "\u2028", "-", "--force", "-rf /", "--", " ", "  x", "x ",
    "\t", "\n", "a\nb", "\r", "'", '"', "`id`", "$(id)", "${HOME}", "$ts", "$template_name$", "$", "%s%n", "{}", "\\",
    "\\0", "/", "..", "../../etc", "a/b", ";", "|", "&", "*", "?", "#", "=", "a=b", ",", "0", "-1", "1e9", "null",
    "true", "\ud800", "\ufeff", "\ufffe", "\u202e", "\u200b", "\u0301", "é", "ß", "İ", "漢字", "🦀", "a" * 200,
    "🦀" * 70, "mgmtManaged-", "anka", "localhost", "{", "</script>",
)  # fmt: skip


TEXTS = ("displayName", "externalId", "nameTemplate", "tag", "permissionGroup", "usbDevice", "vncPassword")


class Fuzz:
    """Random parts of manifests."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def text(self) -> str:
        parts = [self._random.choice(NASTY) for _ in range(self._random.randint(1, 3))]
        if self._random.random() < 0.5:
            parts.insert(self._random.randint(0, len(parts)), "name")
        return "".join(parts)

    def instance(self, number: int) -> Json:
        spec: Json = {"template": TEMPLATE}
        choices = self._choices()
        some = self._random.sample(sorted(choices), self._random.randint(1, 3))
        for name in some:
            spec |= choices[name]
        if not WAITING.isdisjoint(some):
            spec["startDeadlineSeconds"] = START_SECONDS
        return _manifest("AnkaInstance", f"fuzz-{number}", spec)

    def save(self, number: int, instance: str) -> Json:
        spec = {"instance": instance, "tag": self.text(), "newTemplateName": self.text(), "description": self.text()}
        spec["script"] = self._encoded()
        keep = {"instance", "tag", "newTemplateName", *self._random.sample(sorted(spec), 2)}
        return _manifest("SaveImage", f"fuzz-{number}", {name: value for name, value in spec.items() if name in keep})

    def _choices(self) -> dict[str, Json]:
        script = {"content": self._encoded(), "monitoring": True, "timeoutSeconds": 5}
        return {
            **{name: {name: self.text()} for name in TEXTS},
            "metadata": {"metadata": {self.text(): self.text(), "key": self.text()}},
            "port": {"portForwarding": [{"name": self.text(), "guestPort": 80}]},
            "hostIp": {"portForwarding": [{"name": "x", "guestPort": 80, "hostIp": self.text()}]},
            "serial": {"hardware": {"serial": self.text()}},
            "uuid": {"hardware": {"uuid": self.text()}},
            "script": {"startupScript": script | {"failHandler": self._random.choice(["Stop", "Keep", "Delete"])}},
            "secret": {"vncPasswordSecretRef": {"name": "not-there", "key": self.text()}},
        }

    def _encoded(self) -> str:
        return base64.b64encode(self.text().encode("utf-8", "replace")).decode()


def _manifest(kind: str, name: str, spec: Json) -> Json:
    metadata = {"name": name, "labels": {"fuzz": "yes"}}
    return {"apiVersion": "anka.veertu.com/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


class Stage:
    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud

    def create(self, manifests: list[Json]) -> set[str]:
        """Names of those that were refused, each with a message."""
        items, said = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}), ""
        try:
            self._cloud.kubectl.run("create", "--validate=ignore", "--filename=-", stdin=items)
        except DevError as error:
            said = str(error)
        assert "panic" not in said
        assert "Internal" not in said
        return set(re.findall(r'"(fuzz-\d+)" is (?:invalid|forbidden)', said))

    def phases(self, kind: str) -> dict[str, str]:
        shown = self._cloud.kubectl.run("get", kind, "--selector=fuzz=yes", "--output=json")
        return {one["metadata"]["name"]: one["status"]["phase"] for one in json.loads(shown)["items"]}

    def delete(self, kind: str, names: list[str]) -> None:
        if names:
            self._cloud.kubectl.run("delete", kind, *names, "--wait=false", "--ignore-not-found")


def test_each_is_refused_or_ends_and_all_can_be_deleted(cloud: LocalCloud) -> None:
    seed = int(os.environ.get("ANKA_TEST_SEED", "1"))
    print(f"ANKA_TEST_SEED={seed}")
    fuzz, stage = Fuzz(seed), Stage(cloud)
    manifests = {one["metadata"]["name"]: one for one in map(fuzz.instance, range(INSTANCES))}
    refused = stage.create([*manifests.values()])
    left = manifests.keys() - refused
    assert refused, "nothing is bounded"
    assert len(left) > INSTANCES // 4, "almost nothing is accepted"
    saves: dict[str, Json] = {}
    deadline = time.monotonic() + SECONDS
    while left:
        phases, saved = stage.phases("ankainstances"), stage.phases("saveimages")
        ended = {name for name in left if phases.get(name) in ("Started", "Error", None)}
        for name in sorted(ended):
            if phases.get(name) == "Started" and len(saves) < SAVES:
                save = fuzz.save(len(saves), name)
                saves[name] = {} if stage.create([save]) else save
                saved[save["metadata"]["name"]] = "Pending"
        # One that is saved is gone after that; one that is not runs on.
        busy = {
            name for name, save in saves.items() if save and saved.get(save["metadata"]["name"], "Pending") == "Pending"
        }
        left -= ended - busy
        stage.delete("ankainstances", sorted(ended - busy))
        stuck = [(phases.get(name), manifests[name]["spec"], saves.get(name)) for name in left]
        assert time.monotonic() < deadline, f"these do not end: {json.dumps(stuck)}"
    cloud.kubectl.run("delete", "saveimages,ankainstances", "--selector=fuzz=yes", "--timeout=60s", timeout=70)
    assert not [name for name in cloud.vm_names() if "fuzz" in name]
    assert stage.phases("ankainstances") == {}
