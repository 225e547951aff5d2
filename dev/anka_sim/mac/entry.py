"""What the installed `anka` script runs: `python -I -S entry.py ARGS`, without site-packages, to start fast.

With `--host HOME LOCK READY` (and site-packages) it is the hypervisor daemon instead.
"""

import os
import sys

# Without site-packages an editable install is not importable. Last, so that nothing shadows the standard library.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

if sys.argv[1:2] == ["--host"]:
    from anka_sim.mac.host import main as host_main

    host_main(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
else:
    from anka_sim.mac.cli import main

    code = main(sys.argv[1:])
    # Everything is flushed; the interpreter's tear-down would add a tenth to the time of a command.
    os._exit(code)
