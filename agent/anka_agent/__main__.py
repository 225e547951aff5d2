"""`anka-agent`: see --help."""

import sys

from anka_agent.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
