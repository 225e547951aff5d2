"""Random pushes, reverts, deletions, saves and starts, through two shims, past both of them, and by agents: nobody gets
a version that was gone before the request, nor an older latest than one that was told as done.

ANKA_SEED repeats a run. The model is one list of tags for each template; a start that runs beside other acts may get
what was the latest at any moment since it was asked. Each push has a content of its own, a file in the home directory,
also when the tag is one that was there before: a VM that starts while nothing else happens has what was pushed last."""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from anka_dev.cloud import LocalCloud
from anka_dev.cloud.macs import RegistryHost
from anka_sim.registry import seed
from anka_sim.registry.catalog import RegistryCatalog
from localkube.free_ports import free_port
from support.cloud import FAST_MAC

pytestmark = pytest.mark.e2e

ACTS = 60
SAVES = 3
PATIENCE_SECONDS = 60.0
SIZE = 1000
"""Of every version: the registry's list shows no push."""


@dataclass
class Start:
    """`allowed`: the tags that were right at any moment since it was asked."""

    id: str
    template: str
    allowed: set[str]
    tag: str | None = None


@dataclass
class Model:
    cloud: LocalCloud
    registry: RegistryHost
    chance: random.Random
    tags: dict[str, list[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    contents: dict[tuple[str, str], str] = field(default_factory=dict)
    """By template and tag: what was pushed last."""
    removed: dict[str, list[str]] = field(default_factory=dict)
    """By REST, so that every replica must know it."""
    pending: list[Start] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    made: int = 0

    def __post_init__(self) -> None:
        self.http = httpx.Client(timeout=30)
        self.catalog = RegistryCatalog(self.registry.directory)

    # --- REST, by any replica ---

    def ask(self, method: str, path: str, **data: Any) -> dict[str, Any]:
        url = self.chance.choice(self.cloud.urls) + path
        answer = self.http.request(method, url, content=json.dumps(data) if data else None).json()
        told = f"{answer['status']} {answer.get('message')} {str(answer.get('body'))[:80]}"
        self.log.append(f"{method} {url} {data} -> {told}")
        assert isinstance(answer, dict)
        return answer

    def body(self, method: str, path: str, **data: Any) -> Any:
        answer = self.ask(method, path, **data)
        assert answer["status"] == "OK", answer
        return answer.get("body")

    def until(self, true: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := true()):
            assert time.monotonic() < deadline, what
            time.sleep(0.05)
        return found

    # --- contents ---

    def push(self, name: str, tag: str, template: str | None = None) -> str:
        """A version with a content of its own; the template's UUID."""
        with tempfile.TemporaryDirectory() as home:
            content = self.new_content()
            (Path(home) / "content").write_text(content)
            template = seed.template(self.registry.directory, name, tag=tag, uuid=template, size=SIZE, home=home)
        self.contents[template, tag] = content
        self.log.append(f"outside: push {template}:{tag} with {content}")
        return template

    def new_content(self) -> str:
        self.made += 1
        return f"content {self.made}"

    def content_in(self, vm: dict[str, Any]) -> Path:
        """The file in a VM that differs with each push."""
        return self.cloud.macs[vm["node"]].guest_home(vm["uuid"]) / "content"

    def wait_started(self, id_: str) -> dict[str, Any]:
        """Where the VM is."""

        def look() -> dict[str, Any]:
            status = self.status_of(id_)
            assert status.get("phase") != "Error", status
            return status if status.get("phase") == "Started" else {}

        status = self.until(look, f"instance {id_}")
        return {"node": status["nodeName"], "uuid": status["vm"]["uuid"]}

    def start_and_look(self) -> None:
        template = self.any_template()
        if not self.tags[template]:
            return
        tag = self.chance.choice((None, self.tags[template][-1], self.chance.choice(self.tags[template])))
        given = {} if tag is None else {"tag": tag}
        (id_,) = self.body("POST", "/api/v1/vm", vmid=template, **given)
        got = self.content_in(self.wait_started(id_)).read_text()
        self.log.append(f"{id_} of {template}:{tag} runs {got}")
        assert got == self.contents[template, tag or self.tags[template][-1]]
        self.body("DELETE", "/api/v1/vm", id=id_)

    def push_same_tag(self) -> None:
        """The newest one once more, with another content."""
        template = self.any_template()
        if not self.tags[template]:
            return
        tag, how = self.tags[template][-1], self.chance.choice(("over it", "revert", "revert by REST"))
        if how == "revert":
            self.catalog.revert(template)
        elif how == "revert by REST":
            self.body("DELETE", f"/api/v1/registry/revert?id={template}&tag={tag}")
        self.push(self.names[template], tag, template)

    # --- acts ---

    def new_tag(self) -> str:
        self.made += 1
        return f"t{self.made}"

    def any_template(self) -> str:
        return self.chance.choice(sorted(self.tags))

    def changed(self, template: str) -> None:
        """Starts that are under way may get what is right now, too."""
        for start in self.pending:
            if start.template == template and start.tag is None and self.tags[template]:
                start.allowed.add(self.tags[template][-1])

    def push_outside(self) -> None:
        template, tag = self.any_template(), self.new_tag()
        self.push(self.names[template], tag, template)
        self.tags[template].append(tag)
        self.changed(template)

    def revert_outside(self) -> None:
        template = self.any_template()
        if self.tags[template]:
            self.catalog.revert(template)
            self.log.append(f"outside: revert {template}:{self.tags[template][-1]}")
            self.tags[template].pop()
            self.changed(template)

    def revert(self) -> None:
        template = self.any_template()
        known = self.tags[template]
        if not known:
            return
        first = self.chance.randrange(len(known))
        how = self.chance.choice(("tag", "latest", "all"))
        if how == "latest":
            first, query = len(known) - 1, ""
        elif how == "all":
            first, query = 0, f"&number={self.catalog.get(template)['versions'][0]['number']}"
        else:
            query = f"&tag={known[first]}"
        self.body("DELETE", f"/api/v1/registry/revert?id={template}{query}")
        self.removed[template] = known[first:]
        self.tags[template] = known[:first]
        self.changed(template)

    def delete_and_push_again(self) -> None:
        template = self.any_template()
        self.body("DELETE", f"/api/v1/registry/vm?id={template}")
        gone, self.tags[template] = self.tags[template], []
        assert template not in [row["id"] for row in self.body("GET", "/api/v1/registry/vm")]
        for word in (template, self.names[template]):
            assert self.ask("POST", "/api/v1/vm", vmid=word)["message"] == "VM not in the registry"
        self.removed[template] = gone
        tag = self.new_tag()
        self.push(self.names[template], tag, template)
        self.tags[template] = [tag]
        self.changed(template)

    def start(self) -> Start | None:
        template = self.any_template()
        word = self.chance.choice((template, self.names[template]))
        known = self.tags[template]
        if not known:
            message = self.ask("POST", "/api/v1/vm", vmid=word)["message"]
            # Reverted by others: that may be seen a little later, and then the instance waits.
            assert message in ("", f"the registry has no version of template {self.names[template]}"), message
            return None
        tag = self.chance.choice((None, None, self.chance.choice(known)))
        given = {} if tag is None else {"tag": tag}
        (id_,) = self.body("POST", "/api/v1/vm", vmid=word, **given)
        start = Start(str(id_), template, {tag or known[-1]}, tag)
        self.pending.append(start)
        return start

    def start_what_was_removed(self) -> None:
        template = self.any_template()
        gone = [tag for tag in self.removed.get(template, []) if tag not in self.tags[template]]
        for tag in (*gone[:2], "never"):
            answer = self.ask("POST", "/api/v1/vm", vmid=template, tag=tag)
            assert answer["message"] == f"No such tag {tag}"

    def distribute(self) -> None:
        template = self.any_template()
        if self.tags[template]:
            latest = self.tags[template][-1]
            id_ = self.body("POST", "/api/v1/registry/vm/distribute", template_id=template)["request_id"]
            found = self.until(lambda: self.distribution(id_).get("template"), f"distribution {id_}")
            assert found["tag"] == latest

    def distribution(self, id_: str) -> dict[str, Any]:
        found = self.cloud.kubectl.run("get", "templatedistribution", id_, "-ojson")
        status: dict[str, Any] = json.loads(found).get("status", {})
        return status

    def show(self) -> None:
        """One template, as the registry has it now, by every replica."""
        template = self.any_template()
        for url in self.cloud.urls:
            answer = self.http.get(f"{url}/api/v1/registry/vm?id={template}").json()
            assert [one["tag"] for one in answer["body"]["versions"]] == self.tags[template]

    def save(self) -> None:
        """Told as done: everybody who starts the template from then on gets it."""
        template = self.any_template()
        if not self.tags[template]:
            return
        (id_,) = self.body("POST", "/api/v1/vm", vmid=template)
        vm, content = self.wait_started(id_), self.new_content()
        self.content_in(vm).write_text(content)
        revert = self.chance.random() < 0.7
        # The usual way of CI: one tag, pushed again and again.
        tag = self.tags[template][-1] if revert and self.chance.random() < 0.7 else self.new_tag()
        more = {"revert_before_push": True} if revert else {}
        asked = self.body("POST", "/api/v1/image", id=id_, target_vm_id=template, tag=tag, suspend=False, **more)
        request = asked["request_id"]
        self.until(lambda: self.image(request)["status"] != "pending", f"image {request}")
        assert self.image(request)["status"] == "done"
        if revert:
            self.removed[template] = [self.tags[template].pop()]
        self.tags[template].append(tag)
        self.contents[template, tag] = content
        self.changed(template)
        for url in self.cloud.urls:
            for given in ({}, {"tag": tag}):
                answer = self.http.post(f"{url}/api/v1/vm", content=json.dumps({"vmid": template, **given})).json()
                self.log.append(f"after the save: {url} {given} -> {answer}")
                assert answer["status"] == "OK", answer
                self.pending.append(Start(answer["body"][0], template, {tag}, given.get("tag")))

    # --- outcomes ---

    def vm(self, id_: str) -> dict[str, Any]:
        answer = self.ask("GET", f"/api/v1/vm?id={id_}")
        return answer["body"] if answer["status"] == "OK" else {}

    def image(self, id_: str) -> dict[str, Any]:
        found = self.body("GET", f"/api/v1/image?id={id_}")
        assert isinstance(found, dict)
        return found

    def check(self, *, all_of_them: bool = False) -> None:
        """What became of the starts that have a node by now; those are ended."""
        for start in tuple(self.pending):
            status = self.status(start)
            if all_of_them and start.tag in (None, *self.tags[start.template]) and self.tags[start.template]:
                status = self.until(lambda start=start: (one := self.status(start)).get("nodeName") and one, str(start))  # type: ignore[misc]
            if status.get("nodeName"):
                got = status["template"]["tag"]
                self.log.append(f"{start.id} got {got}, allowed {start.allowed}")
                assert got in start.allowed
            if status.get("nodeName") or all_of_them:
                self.body("DELETE", "/api/v1/vm", id=start.id)
                self.pending.remove(start)

    def status(self, start: Start) -> dict[str, Any]:
        return self.status_of(start.id)

    def status_of(self, id_: str) -> dict[str, Any]:
        items = json.loads(self.cloud.kubectl.run("get", "ankainstances", "-A", "-ojson"))["items"]
        found: dict[str, Any] = next(one.get("status", {}) for one in items if one["metadata"]["name"] == id_)
        return found


@pytest.fixture(scope="module")
def cloud(make_cloud: Callable[[], LocalCloud]) -> LocalCloud:
    """Two replicas of the shim, and the default times of the operator."""
    cloud = make_cloud()
    cloud.start_operator()
    ports = [free_port(), free_port()]
    peers = ",".join(f"127.0.0.1:{port}" for port in ports)
    for port in ports:
        cloud.start_shim(f"--peers={peers}", "--peer-seconds=2", port=port)
    for name in ("mac-01", "mac-02"):
        cloud.add_mac(name, "--max-vm-count=12", "--heartbeat=2", "--lease-duration=8", "--poll=0.5",
                      **{**FAST_MAC, "max_running": 12})  # fmt: skip
    cloud.wait_ready()
    return cloud


def test_nobody_gets_what_was_gone_or_older_than_what_was_done(cloud: LocalCloud) -> None:
    seed = int(os.environ.get("ANKA_SEED") or random.randrange(1 << 32))
    print(f"ANKA_SEED={seed}")
    assert cloud.registry is not None
    model = Model(cloud, cloud.registry, random.Random(seed))
    for name in ("model-a", "model-b"):
        uuid = model.push(name, "t0")
        model.tags[uuid], model.names[uuid] = ["t0"], name
        # It is not mirrored yet: the registry is asked.
        start = model.ask("POST", "/api/v1/vm", vmid=name, tag="t0")
        assert start["status"] == "OK", start
        model.pending.append(Start(start["body"][0], uuid, {"t0"}, "t0"))
    acts = [
        *[model.push_outside] * 5, *[model.revert_outside] * 2, *[model.revert] * 3, *[model.start] * 8,
        *[model.push_same_tag] * 5, *[model.start_and_look] * 8,
        *[model.start_what_was_removed] * 2, *[model.distribute] * 2, *[model.show] * 2, model.delete_and_push_again,
    ]  # fmt: skip
    plan = [model.chance.choice(acts) for _ in range(ACTS)]
    for place in sorted(model.chance.sample(range(ACTS), SAVES)):
        plan.insert(place, model.save)
    try:
        for act in plan:
            model.log.append(f"--- {act.__name__}")
            act()
            if model.chance.random() < 0.5 or len(model.pending) > 8:
                model.check()
        model.check(all_of_them=True)
    except BaseException:
        print("\n".join(model.log[-60:]))
        raise
