"""Run schedules of jobs of many objects for so many seconds; `--bugs`: find the seeds of bugs.

Prints the first seed that is wrong and exits with 1.
"""

from __future__ import annotations

import secrets
import sys
import time

from tests.sim.bulk import bugs, campaign


def find_bugs() -> None:
    """Print the first seed that finds each bug."""
    for name, wrong in bugs.EVERY.items():
        with wrong():
            found = campaign.first_wrong(range(10_000))
        print(f'    "{name}": {found[0] if found else None},', flush=True)  # noqa: T201 - its figures


def run(seconds: float) -> int:
    """Run new schedules for so long; return the exit code."""
    seed, count, until = secrets.randbelow(1 << 40), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        wrong = campaign.run(seed + count)[1]
        count += 1
        if wrong:
            print(f"seed {seed + count - 1}: {wrong}")  # noqa: T201 - its verdict
            return 1
    print(f"{count} schedules from seed {seed}, 0 violations")  # noqa: T201 - its verdict
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--bugs"]:
        find_bugs()
    else:
        sys.exit(run(float(sys.argv[1]) if sys.argv[1:] else 60.0))
