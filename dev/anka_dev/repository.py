"""Where things are in this repository."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "anka-cloud"
"""The Helm chart."""
BASE = ROOT / "charts" / "base"
"""Namespaces, roles and admission policies."""
CRDS = ROOT / "crds"
EXAMPLES = ROOT / "examples"
