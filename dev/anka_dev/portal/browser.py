"""The browser of this machine."""

from __future__ import annotations

import os
import shutil


def find_browser() -> str | None:
    """Chromium or Chrome: what $ANKA_BROWSER names, else what is in PATH."""
    named = os.environ.get("ANKA_BROWSER")
    if named:
        return named
    return next((path for name in ("chromium", "google-chrome", "chrome") if (path := shutil.which(name))), None)
