"""Failures of the Kubernetes API as clients read them."""

from __future__ import annotations

import logging

import pytest

from anka_kube import errors
from anka_kube.errors import ApiError
from anka_shim.store.writes import client_message


def made(kind: type[ApiError], status: int, message: str, retry_after: float | None = None) -> ApiError:
    return kind(status, kind.__name__, message, retry_after)


def late(cause: Exception) -> ApiError:
    """The time was up while the client repeated the request."""
    error = errors.Unreachable("no answer in time", sent=True)
    error.__cause__ = cause
    return error


RBAC = 'ankainstances is forbidden: User "anka-shim" cannot create resource "ankainstances"'
QUOTA = "ankainstances is forbidden: exceeded quota: ci, requested: count/ankainstances=1, used: 5, limited: 5"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errors.Unreachable("timed out", sent=True), "the Kubernetes API does not answer, try again"),
        (late(OSError("reset")), "the Kubernetes API does not answer, try again"),
        (
            late(made(errors.ServerError, 503, "away", 2)),
            "the Kubernetes API is overloaded or in trouble, try again in 2 s: HTTP 503: away",
        ),
        (
            late(made(errors.TooManyRequests, 429, "slow down", 0.5)),
            "the Kubernetes API has too many requests, try again in 1 s: slow down",
        ),
        (
            made(errors.TooManyRequests, 429, "busy"),
            "the Kubernetes API has too many requests, try again: busy",
        ),
        (
            made(errors.ServerError, 504, "Timeout: request did not complete within the allotted timeout"),
            "the Kubernetes API is overloaded or in trouble, try again: HTTP 504: Timeout: request did not",
        ),
        (made(errors.Forbidden, 403, RBAC), f"the API shim has no right to it: {RBAC}"),
        (made(errors.Forbidden, 403, QUOTA), f"not allowed: {QUOTA}"),
        (
            made(errors.Forbidden, 403, 'admission webhook "x" denied the request: no'),
            'not allowed: admission webhook "x" denied the request: no',
        ),
        (
            made(errors.Unauthorized, 401, "Unauthorized"),
            "the Kubernetes API does not accept the API shim's credentials: Unauthorized",
        ),
        (made(errors.Invalid, 422, "spec.vcpu: too many"), "spec.vcpu: too many"),
        (made(errors.NotFound, 404, "no such kind"), "the namespace or the custom resource is not there: no such kind"),
        (
            made(errors.Conflict, 409, "the object has been modified"),
            "it was changed at the same moment, try again: the object has been modified",
        ),
        (made(errors.AlreadyExists, 409, 'ankainstances "a" already exists'), 'ankainstances "a" already exists'),
        (
            made(ApiError, 413, "limit is 3145728"),
            "it is too large for the Kubernetes API: limit is 3145728",
        ),
        (
            errors.Unparsable("it is not JSON"),
            "the answer of the Kubernetes API cannot be read: it is not JSON",
        ),
        (made(errors.Invalid, 422, "x" * 10_000), "x" * 500 + "…"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ApiError) else "",
)
def test_one_line_for_the_client_and_the_details_in_the_log(
    caplog: pytest.LogCaptureFixture, error: ApiError, message: str
) -> None:
    with caplog.at_level(logging.ERROR):
        line = client_message(error, "start the VM")
    assert line.startswith(f"cannot start the VM: {message}")
    assert [record.message for record in caplog.records] == [f"cannot start the VM: {error}"]
