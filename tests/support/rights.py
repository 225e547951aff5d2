"""Rights, each of who, where, what and verb: those that a chart grants, those that an audit log shows in use. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Right:
    """``who``: the name of a user, or of a group. ``namespace``: empty for everywhere. ``group``: empty for core.
    ``name``: of the one object that it is about; empty for all."""

    who: str
    namespace: str
    group: str
    resource: str
    verb: str
    name: str = ""

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        what += f" {self.name}" if self.name else ""
        return f"{self.who}: {self.verb} {what} {f'in {self.namespace}' if self.namespace else 'everywhere'}"


@dataclass(frozen=True)
class Granted:
    """A right, and where it is written: the role, the number of its rule."""

    right: Right
    kind: str
    role: str
    rule: int


def granted(objects: Iterable[Mapping[str, Any]]) -> Iterator[Granted]:
    """All that these bindings give by these roles. KeyError for a binding to a role that is not among them."""
    known = list(objects)
    roles = {
        (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): item["rules"]
        for item in known
        if item["kind"] in ("Role", "ClusterRole")
    }
    for item in known:
        if item["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        namespace = item["metadata"].get("namespace", "")
        ref = item["roleRef"]
        rules = roles[ref["kind"], namespace if ref["kind"] == "Role" else "", ref["name"]]
        for subject in item["subjects"]:
            for number, rule in enumerate(rules):
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        for verb in rule["verbs"]:
                            for name in rule.get("resourceNames", [""]):
                                right = Right(_name(subject), namespace, group, resource, verb, name)
                                yield Granted(right, ref["kind"], ref["name"], number)


def lacking(rules: Sequence[Mapping[str, Any]], one: Granted) -> list[dict[str, Any]]:
    """The rules of its role without this right: the rule's other resources keep the verb, and this one its others."""
    rule = rules[one.rule]
    rest = [verb for verb in rule["verbs"] if verb != one.right.verb]
    others = [resource for resource in rule["resources"] if resource != one.right.resource]
    left = [
        made
        for made in ({**rule, "resources": others}, {**rule, "resources": [one.right.resource], "verbs": rest})
        if made["resources"] and made["verbs"]
    ]
    return [dict(made) for made in (*rules[: one.rule], *left, *rules[one.rule + 1 :])]


def bound(role: str, user: str = "") -> Mapping[str, Any]:
    """A binding of this cluster role to a user; by default one of the same name."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"test-{role}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user or role}],
    }


def _name(subject: Mapping[str, str]) -> str:
    if subject["kind"] == "ServiceAccount":
        return f"system:serviceaccount:{subject['namespace']}:{subject['name']}"
    return subject["name"]


def covers(right: Right, event: Mapping[str, Any]) -> bool:
    """Whether this request needs this right."""
    user, asked = event["user"], event.get("objectRef", {})
    resource = asked.get("resource", "") + (f"/{asked['subresource']}" if "subresource" in asked else "")
    return (
        (right.who == user.get("username") or right.who in user.get("groups", ()))
        and right.namespace in ("", asked.get("namespace", ""))
        and right.name in ("", asked.get("name", ""))
        and (right.group, right.resource, right.verb) == (asked.get("apiGroup", ""), resource, event["verb"])
    )


def refused(event: Mapping[str, Any]) -> bool:
    """By RBAC; what an admission policy refuses was allowed before."""
    return bool(event.get("annotations", {}).get("authorization.k8s.io/decision") == "forbid")
