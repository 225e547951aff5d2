"""Shows which node an instance would get now, or why it would get none. Reads the API once and writes nothing."""

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
from anka_crds.resources import GROUPS, INSTANCES, NODES, PERMISSION_GROUPS, TEMPLATES
from anka_crds.rules.management import is_ours
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.endpoint import ConfigError, Endpoint
from anka_kube.errors import ApiError
from anka_runtime.cli import Call, Command, from_arguments
from anka_runtime.settings import fail
from anka_scheduler.decide import Binding
from anka_scheduler.explain import Explanation, NodeAssessment, build_input, explain
from anka_scheduler.queue import QueuedInstance, to_queued
from anka_scheduler.score import Placement
from anka_scheduler.shape import is_pending

PROG = "anka-operator explain"
NOWHERE = 1
"""Exit code if no node takes it now."""
SECONDS = 30.0
"""Longest time that one list may take."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-f", "--filename", required=True, help="manifest of an AnkaInstance; - reads stdin")
    parser.add_argument("-n", "--namespace", default="default", help="namespace, if the manifest has none")
    parser.add_argument("--kubeconfig", type=Path, help="else KUBECONFIG, else the pod's service account")
    parser.add_argument(
        "--placement",
        type=Placement,
        choices=list(Placement),
        default=Placement.SPREAD,
        help="the operator's --placement",
    )
    parser.add_argument(
        "--enable-resource-permissions", action="store_true", help="the operator has --enable-resource-permissions"
    )


def run(call: Call[argparse.Namespace]) -> int:
    """Exit code: 0 it would get a node now, 1 it would not, 2 bad input or no answer from the API."""
    args = call.options
    instance = read_manifest(args.filename)
    instance.metadata.namespace = instance.metadata.namespace or args.namespace
    try:
        explanation = asyncio.run(_explain(args, instance))
    except (ConfigError, ApiError) as error:
        fail(PROG, str(error))
    print("\n".join(format_explanation(explanation)))
    return 0 if isinstance(explanation.answer, Binding) else NOWHERE


async def _explain(args: argparse.Namespace, instance: AnkaInstance) -> Explanation:
    return await explain_in_cluster(
        load_endpoint(args.kubeconfig),
        instance,
        args.placement,
        enforces_permissions=args.enable_resource_permissions,
    )


COMMAND = Command("explain", "show which node an instance would get now", from_arguments(add_arguments, __doc__), run)


async def explain_in_cluster(
    endpoint: Endpoint, instance: AnkaInstance, placement: Placement, *, enforces_permissions: bool = False
) -> Explanation:
    """Raises ApiError."""
    async with KubeClient(endpoint, user_agent=PROG.replace(" ", "-")) as client:
        nodes, templates, groups, instances = await asyncio.gather(
            client.list(NODES, deadline=SECONDS),
            client.list(TEMPLATES, deadline=SECONDS),
            client.list(GROUPS, deadline=SECONDS),
            client.list(INSTANCES, deadline=SECONDS),
        )
        owners = await client.list(PERMISSION_GROUPS, deadline=SECONDS) if enforces_permissions else None
    ours = [one for one in instances.items if is_ours(one)]
    seen = build_input(
        nodes=nodes.items,
        templates=templates.items,
        groups=groups.items,
        instances=ours,
        placement=placement,
        permission_groups=None if owners is None else owners.items,
    )
    return explain(instance, seen, _place(instance, ours, seen.queue.remove))


def _place(instance: AnkaInstance, others: Sequence[AnkaInstance], drop: Any) -> QueuedInstance:
    """Its place in the queue if it is already waiting, else that of an instance created now."""
    name = instance.metadata.name, instance.metadata.namespace
    for other in others:
        if (other.metadata.name, other.metadata.namespace) == name and is_pending(other):
            drop(other.metadata.uid)
            return QueuedInstance(instance.spec.priority, to_queued(other).created, other.metadata.uid)
    return QueuedInstance(instance.spec.priority, datetime.now(UTC), "")


# --- the manifest ---


def read_manifest(filename: str) -> AnkaInstance:
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
    """Paths in `data` that the model does not have: a typo must not go unnoticed."""
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


def format_explanation(explanation: Explanation) -> list[str]:
    """The explanation as lines of text."""
    answer = explanation.answer
    if isinstance(answer, Binding):
        usb = f", with USB device {answer.claim.usb}" if answer.claim.usb is not None else ""
        pull = ", which pulls the template first" if answer.needs_pull else ""
        head = f"It would go to {answer.node}{usb}{pull}."
    else:
        head = f"It would wait: {answer.message}."
    if explanation.ahead:
        head += f" Ahead of it in the queue: {explanation.ahead}, with nodes for {explanation.placed} of them."
    if not explanation.assessments:
        return [head]
    return [head, "", *_table(explanation.assessments)]


def _table(assessments: Sequence[NodeAssessment]) -> list[str]:
    rows = [
        ("NODE", "TAKEN", "ANSWER"),
        *((assessment.node.name, _format_usage(assessment), _format_answer(assessment)) for assessment in assessments),
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return [f"{name:<{widths[0]}}  {taken:<{widths[1]}}  {answer}" for name, taken, answer in rows]


def _format_usage(assessment: NodeAssessment) -> str:
    node, usage = assessment.node, assessment.usage
    parts = [f"{usage.vms}/{node.vm_slots} VMs"] if node.vm_slots is not None else [f"{usage.vms} VMs"]
    if node.allocatable is not None:
        parts.append(f"{usage.vcpus}/{node.allocatable.vcpus} vCPUs")
        parts.append(f"{usage.memory_mib}/{node.allocatable.memory_mib} MiB")
    return ", ".join(parts)


def _format_answer(assessment: NodeAssessment) -> str:
    if assessment.rejection is not None:
        return assessment.rejection.predicate
    fallback = f" as fallback {assessment.group_position}" if assessment.group_position else ""
    return f"fits{fallback}, {'pulls the template' if assessment.needs_pull else 'has the template'}"
