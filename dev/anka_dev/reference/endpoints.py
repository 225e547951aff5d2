"""docs/reference/rest.md: endpoints, parameters and answers, from the OpenAPI document that a shim serves."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from anka_dev.reference.page import Page, code, sentence, table
from localkube.errors import DevError

SECONDS = 60.0
"""Longest time for the shim to start."""
INTRODUCTION = (
    "Every endpoint with its parameters and the fields of its answer. How to use them: [REST API](../use/rest-api.md). "
    "The shim serves the same as `/docs` and `/openapi.json`. An answer is `{status, message, body}`; the fields "
    "below are those of `body`. `[]` after a field: it is a list, and the fields of its items follow."
)
REF = "#/components/schemas/"


def page() -> Page:
    return page_of(served_document())


def served_document() -> dict[str, Any]:
    """From a shim that is started for it, with a Kubernetes API that does not exist: the document needs none."""
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(nowhere()))
        port = free_port()
        with open(Path(folder) / "log", "w+") as log:
            words = [sys.executable, "-m", "anka_shim", "--kubeconfig", str(kubeconfig), "--port", str(port)]
            environment = {name: value for name, value in os.environ.items() if not name.startswith("ANKA_")}
            shim = subprocess.Popen(words, stdout=log, stderr=log, env=environment)
            try:
                return fetch(f"http://127.0.0.1:{port}/openapi.json", shim)
            except DevError:
                log.seek(0)
                raise DevError(f"the shim serves no OpenAPI document: {log.read()[-2000:]}") from None
            finally:
                shim.terminate()
                shim.wait()


def fetch(url: str, shim: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and shim.poll() is None:
        try:
            with urllib.request.urlopen(url) as answer:
                document: dict[str, Any] = json.load(answer)
                return document
        except OSError:
            time.sleep(0.1)
    raise DevError(url)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def nowhere() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "none",
        "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "none", "user": {}}],
        "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    }


def page_of(document: dict[str, Any]) -> Page:
    made = Page("REST endpoints", [INTRODUCTION])
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            add_operation(made, f"{method.upper()} {path}", operation, document)
    return made


def add_operation(made: Page, title: str, operation: dict[str, Any], document: dict[str, Any]) -> None:
    made.section(title, sentence(operation.get("summary", "")), sentence(operation.get("description", "")))
    rows: list[Sequence[str]] = [
        (code(one["name"]), one["in"], type_of(one.get("schema", {})), "", sentence(one.get("description", "")))
        for one in operation.get("parameters", [])
    ]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        rows += [(name, "body", *rest) for name, *rest in fields(content["schema"], "", document)]
    if rows:
        made.blocks += ["Takes:", table(("parameter", "in", "type", "default", "meaning"), rows)]
    answer = operation.get("responses", {}).get("200", {}).get("content", {}).get("application/json", {})
    for schema in alternatives(answer.get("schema", {}), document):
        body = schema.get("properties", {}).get("body")
        given = [(name, kind, meaning) for name, kind, _, meaning in fields(body or {}, "", document)]
        if given:
            made.blocks += ["Answers with:", table(("field", "type", "meaning"), given)]


def alternatives(schema: dict[str, Any], document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The models of a union, in order."""
    schema = resolve(schema, document)
    options = schema.get("anyOf") or schema.get("oneOf")
    if not options:
        yield schema
    else:
        for option in options:
            yield from alternatives(option, document)


def resolve(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        named: dict[str, Any] = document["components"]["schemas"][schema["$ref"].removeprefix(REF)]
        return {**resolve(named, document), **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def fields(schema: dict[str, Any], path: str, document: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Name, type, default and meaning of each field, objects before what is in them."""
    for option in alternatives(schema, document):
        if "items" in option:
            yield from fields(option["items"], f"{path}[]", document)
        required = set(option.get("required", []))
        for name, inner in option.get("properties", {}).items():
            where = f"{path}.{name}" if path else name
            shown = resolve(inner, document)
            default = "required" if name in required else default_of(shown)
            yield code(where), type_of(shown, document), default, sentence(shown.get("description", ""))
            if any(one.get("properties") or one.get("items") for one in alternatives(inner, document)):
                yield from fields(inner, where, document)


def default_of(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return "" if default in (None, "", [], {}) else code(json.dumps(default))


def type_of(schema: dict[str, Any], document: dict[str, Any] | None = None) -> str:
    if document is not None:
        schema = resolve(schema, document)
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return " or ".join(dict.fromkeys(type_of(option, document) for option in options))
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_of(schema.get('items', {}), document)}"
    return {"date-time": "time"}.get(schema.get("format", ""), str(schema.get("type", "any")))
