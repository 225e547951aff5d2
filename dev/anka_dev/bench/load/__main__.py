"""`python -m anka_dev.bench.load`: a plan as JSON on standard input, the result as JSON on standard output."""

import json
import sys

import uvloop

from anka_dev.bench.load.generator import Generator
from anka_dev.bench.load.plan import Plan, Result


async def _main(plan: Plan) -> Result:
    return await Generator(plan).run()


if __name__ == "__main__":
    try:
        json.dump(uvloop.run(_main(Plan.from_json(json.load(sys.stdin)))).to_json(), sys.stdout)
    except OSError as error:
        sys.exit(str(error) or type(error).__name__)
