"""Field types that several kinds share, with the bounds that keep CEL rules within their cost budget."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field


def rule(expression: str, message: str, **extra: Any) -> dict[str, Any]:
    """One CEL rule for ``x-kubernetes-validations``. `message` names the field and says what is right."""
    return {"rule": expression, "message": message, **extra}


def validations(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"x-kubernetes-validations": list(rules)}


def frozen(*names: str, within: str = "") -> list[dict[str, Any]]:
    """Rules for the object that holds these fields: none may be changed, added or removed after creation.

    `within`, such as ``spec.``, is the way from that object to the fields.
    """
    return [
        rule(
            _same(f"{within}{name}"),
            f"{name} can't be changed after creation: create a new object",
            fieldPath=f".{within}{name}",
        )
        for name in names
    ]


def changed_with(trigger: str, *names: str, within: str = "") -> list[dict[str, Any]]:
    """Rules for the object that holds these fields: they may be changed, added or removed after creation only together
    with `trigger`, which makes them count. `within` as for `frozen`."""
    mark = f"{within}{trigger}"
    changed = f"has(self.{mark}) && (!has(oldSelf.{mark}) || self.{mark} != oldSelf.{mark})"
    return [
        rule(
            f"({changed}) || ({_same(f'{within}{name}')})",
            f"{name} can be changed only together with {trigger}, which makes it count",
            fieldPath=f".{within}{name}",
        )
        for name in names
    ]


def _same(field: str) -> str:
    return f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"


def on_change(*rules: dict[str, Any]) -> dict[str, Any]:
    """These rules about changes of a spec as one, for the whole object. It tells the first that is broken.

    The apiserver evaluates the rules of an object at every write, of its status too. For each field of `spec` that a
    rule looks at it builds the list of all that a spec can have: that was a seventh of all the memory that it allocated
    for an instance. So the first question is whether this is a write of the status, which can't change the spec: then
    status.updatedAt is another one. (A write of the spec can't change the status.) Only then the specs are compared,
    and only if they differ, field by field.
    """
    *others, last = rules
    told = "".join(f"!({one['rule']}) ? {_literal(one['message'])} : " for one in others)
    return rule(
        "self.?status.?updatedAt != oldSelf.?status.?updatedAt || self.spec == oldSelf.spec"
        f" || ({' && '.join('(' + one['rule'] + ')' for one in rules)})",
        "a field was changed that can't be changed after creation: create a new object",
        messageExpression=f"{told}{_literal(last['message'])}",
        fieldPath=".spec",
    )


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def exclusive(first: str, second: str, *, within: str = "", or_none: str = "") -> dict[str, Any]:
    """A rule: at most one of two fields. The error is shown at the first. `within` as for `frozen`.

    It looks at the second before the first: where that is the rare one, the apiserver mostly looks at one field only.
    """
    return rule(
        f"!(has(self.{within}{second}) && has(self.{within}{first}))",
        f"{first} and {second} exclude each other: give one of them{or_none}",
        fieldPath=f".{within}{first}",
    )


def at_creation(one: dict[str, Any]) -> dict[str, Any]:
    """A rule about fields that can't be changed later, or whose changes are the matter of `on_change`: then it need not
    be asked at every write."""
    return {**one, "rule": f"oldSelf.hasValue() || {one['rule']}", "optionalOldSelf": True}


def in_words(message: str, *, also: str | None = None) -> dict[str, Any]:
    """What people read instead of the regular expression when a text does not match this field's pattern.

    `also` is a CEL expression that must hold too, for what a regular expression can't say.
    """
    return {"x-anka-pattern-message": message, **({"x-anka-pattern-also": also} if also else {})}


ObjectName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        json_schema_extra=in_words(
            "must be the name of an object: small letters, digits, '-' and '.', with a letter or digit at both ends"
        ),
    ),
]
"""Name of another object of ours: a DNS-1123 subdomain, as metadata.name is."""

Label = Annotated[str, Field(min_length=1, max_length=256)]
"""A short text of people's choice: template names, tags, display names."""

Text = Annotated[str, Field(max_length=4096)]

Base64 = Annotated[
    str,
    Field(
        min_length=1,
        max_length=700_000,
        # A longer expression, such as one that counts groups, breaks CEL's cost limit with the longest text.
        pattern=r"^[A-Za-z0-9+/\s]*=?\s*=?\s*$",
        json_schema_extra=in_words(
            "must be base64: A-Z, a-z, 0-9, '+' and '/' in groups of 4, filled up with '='; try: base64 < script.sh",
            also=r"size(self.replace('\n', '').replace('\r', '').replace(' ', '')) % 4 == 0",
        ),
    ),
]
"""Standard base64, as ``base64 -i -`` prints it, line breaks allowed. At most 700,000 characters: etcd takes
1.5 MiB for an object."""

Port = Annotated[int, Field(ge=1, le=65535)]

MacAddress = Annotated[
    str,
    Field(
        max_length=64,
        pattern=r"^([0-9A-F]{2}:){5}[0-9A-F]{2}$",
        json_schema_extra=in_words("must be six bytes in capital letters, with ':' between them: 00:1B:44:11:3A:B7"),
    ),
]
"""Capital letters and ':' as separators (seed document, mac_address)."""

Percent = Annotated[int, Field(ge=0, le=100)]
