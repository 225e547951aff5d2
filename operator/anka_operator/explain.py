"""Says where an instance would go now, and if nowhere, why. Reads the API once, writes nothing."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from anka_crds.api import AnkaInstance
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import ConfigError, Endpoint, load_endpoint
from anka_crds.kube.errors import ApiError
from anka_crds.kube.kinds import GROUPS, INSTANCES, NODES, TEMPLATES
from anka_crds.process.clock import SystemClock
from anka_crds.process.settings import fail
from anka_operator.scheduler.decide import Binding
from anka_operator.scheduler.explain import Explanation, Verdict, explain
from anka_operator.scheduler.queue import Pending, pending_of
from anka_operator.scheduler.score import Placement
from anka_operator.scheduler.shape import is_pending
from anka_operator.scheduler.snapshot import snapshot

PROG = "anka-operator explain"
NOWHERE = 1
"""Exit code when no node takes it now."""
SECONDS = 30.0
"""Longest time that one list may take."""


def main(argv: Sequence[str]) -> int:
    """Exit code: 0 it would get a node now, 1 it would not, 2 the question can't be answered."""
    parser = argparse.ArgumentParser(prog=PROG, description=__doc__)
    parser.add_argument("-f", "--filename", required=True, help="manifest of an AnkaInstance; - reads stdin")
    parser.add_argument("-n", "--namespace", default="default", help="namespace, if the manifest has none")
    parser.add_argument("--kubeconfig", type=Path, help="else KUBECONFIG, else the pod's service account")
    parser.add_argument(
        "--placement", type=Placement, choices=list(Placement), default=Placement.SPREAD, help="as the operator has it"
    )
    args = parser.parse_args(argv)
    instance = read(args.filename)
    instance.metadata.namespace = instance.metadata.namespace or args.namespace
    try:
        explanation = asyncio.run(ask(load_endpoint(args.kubeconfig), instance, args.placement))
    except (ConfigError, ApiError) as error:
        fail(PROG, str(error))
    print("\n".join(lines(explanation)))
    return 0 if isinstance(explanation.answer, Binding) else NOWHERE


async def ask(endpoint: Endpoint, instance: AnkaInstance, placement: Placement) -> Explanation:
    """Raises ApiError."""
    async with KubeClient(endpoint, SystemClock(), user_agent=PROG.replace(" ", "-")) as client:
        nodes, templates, groups, instances = await asyncio.gather(
            client.list(NODES, deadline=SECONDS),
            client.list(TEMPLATES, deadline=SECONDS),
            client.list(GROUPS, deadline=SECONDS),
            client.list(INSTANCES, deadline=SECONDS),
        )
    seen = snapshot(
        nodes=nodes.items,
        templates=templates.items,
        groups=groups.items,
        instances=instances.items,
        placement=placement,
    )
    return explain(instance, seen, _place(instance, instances.items, seen.queue.drop))


def _place(instance: AnkaInstance, others: Sequence[AnkaInstance], drop: Any) -> Pending:
    """Its own place in the queue if it waits there already, else that of one created now."""
    name = instance.metadata.name, instance.metadata.namespace
    for other in others:
        if (other.metadata.name, other.metadata.namespace) == name and is_pending(other):
            drop(other.metadata.uid)
            return Pending(instance.spec.priority, pending_of(other).created, other.metadata.uid)
    return Pending(instance.spec.priority, datetime.now(UTC), "")


# --- the manifest ---


def read(filename: str) -> AnkaInstance:
    """The AnkaInstance in a file. Ends the process with one clear line for each thing that is wrong."""
    where = "stdin" if filename == "-" else filename
    try:
        text = sys.stdin.read() if filename == "-" else Path(filename).read_text("utf-8")
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except (OSError, UnicodeDecodeError) as error:
        fail(PROG, f"{where} can't be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}")
    except yaml.YAMLError as error:
        fail(PROG, f"{where} is not YAML: {' '.join(str(error).split())}")
    if len(documents) != 1 or not isinstance(documents[0], dict):
        fail(PROG, f"{where} must contain exactly one object, an AnkaInstance: it has {len(documents)} documents")
    data = documents[0]
    if data.get("kind") != "AnkaInstance":
        fail(PROG, f"{where} has kind {data.get('kind')!r}: only an AnkaInstance can be explained")
    try:
        instance = AnkaInstance.model_validate({key: value for key, value in data.items() if key != "status"})
    except ValidationError as error:
        fail(PROG, *(f"{where}: {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()))
    if unknown := unknown_fields(data["spec"], instance.spec, "spec"):
        fail(PROG, *(f"{where}: {path}: there is no such field" for path in unknown))
    return instance


def unknown_fields(data: dict[str, Any], parsed: BaseModel, path: str) -> list[str]:
    """Paths in `data` that the model does not have: a typing error must not pass for an answer."""
    names = {field.alias or name: name for name, field in type(parsed).model_fields.items()}
    found = []
    for key, value in data.items():
        if key not in names:
            found.append(f"{path}.{key}")
            continue
        inner = getattr(parsed, names[key])
        pairs = list(zip(value, inner, strict=False)) if isinstance(inner, list) else [(value, inner)]
        for data_part, part in pairs:
            if isinstance(part, BaseModel):
                found += unknown_fields(data_part, part, f"{path}.{key}")
    return found


# --- the answer ---


def lines(explanation: Explanation) -> list[str]:
    """For people."""
    answer = explanation.answer
    if isinstance(answer, Binding):
        usb = f", with USB device {answer.claim.usb}" if answer.claim.usb is not None else ""
        pull = ", which pulls the template first" if answer.pull_needed else ""
        head = f"It would go to {answer.node}{usb}{pull}."
    else:
        head = f"It would wait: {answer.message}."
    if explanation.ahead:
        head += f" Ahead of it in the queue: {explanation.ahead}, with nodes for {explanation.placed} of them."
    if not explanation.verdicts:
        return [head]
    return [head, "", *_table(explanation.verdicts)]


def _table(verdicts: Sequence[Verdict]) -> list[str]:
    rows = [
        ("NODE", "TAKEN", "ANSWER"),
        *((verdict.node.name, _taken(verdict), _answer(verdict)) for verdict in verdicts),
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return [f"{name:<{widths[0]}}  {taken:<{widths[1]}}  {answer}" for name, taken, answer in rows]


def _taken(verdict: Verdict) -> str:
    node, use = verdict.node, verdict.use
    parts = [f"{use.vms}/{node.slots} VMs"] if node.slots is not None else [f"{use.vms} VMs"]
    if node.room is not None:
        parts.append(f"{use.vcpus}/{node.room.vcpus} vCPUs")
        parts.append(f"{use.memory_mib}/{node.room.memory_mib} MiB")
    return ", ".join(parts)


def _answer(verdict: Verdict) -> str:
    if verdict.obstacle is not None:
        return verdict.obstacle.alone
    fallback = f" as fallback {verdict.level}" if verdict.level else ""
    return f"fits{fallback}, {'pulls the template' if verdict.pull_needed else 'has the template'}"
