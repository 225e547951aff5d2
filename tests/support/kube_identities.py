"""Identities of a scripted cluster: it answers TokenReviews and SubjectAccessReviews about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from support.jwt import raw_token
from support.scripted_api import ScriptedApi

Json = dict[str, Any]
Attributes = tuple[str, str, str]
"""Verb, resource with its subresource, namespace; empty for all."""


def service_account(name: str, namespace: str = "ci") -> Json:
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    user = f"system:serviceaccount:{namespace}:{name}"
    return {"username": user, "uid": f"uid of {name}", "groups": groups, "extra": {"example.org/pod": ["p"]}}


@dataclass
class KubeIdentities:
    """`users`: by token. `allowed`: by user name. `audiences`: whom all tokens are for."""

    users: dict[str, Json] = field(default_factory=dict)
    allowed: dict[str, set[Attributes]] = field(default_factory=dict)
    audiences: tuple[str, ...] = ("anka",)
    token_reviews: list[Json] = field(default_factory=list)
    access_reviews: list[Json] = field(default_factory=list)

    def serve(self, api: ScriptedApi) -> None:
        api.reviews |= {"tokenreviews": self.review_token, "subjectaccessreviews": self.review_access}

    def add(self, name: str, *allowed: Attributes, namespace: str = "ci", expires: float | None = None) -> str:
        """A token of this ServiceAccount, which may do this."""
        claims: Json = {"iss": "https://kubernetes.default.svc", "sub": name, "jti": str(len(self.users))}
        token = raw_token(claims if expires is None else {**claims, "exp": expires})
        user = service_account(name, namespace)
        self.users[token] = user
        self.allowed[user["username"]] = set(allowed)
        return token

    def allow(self, name: str, *allowed: Attributes, namespace: str = "ci") -> None:
        """This, and nothing else from now on."""
        self.allowed[service_account(name, namespace)["username"]] = set(allowed)

    def review_token(self, spec: Json) -> Json:
        self.token_reviews.append(spec)
        user = self.users.get(spec["token"])
        audiences = [one for one in spec["audiences"] if one in self.audiences]
        if user is None or not audiences:
            return {"authenticated": False, "error": "[invalid bearer token]"}
        return {"authenticated": True, "user": user, "audiences": audiences}

    def review_access(self, spec: Json) -> Json:
        self.access_reviews.append(spec)
        asked = spec["resourceAttributes"]
        assert asked["group"] == "anka.veertu.com"
        resource = "/".join(filter(None, (asked["resource"], asked.get("subresource"))))
        wanted = (asked["verb"], resource, asked.get("namespace", ""))
        return {"allowed": wanted in self.allowed.get(spec["user"], ())}
