"""`python -m anka_sim`."""

import sys

from anka_sim.cli import main

sys.exit(main())
