"""Field types that several kinds share, with the bounds that keep CEL rules within their cost budget."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field


def rule(expression: str, message: str, **extra: Any) -> dict[str, Any]:
    """One CEL rule for ``x-kubernetes-validations``. `message` names the field and says what is right."""
    return {"rule": expression, "message": message, **extra}


def validations(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"x-kubernetes-validations": list(rules)}


def frozen(*names: str) -> list[dict[str, Any]]:
    """Rules for the object that holds these fields: none may be changed, added or removed after creation."""
    return [
        rule(
            f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || self.{name} == oldSelf.{name})",
            f"{name} can't be changed after creation: create a new object",
            fieldPath=f".{name}",
        )
        for name in names
    ]


def changed_with(trigger: str, *names: str) -> list[dict[str, Any]]:
    """Rules for the object that holds these fields: they may be changed, added or removed after creation only together
    with `trigger`, which makes them count."""
    changed = f"has(self.{trigger}) && (!has(oldSelf.{trigger}) || self.{trigger} != oldSelf.{trigger})"
    return [
        rule(
            f"({changed}) || (has(self.{name}) == has(oldSelf.{name})"
            f" && (!has(self.{name}) || self.{name} == oldSelf.{name}))",
            f"{name} can be changed only together with {trigger}, which makes it count",
            fieldPath=f".{name}",
        )
        for name in names
    ]


def on_change(*rules: dict[str, Any]) -> dict[str, Any]:
    """These rules about changes as one, which is skipped when nothing of the object changed. It tells the first that
    is broken.

    The apiserver evaluates rules at every write, of the status too, and pays for each field that one looks at: some
    0.5 ms for the ten fields of a spec, a tenth of what a status write costs it.
    """
    *others, last = rules
    told = "".join(f"!({one['rule']}) ? {_literal(one['message'])} : " for one in others)
    return rule(
        f"self == oldSelf || ({' && '.join('(' + one['rule'] + ')' for one in rules)})",
        "a field was changed that can't be changed after creation: create a new object",
        messageExpression=f"{told}{_literal(last['message'])}",
    )


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def exclusive(first: str, second: str, *, path: str, or_none: str = "") -> dict[str, Any]:
    """A rule: at most one of two fields. The error is shown at `path`."""
    return rule(
        f"!(has(self.{first}) && has(self.{second}))",
        f"{first} and {second} exclude each other: give one of them{or_none}",
        fieldPath=path,
    )


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
