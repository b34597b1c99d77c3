"""`make readings`: the flow tests under each reading of the local cloud that is not the default, one by one.

What sources disagree about must make no difference to what is promised (the readings: tests/cloud/README.md).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from tests.cloud.client import READING, ROOT
from tests.cloud.readings import READINGS


def main() -> int:
    """Run them one after the other; 1 if any fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reading", action="append", choices=READINGS, help="only this one")
    parser.add_argument("-n", "--workers", default="4", help="processes at once")
    parser.add_argument(
        "tests", nargs="*", default=["tests/flow"], help="files of tests; default: tests/flow"
    )
    arguments = parser.parse_args()
    outcomes: dict[str, str] = {}
    for name in arguments.reading or READINGS:
        print(f"=== {name}: {READINGS[name].question} {READINGS[name].b}", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "-n", arguments.workers, *arguments.tests]
        environment = {**os.environ, READING: f"{name}=b"}
        begun = time.monotonic()
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        outcome = "passed" if code == 0 else f"FAILED ({code})"
        outcomes[name] = f"{outcome} in {time.monotonic() - begun:.0f} s"
    print(*(f"{name}: {outcome}" for name, outcome in outcomes.items()), sep="\n")
    return 0 if all(outcome.startswith("passed") for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
