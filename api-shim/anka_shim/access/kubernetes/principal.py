"""Whose token it is, as a TokenReview says. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anka_shim.http.authentication import LoginMethod, Principal


@dataclass(frozen=True)
class KubernetesPrincipal(Principal):
    """A ServiceAccount or a person of the cluster. Kubernetes alone says what they may do: groups of theirs that are
    called as permission groups are give no right, or `kubectl auth can-i` would not tell the truth."""

    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What else the cluster knows about them: it is handed back when their rights are asked for."""


def read_principal(status: Mapping[str, Any], audience: str) -> KubernetesPrincipal | None:
    """None if the token is not valid for this audience. An API that does not know audiences confirms none."""
    user = status.get("user")
    if status.get("authenticated") is not True or audience not in _texts(status.get("audiences")):
        return None
    if not isinstance(user, Mapping) or not isinstance(name := user.get("username"), str) or not name:
        return None
    extra = user.get("extra")
    pairs = sorted(extra.items()) if isinstance(extra, Mapping) else ()
    return KubernetesPrincipal(
        name,
        groups=frozenset(_texts(user.get("groups"))),
        method=LoginMethod.KUBERNETES,
        uid=str(user.get("uid") or ""),
        extra=tuple((str(key), _texts(values)) for key, values in pairs),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
