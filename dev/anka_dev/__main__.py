"""``python -m anka_dev``: see --help."""

from __future__ import annotations

import sys

from anka_dev.cli import main

if __name__ == "__main__":
    sys.exit(main())
