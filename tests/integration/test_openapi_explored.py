"""Requests made from the OpenAPI document, valid ones and broken ones, to a real shim on a real control plane: every
answer is one that the document describes.

The seed is ANKA_TEST_SEED, 1 if absent: the same requests in every run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from anka_dev.cloud import LocalCloud
from anka_shim.http.rights import RIGHTS, Right
from support.api_keys import ROOT, SEAL_KEY, TOKEN
from support.closed_stage import let_shim_know_who_asks

pytestmark = pytest.mark.integration

SEED = int(os.environ.get("ANKA_TEST_SEED", "1"))
EXAMPLES = 12
"""Of each kind, for each endpoint: some 400 requests."""
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
REFUSED = '{"status":"FAIL","message":"Authentication Required"}\n'
ACCESS_PATHS = ("/admin/", "/tap/", "/config/", "/api/v1/apikey")
EXPLORED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def urls(make_cloud: Callable[[], LocalCloud], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """An open shim, and a closed one with all that authentication brings. No Macs: what is started waits, and what is
    ended is gone at once."""
    folder = tmp_path_factory.mktemp("explored")
    (folder / "root").write_text(TOKEN)
    (folder / "seal").write_text(SEAL_KEY)
    cloud = make_cloud()
    let_shim_know_who_asks(cloud)
    cloud.start_operator("--registry-seconds=1")
    cloud.start_shim("--max-count=2")
    cloud.start_shim(
        *("--max-count=2", "--enable-auth", f"--root-token-file={folder / 'root'}", "--enable-authorization"),
        *("--enable-api-keys", f"--seal-key-file={folder / 'seal'}"),
    )
    cloud.wait_ready()
    print(f"ANKA_TEST_SEED={SEED}")
    yield cloud.urls
    cloud.check()


@pytest.fixture(scope="module")
def url(urls: list[str]) -> str:
    return urls[0]


@pytest.fixture(scope="module")
def closed(urls: list[str]) -> str:
    return urls[1]


def operations(url: str, headers: Mapping[str, str] = MappingProxyType({})) -> Iterator[Any]:
    for result in schemathesis.openapi.from_url(f"{url}/openapi.json", headers=dict(headers)).get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if not operation.path.startswith("/metrics"):
            yield operation


def check(case: Any, url: str, session: requests.Session) -> None:
    validate(case, case.call(base_url=url, session=session, timeout=60))


def validate(case: Any, response: Any) -> None:
    """As the document says, and the envelope wherever the old API has one."""
    case.validate_response(response, checks=CHECKS)
    if case.operation.path.startswith(("/api/", "/config/")):
        answer = response.json()
        assert {"status", "message"} <= answer.keys() <= {"status", "message", "body"}, answer
        assert "detail" not in answer
        assert (answer["status"] == "FAIL") == bool(answer["message"]), answer


def check_refused(case: Any, url: str, session: requests.Session) -> None:
    response = case.call(base_url=url, session=session, timeout=60)
    validate(case, response)
    route = f"{case.operation.method.upper()} {case.operation.path}".replace("{name}", "{name:path}")
    if RIGHTS[route] is not Right.NONE:
        assert (response.status_code, response.text) == (401, REFUSED)


def explore(
    operation: Any,
    mode: GenerationMode,
    url: str,
    session: requests.Session,
    check: Callable[[Any, str, requests.Session], None] = check,
) -> int:
    """How many requests were sent."""
    sent = 0

    @seed(SEED)
    @EXPLORED
    @given(operation.as_strategy(generation_mode=mode))
    def holds(case: Any) -> None:
        nonlocal sent
        sent += 1
        check(case, url, session)

    holds()
    return sent


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_every_answer_is_one_of_the_documents(url: str, mode: GenerationMode, subtests: pytest.Subtests) -> None:
    sent = {}
    with requests.Session() as session:
        for operation in operations(url):
            if mode is GenerationMode.NEGATIVE and not (operation.query or operation.body):
                continue
            with subtests.test(operation.label):
                sent[operation.label] = explore(operation, mode, url, session)
    print(f"seed {SEED}: {sum(sent.values())} requests to {len(sent)} endpoints")
    assert sum(sent.values()) > 3 * EXAMPLES


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_every_answer_to_root_is_one_of_the_documents(
    closed: str, mode: GenerationMode, subtests: pytest.Subtests
) -> None:
    """With what an open shim does not have: keys, groups, and logging in."""
    found = 0
    with requests.Session() as session:
        session.headers.update(ROOT)
        for operation in operations(closed, ROOT):
            if not operation.path.startswith(ACCESS_PATHS) or (
                mode is GenerationMode.NEGATIVE and not (operation.query or operation.body)
            ):
                continue
            with subtests.test(operation.label):
                found += explore(operation, mode, closed, session)
    assert found > EXAMPLES


def test_without_credentials_every_answer_is_one_of_the_documents(closed: str, subtests: pytest.Subtests) -> None:
    """And says nothing but that some are required."""
    with requests.Session() as session:
        for operation in operations(closed, ROOT):
            with subtests.test(operation.label):
                explore(operation, GenerationMode.POSITIVE, closed, session, check=check_refused)


def made(code: int, content: bytes, content_type: str) -> httpx.Response:
    response = httpx.Response(code, content=content, headers={"content-type": content_type})
    response.request = httpx.Request("GET", "http://shim/api/v1/group")
    response.elapsed = timedelta()
    return response


def test_the_check_takes_what_is_right(url: str) -> None:
    (operation,) = (operation for operation in operations(url) if operation.label == "GET /api/v1/group")
    validate(operation.Case(), made(200, b'{"status": "OK", "message": "", "body": []}', "application/json"))


@pytest.mark.parametrize(
    ("code", "content", "content_type"),
    [
        (200, b'{"detail": "x"}', "application/json"),
        (200, b'{"status": "OK", "message": "", "body": [], "more": 1}', "application/json"),
        (200, b'{"status": "OK", "message": "", "body": {}}', "application/json"),
        (200, b'{"status": "FAIL", "message": ""}', "application/json"),
        (200, b'{"status": "OK", "message": "", "body": []}', "text/html"),
        (202, b'{"status": "OK", "message": "", "body": []}', "application/json"),
        (500, b'{"status": "FAIL", "message": "internal error"}', "application/json"),
    ],
)
def test_other_answers_would_be_found(url: str, code: int, content: bytes, content_type: str) -> None:
    (operation,) = (operation for operation in operations(url) if operation.label == "GET /api/v1/group")
    with pytest.raises((AssertionError, FailureGroup)):
        validate(operation.Case(), made(code, content, content_type))
