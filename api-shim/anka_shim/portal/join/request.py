"""A Mac that is to join. Pure."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from anka_shim.http.parameter_types import TEXT, Positive, Title, require, wrong_value
from anka_shim.http.request import RequestModel, option

LEAST_SECONDS, MOST_SECONDS = 600, 3600
"""Kubernetes makes no token that is valid for less."""
_LONGEST_NAME = 248
"""Its ServiceAccount is called node-NAME, in 253 characters."""
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def _check_name(name: str) -> str:
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        words = (
            f"must be at most {_LONGEST_NAME} small letters, digits, '-' and '.', with a letter or digit at its ends"
        )
        raise wrong_value(words, name)
    return name


def _check_seconds(seconds: int | None) -> int:
    if seconds is not None and not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise wrong_value(f"must be from {LEAST_SECONDS} to {MOST_SECONDS}", seconds)
    return seconds or MOST_SECONDS


class JoinMac(RequestModel):
    name: Annotated[str, AfterValidator(_check_name), require("is required, the name of the new node"), TEXT] = Field(
        description="Name of its AnkaNode."
    )
    seconds: Annotated[Positive, AfterValidator(_check_seconds)] = Field(
        default=MOST_SECONDS, description="How long the join token is valid."
    )
    displayName: Title = option("Name shown to people.")  # as all rows of the portal have it
