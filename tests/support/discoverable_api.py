"""The scripted API with discovery, which kopf needs to find the kinds that it watches.

kopf never lists anything unless it finds namespaces and events, too.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from anka_crds.api.meta import GROUP, VERSION
from anka_crds.resources import DISTRIBUTIONS, GROUPS, INSTANCES, MAC_POOLS, NODES, PERMISSION_GROUPS, SAVES, TEMPLATES
from anka_kube.resource import Resource
from support.scripted_api import ScriptedApi

KINDS: tuple[Resource[Any], ...] = (
    INSTANCES,
    NODES,
    TEMPLATES,
    GROUPS,
    DISTRIBUTIONS,
    SAVES,
    MAC_POOLS,
    PERMISSION_GROUPS,
)


class DiscoverableApi(ScriptedApi):
    def answer_discovery(self, path: str) -> web.Response | None:
        version = {"groupVersion": f"{GROUP}/{VERSION}", "version": VERSION}
        ours = [_describe(kind.plural, kind.kind, kind.namespaced) for kind in KINDS]
        answers = {
            "/api": {"versions": ["v1"]},
            "/api/v1": {"resources": [_describe("namespaces", "Namespace", False), _describe("events", "Event", True)]},
            "/apis": {"groups": [{"name": GROUP, "versions": [version], "preferredVersion": version}]},
            f"/apis/{GROUP}/{VERSION}": {"resources": ours},
        }
        answer = answers.get(path)
        return None if answer is None else web.json_response(answer)


def _describe(plural: str, kind: str, namespaced: bool) -> dict[str, object]:
    return {
        "name": plural,
        "singularName": kind.lower(),
        "kind": kind,
        "namespaced": namespaced,
        "verbs": ["list", "watch", "patch"],
    }
