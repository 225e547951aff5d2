"""Failures of the Kubernetes API in words for the client."""

from __future__ import annotations

import logging

from anka_crds.kube.errors import (
    ApiError,
    Forbidden,
    Invalid,
    NotFound,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)

log = logging.getLogger(__name__)


def told(error: ApiError, what: str) -> str:
    """One clear line for the client; the details are in the log. `what` could not be done: "start the VM"."""
    log.error("cannot %s: %s", what, error)
    if isinstance(error, Unreachable):
        return f"cannot {what}: the Kubernetes API does not answer, try again"
    if isinstance(error, TooManyRequests | ServerError):
        return f"cannot {what}: the Kubernetes API is overloaded or in trouble, try again"
    if isinstance(error, Unauthorized | Forbidden):
        return f"cannot {what}: the Kubernetes API refused the API shim's own credentials or rights: {error.message}"
    if isinstance(error, Invalid):
        return f"cannot {what}: {error.message}"
    if isinstance(error, NotFound):
        return f"cannot {what}: the namespace or the custom resource is not there: {error.message}"
    return f"cannot {what}: {error.message or error.reason}"
