"""Campaigns: `python -m tests.sim --seeds A-B` or `--schedules N [--processes P]`; `--seed N` tells one seed.

The first failing seed of a process ends its campaign, made small and told, with exit code 1.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.sim import bugs, campaign

STRETCH = 50_000  # seeds between two words on the progress


def main() -> int:
    """Run what was asked for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", default="1-10000", help="first-last")
    options.add_argument("--schedules", type=int, help="seeds from 1 to this many")
    options.add_argument("--processes", type=int, default=1)
    options.add_argument("--seed", type=int, help="this one alone, told whatever comes of it")
    options.add_argument("--trace", action="store_true", help="tell every seed; for a few of them")
    options.add_argument("--bug", choices=bugs.BUGS, help="a deliberate bug to switch on")
    asked = options.parse_args()
    first, last = (1, asked.schedules) if asked.schedules else map(int, asked.seeds.split("-"))
    if asked.seed is not None:
        first = last = asked.seed
    with bugs.BUGS[asked.bug]() if asked.bug else contextlib.nullcontext():
        if asked.seed is not None or asked.trace:
            for seed in range(first, last + 1):
                sys.stdout.write(campaign.story(seed) + "\n\n")
            return int(campaign.search(range(first, last + 1), campaign.Tally()) is not None)
        return _campaign(range(first, last + 1), asked.processes, asked.bug)


def _campaign(seeds: range, processes: int, bug: str | None) -> int:
    tally, begun = campaign.Tally(), time.monotonic()
    failing: list[int] = []
    said = 0
    stretches = [seeds[n : n + STRETCH // 10] for n in range(0, len(seeds), STRETCH // 10)]
    with ProcessPoolExecutor(processes) as pool:
        for found, part in pool.map(_stretch, stretches, [bug] * len(stretches)):
            tally.add(part)
            failing += [found] if found is not None else []
            if tally.schedules - said >= STRETCH or failing:
                said = tally.schedules
                _say(tally, time.monotonic() - begun)
            if failing:
                pool.shutdown(cancel_futures=True)
                break
    _say(tally, time.monotonic() - begun)
    for seed in failing:
        sys.stdout.write(campaign.story(seed) + "\n")
    return int(bool(failing))


def _stretch(seeds: range, bug: str | None) -> tuple[int | None, campaign.Tally]:
    tally = campaign.Tally()
    with bugs.BUGS[bug]() if bug else contextlib.nullcontext():
        return campaign.search(seeds, tally), tally


def _say(tally: campaign.Tally, seconds: float) -> None:
    words = {
        "schedules": tally.schedules,
        "seconds": round(seconds, 1),
        "perSecond": round(tally.schedules / seconds),
        "requests": tally.requests,
        "invocations": tally.invocations,
        "outcomes": tally.outcomes,
        "faults": tally.struck,
        "schedulesWithGap": tally.gaps,
    }
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
