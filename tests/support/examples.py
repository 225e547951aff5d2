"""Every example, applied as its first lines say, and taken away again."""

from __future__ import annotations

import json

from anka_dev.cloud import LocalCloud
from anka_dev.repository import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


def all_become_ready(cloud: LocalCloud) -> None:
    """On a cloud with the Macs mac-01 and mac-02; its registry's first template is the one they name."""
    assert EXAMPLES
    for mac, group in (("mac-01", "ios"), ("mac-02", "general")):
        cloud.kubectl.run("patch", "ankanode", mac, "--type=merge", f'--patch={{"spec":{{"groups":["{group}"]}}}}')
    for example in EXAMPLES:
        cloud.kubectl.run("apply", "--validate=strict", f"--filename={example}")
    cloud.wait_for("nodegroup/ios", "condition=Ready")
    cloud.wait_for("nodegroup/general", "condition=Ready")
    for name in ("hello", "ci-job-1042"):
        cloud.wait_for(f"ankainstance/{name}", "condition=Ready")
    cloud.wait_for("templatedistribution/macos-15-everywhere", "condition=Ready")

    job = json.loads(cloud.kubectl.run("get", "ankainstance", "ci-job-1042", "--output=json"))["status"]
    assert job["nodeName"] == "mac-01"
    assert job["startupScript"]["returnCode"] == 0
    assert job["startupScript"]["stdout"].strip()
    assert sorted(rule["guestPort"] for rule in job["vm"]["portForwarding"]) == [22, 8080]
    assert job["vm"]["cpuCores"] == 4

    cloud.wait_for("saveimage/golden", "condition=Ready")
    cloud.wait_for("ankainstance/golden", "delete")
    save = json.loads(cloud.kubectl.run("get", "saveimage", "golden", "--output=json"))["status"]
    assert (save["phase"], save["scriptResult"]["returnCode"]) == ("Done", 0)
    assert cloud.registry is not None
    rows = cloud.macs["mac-01"].run("registry", "describe", cloud.registry.templates[0])["versions"]
    assert "prepared" in [row["tag"] for row in rows]

    for example in EXAMPLES:
        cloud.kubectl.run("delete", "--ignore-not-found", f"--filename={example}")
    assert cloud.vm_names() == []
