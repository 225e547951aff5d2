"""examples/gitops: the health script for Argo CD in a real Lua, the objects of both tools, and the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa import lua51

from anka_crds.api import KINDS, KINDS_WITH_STATUS
from support.phases import CURRENT, FAILED, IN_PROGRESS, TERMINATING, Seen, every

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "gitops"
GROUP = "anka.veertu.com"
# What Argo CD calls what kstatus calls otherwise.
HEALTH = {IN_PROGRESS: "Progressing", TERMINATING: "Progressing", CURRENT: "Healthy", FAILED: "Degraded"}


def documents(*path: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(FOLDER.joinpath(*path).read_text()))


def script() -> str:
    [config] = documents("argo-cd", "argocd-cm.yaml")
    # A key with another character would be refused by the apiserver.
    assert all(re.fullmatch(r"[-._a-zA-Z0-9]+", key) for key in config["data"])
    customizations = yaml.safe_load(config["data"]["resource.customizations"])
    return str(customizations[f"{GROUP}/*"]["health.lua"])


def health(obj: dict[str, Any]) -> tuple[str, str]:
    """As Argo CD does it: Lua 5.1, the object as the global `obj`, no libraries of the operating system."""
    lua = lua51.LuaRuntime(register_eval=False, register_builtins=False)
    lua.execute("io, os, package, require, dofile, loadfile = nil")
    lua.globals().obj = lua.table_from(obj, recursive=True)
    answer = lua.execute(script())
    return answer.status, answer.message


@pytest.mark.parametrize("seen", every(), ids=str)
def test_argo_cd_sees_what_flux_sees(seen: Seen) -> None:
    status, message = health(seen.object)
    assert status == HEALTH[seen.kstatus]
    assert isinstance(message, str)


@pytest.mark.parametrize("status", [{}, {"observedGeneration": 1}, {"observedGeneration": 1, "conditions": []}])
def test_an_object_that_says_nothing_is_not_healthy(status: dict[str, Any]) -> None:
    for obj in ({"metadata": {"generation": 1}, "status": status}, {"metadata": {"generation": 1}}):
        assert health(obj)[0] == "Progressing"


def test_a_kind_without_a_status_is_healthy_at_once() -> None:
    for kind in KINDS:
        obj = {"kind": kind.__name__, "metadata": {"generation": 1}}
        assert (health(obj)[0] == "Healthy") == (kind not in KINDS_WITH_STATUS)


def test_trouble_is_told_in_our_words() -> None:
    failed = next(seen for seen in every() if str(seen) == "AnkaInstance: node lost")
    assert health(failed.object) == ("Degraded", "Node mac-1 is lost")


def test_argo_cd_owns_fields_and_lets_the_apiserver_compare() -> None:
    [application] = documents("argo-cd", "application.yaml")
    assert application["spec"]["syncPolicy"]["syncOptions"] == ["ServerSideApply=true"]
    assert application["metadata"]["annotations"] == {"argocd.argoproj.io/compare-options": "ServerSideDiff=true"}


def test_flux_waits_for_all_of_it() -> None:
    source, kustomization = documents("flux", "kustomization.yaml")
    assert kustomization["spec"]["sourceRef"] == {"kind": source["kind"], "name": source["metadata"]["name"]}
    assert kustomization["spec"]["wait"] is True
    assert kustomization["spec"]["path"] == "./build-cloud"
    assert (FOLDER / "build-cloud").is_dir()


def test_the_repository_lists_all_its_files_and_holds_no_jobs() -> None:
    [listed] = documents("build-cloud", "kustomization.yaml")
    files = {path.name for path in (FOLDER / "build-cloud").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed["resources"]) == files
    kinds = {item["kind"] for file in files for item in documents("build-cloud", file)}
    assert kinds == {"NodeGroup", "AnkaNode", "AnkaTemplate", "AnkaInstance"}
