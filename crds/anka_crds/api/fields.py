"""Field types that several kinds share, with the bounds that keep CEL rules within their cost budget."""

from typing import Annotated, Any

from pydantic import Field

from anka_crds.api.limits import HIGHEST_PRIORITY, LOWEST_PRIORITY, MAX_BASE64, MAX_LABEL, MAX_SECONDS, MAX_TEXT


def rule(expression: str, message: str, **extra: Any) -> dict[str, Any]:
    """One CEL rule for ``x-kubernetes-validations``. `message` names the field and the valid values."""
    return {"rule": expression, "message": message, **extra}


def validations(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"x-kubernetes-validations": list(rules)}


def immutable(*names: str, within: str = "") -> list[dict[str, Any]]:
    """Rules for the object that has these fields: none can be changed, added or removed after creation.

    `within`, such as ``spec.``, is the path from that object to the fields.
    """
    return [
        rule(
            _same(f"{within}{name}"),
            f"{name} can't be changed after creation: create a new object",
            fieldPath=f".{within}{name}",
        )
        for name in names
    ]


def mutable_with(trigger: str, *names: str, within: str = "") -> list[dict[str, Any]]:
    """Rules for the object that has these fields: after creation they can be changed, added or removed only together
    with `trigger`, which applies them. `within` as for `immutable`."""
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


def on_change(*rules: dict[str, Any], mark: str | None = None) -> dict[str, Any]:
    """One rule for the whole object, made from rules about changes of its spec. Its message is that of the first
    rule that fails.

    The apiserver evaluates the rules of an object at every write, including writes of its status. For each field of
    `spec` that a rule reads, it builds a list of all fields of the spec: a seventh of the memory that it allocated for
    an instance. Therefore the rule compares the specs as a whole, and field by field only if they differ. `mark` is a
    time in the status that each write of the status changes: if it differs, not even the specs are compared, for a
    write of the status cannot change them, nor one of the spec the status.
    """
    *others, last = rules
    unless = "" if mark is None else f"self.?status.?{mark} != oldSelf.?status.?{mark} || "
    messages = "".join(f"!({one['rule']}) ? {_literal(one['message'])} : " for one in others)
    return rule(
        f"{unless}self.spec == oldSelf.spec || ({' && '.join('(' + one['rule'] + ')' for one in rules)})",
        "a field was changed that can't be changed after creation: create a new object",
        messageExpression=f"{messages}{_literal(last['message'])}",
        fieldPath=".spec",
    )


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def exclusive(first: str, second: str, *, within: str = "", or_none: str = "") -> dict[str, Any]:
    """A rule: at most one of two fields is set. The error names the first. `within` as for `immutable`.

    The rule reads the second field first: when that one is rarely set, the apiserver usually reads one field only.
    """
    return rule(
        f"!(has(self.{within}{second}) && has(self.{within}{first}))",
        f"{first} and {second} exclude each other: give one of them{or_none}",
        fieldPath=f".{within}{first}",
    )


def at_creation(one: dict[str, Any]) -> dict[str, Any]:
    """The same rule, evaluated at creation only: for fields that are immutable, or whose changes `on_change` checks."""
    return {**one, "rule": f"oldSelf.hasValue() || {one['rule']}", "optionalOldSelf": True}


PATTERN_MESSAGE = "x-anka-pattern-message"
"""Beside `pattern` in a schema: a message that describes valid values. In the CRD such a pattern is a CEL rule with
this message, because "should match '^([0-9A-F]{2}:){5}[0-9A-F]{2}$'" does not help people."""
PATTERN_ALSO = "x-anka-pattern-also"
"""Beside `pattern`: a CEL expression that the same rule also checks."""
PATTERN_UNLESS_STORED = "x-anka-pattern-unless-stored"
"""Beside `pattern`: what an object has already passes, so the rule takes nothing away from anybody."""


def in_words(message: str, *, also: str | None = None, unless_stored: bool = False) -> dict[str, Any]:
    """The message for a text that does not match the field's pattern, in place of the regular expression.

    `also` is a CEL expression that must hold too, for what a regular expression cannot express. `unless_stored`: a text
    that an object has already stays valid, as for all patterns that are newer than the field; and a write of the status
    compares it only.
    """
    more = {PATTERN_ALSO: also, PATTERN_UNLESS_STORED: unless_stored}
    return {PATTERN_MESSAGE: message, **{key: value for key, value in more.items() if value}}


