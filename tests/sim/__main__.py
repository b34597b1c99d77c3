"""Campaigns: `python -m tests.sim --seeds A-B [--trace]`, `python -m tests.sim --seed N --trace`."""

from __future__ import annotations

import argparse
import json
import sys
import time

from tests.sim import campaign


def main() -> int:
    """Run the seeds; the first failing one is told and ends the campaign with 1."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", default="1-10000", help="first-last")
    options.add_argument("--seed", type=int, help="this one alone, told")
    options.add_argument("--trace", action="store_true", help="tell what happens even if nothing breaks")
    options.add_argument("--bug", help="one of tests.sim.bugs, switched on")
    options.add_argument("--count", action="store_true", help="do not stop at a failing seed; list them all")
    asked = options.parse_args()
    if asked.bug:
        from tests.sim import bugs  # noqa: PLC0415 - only when asked for

        bugs.BUGS[asked.bug].__enter__()  # noqa: PLC2801 - for the life of this process
    if asked.seed is not None:
        sys.stdout.write(campaign.story(asked.seed) + "\n")
        return 1 if campaign.run(*campaign.drawn(asked.seed)).violations else 0
    first, last = map(int, asked.seeds.split("-"))
    tally, begun, failing = campaign.Tally(), time.monotonic(), []
    seeds = range(first, last + 1)
    while (found := campaign.search(seeds, tally)) is not None:
        failing.append(found)
        if not asked.count:
            break
        seeds = range(found + 1, last + 1)
    seconds = time.monotonic() - begun
    words = {
        "schedules": tally.schedules,
        "seconds": round(seconds, 1),
        "perSecond": round(tally.schedules / seconds),
        "requests": tally.requests,
        "invocations": tally.invocations,
        "outcomes": tally.outcomes,
        "faults": tally.struck,
        "schedulesWithGap": tally.gaps,
        "failing": len(failing),
    }
    sys.stdout.write(json.dumps(words) + "\n")
    if failing:
        sys.stdout.write(f"failing seeds: {failing[:50]}\n{campaign.story(failing[0])}\n")
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
