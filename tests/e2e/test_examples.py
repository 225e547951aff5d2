"""Every example, applied as its first lines say."""

import json
import time

import pytest

from anka_dev.cloud import LocalCloud
from anka_dev.repository import ROOT
from localkube.errors import DevError
from support.examples import all_become_ready

pytestmark = pytest.mark.e2e


def test_all_of_them_become_ready(cloud: LocalCloud) -> None:
    all_become_ready(cloud)


def test_the_quota_stops_the_instance_that_is_too_many(cloud: LocalCloud) -> None:
    here = "--namespace=team-with-quota"

    def create(*names: str) -> None:
        kind = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaInstance", "spec": {"template": "not-there"}}
        items = [kind | {"metadata": {"name": name}} for name in names]
        manifest = {"kind": "List", "apiVersion": "v1", "items": items}
        cloud.kubectl.run("create", here, "--filename=-", stdin=json.dumps(manifest))

    def is_counted() -> bool:
        """Kubernetes looks for new kinds every 30 s, and counts them for quotas that come after that."""
        cloud.kubectl.run("delete", "resourcequota", "anka", here, "--ignore-not-found")
        cloud.kubectl.run("apply", here, f"--filename={ROOT / 'examples' / 'limits' / 'resource-quota.yaml'}")
        used = ("get", "resourcequota", "anka", here, "--output=jsonpath={.status.used}")
        return any("ankainstances" in cloud.kubectl.run(*used) for _ in range(20))

    cloud.kubectl.run("create", "namespace", "team-with-quota")
    deadline = time.monotonic() + 180
    while not is_counted():
        assert time.monotonic() < deadline
    create("first")
    with pytest.raises(DevError, match="exceeded quota: anka, requested: count/ankainstances"):
        create(*(f"vm-{number}" for number in range(50)))
    assert len(cloud.kubectl.run("get", "ankainstances", here, "--output=name").split()) == 50
    cloud.kubectl.run("delete", "ankainstances", "--all", here)
    cloud.kubectl.run("delete", "namespace", "team-with-quota", "--wait=false")