_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_BLANK = r"\s\xa0\u1680\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff"
"""Spaces, and characters that show nothing: a name must not begin with them, so that none looks empty."""
PRINTABLE = f"^[^{_CONTROL}]*$"
IS_PRINTABLE = in_words("must be one line without control characters", unless_stored=True)
LINE = f"^([^{_BLANK}{_CONTROL}][^{_CONTROL}]*)?$"
IS_LINE = in_words("must be one line without control characters, and must not begin with a blank", unless_stored=True)
ARGUMENT = f"^[^-{_BLANK}{_CONTROL}][^{_CONTROL}]*$"
"""A text that `anka` gets as a word of its command line: never an option, and nothing that a system call refuses."""
IS_ARGUMENT = in_words(
    "must be one line without control characters, and must not begin with '-' or a blank", unless_stored=True
)

DESCRIPTION = r"^([^-\x00-\x1f\x7f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*)?$"
IS_DESCRIPTION = in_words("must not begin with '-' or a line break, nor have control characters", unless_stored=True)


ObjectName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        json_schema_extra=in_words(
            "must be the name of an object: lower-case letters, digits, '-' and '.', a letter or digit at both ends"
        ),
    ),
]
"""Name of another object of this API: a DNS-1123 subdomain, like metadata.name."""

Reference = Annotated[str, Field(min_length=1, max_length=MAX_LABEL)]
"""A Mac or a group: metadata.name, or a spec.displayName that only one has. rules/references.py finds it."""

NamespaceName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=63,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        json_schema_extra=in_words(
            "must be a namespace: lower-case letters, digits and '-', a letter or digit at both ends"
        ),
    ),
]

ManagerName = Annotated[
    str,
    Field(
        max_length=63,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$",
        json_schema_extra=in_words("must be a domain, '/' and a path, such as example.com/controller"),
    ),
]
"""A domain-prefixed path: the bounds are those of spec.managedBy of a Job in batch/v1."""

Line = Annotated[str, Field(max_length=MAX_TEXT, pattern=LINE, json_schema_extra=IS_LINE)]
"""A text that is shown as a name."""

Label = Annotated[str, Field(min_length=1, max_length=MAX_LABEL, pattern=ARGUMENT, json_schema_extra=IS_ARGUMENT)]
"""A short text that people choose, and that commands take: template names, tags, display names of groups and Macs."""

Argument = Annotated[str, Field(min_length=1, max_length=64, pattern=ARGUMENT, json_schema_extra=IS_ARGUMENT)]
"""A value of an option of `anka`."""

Description = Annotated[str, Field(max_length=MAX_TEXT, pattern=DESCRIPTION, json_schema_extra=IS_DESCRIPTION)]
"""Lines that `anka` gets as a word of its command line."""

Text = Annotated[str, Field(max_length=MAX_TEXT)]

RegistryUrl = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2048,
        pattern=r"^https?://[A-Za-z0-9._\[\]:-]+(/[A-Za-z0-9._~/-]*)?$",
        json_schema_extra=in_words("must be a URL that begins with http:// or https://, without a login in it"),
    ),
]
"""Address of an Anka registry. A login does not belong into it: everybody on the Mac sees arguments of processes."""

Base64 = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_BASE64,
        # A longer expression, such as one that counts groups, breaks CEL's cost limit with the longest text.
        pattern=r"^[A-Za-z0-9+/\r\n]*=?[\r\n]*=?[\r\n]*$",
        json_schema_extra=in_words(
            "must be base64: A-Z, a-z, 0-9, '+' and '/' in groups of 4, filled up with '='; try: base64 < script.sh",
            also=r"size(self.replace('\n', '').replace('\r', '')) % 4 == 0",
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
"""Capital letters, with ':' as separator, as in the legacy API: docs/reference/legacy-api.md#macaddr."""

UnicastAddress = Annotated[
    str,
    Field(
        max_length=17,
        pattern=r"^[0-9A-F][02468ACE](:[0-9A-F]{2}){5}$",
        json_schema_extra=in_words(
            "must be a MAC address of one network card, in capital letters: an even second digit, not all zeros; "
            "02:00:00:00:00:01 is one that no manufacturer has",
            also="self != '00:00:00:00:00:00'",
        ),
    ),
]
"""Not of a group: the lowest bit of the first byte is 0."""

Percent = Annotated[int, Field(ge=0, le=100)]

Priority = Annotated[int, Field(ge=HIGHEST_PRIORITY, le=LOWEST_PRIORITY)]

Seconds = Annotated[int, Field(ge=0, le=MAX_SECONDS)]
"""A time limit. 0 expires at once."""

PositiveSeconds = Annotated[int, Field(ge=1, le=MAX_SECONDS)]
