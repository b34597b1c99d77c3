"""Campaigns of jobs of many objects: `python -m tests.sim.bulk --seeds A-B` or `--minutes M`.

They run on `--processes P`; `--seed N` tells one.

What runs for a time begins at a seed drawn by chance, so that each run looks at schedules that no other has
seen; it says at which. The first failing seed ends a campaign, made small and told, with exit code 1.
`--delete` runs jobs that delete instead.

`--keep` looks for a schedule that finds each deliberate bug, and keeps the ones that are missing or find
nothing any more in `kept.json`, as lists of choices.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

from tests.sim.bulk import bugs, campaign, delete_bugs, kept

STRETCH = 2_000  # seeds a process takes at a time
WORD = 50_000  # seeds between two words on the progress


def main() -> int:
    """Run what was asked for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", default="1-10000", help="first-last")
    options.add_argument(
        "--minutes", type=float, help="for so long, from a seed drawn by chance, whatever --seeds says"
    )
    options.add_argument("--processes", type=int, default=1)
    options.add_argument("--seed", type=int, help="this one alone, told whatever comes of it")
    every = (*bugs.EVERY, *delete_bugs.EVERY)
    options.add_argument("--bug", choices=every, help="a deliberate bug to switch on")
    options.add_argument("--keep", action="store_true", help="renew the schedules that find the bugs")
    options.add_argument("--delete", action="store_true", help="jobs that delete")
    asked = options.parse_args()
    family = kept.DELETIONS if asked.delete else kept.COPIES
    if asked.keep:
        return kept.renew(family)
    first, last = map(int, asked.seeds.split("-"))
    with family.bugs[asked.bug]() if asked.bug else contextlib.nullcontext():
        if asked.seed is not None:
            return _tell(asked.seed, family)
        seconds = float("inf")
        if asked.minutes is not None:
            first, seconds = secrets.randbelow(10**12), asked.minutes * 60
            last = first + 10**9
            sys.stdout.write(f"from seed {first}\n")
        return _campaign(range(first, last + 1), seconds, asked.processes, asked.bug, delete=asked.delete)


def _tell(seed: int, family: kept.Family) -> int:
    small = campaign.minimise(seed, family.draw)
    sys.stdout.write(campaign.story(small) + "\n")
    return int(bool(campaign.play(small)[1]))


def _campaign(seeds: range, seconds: float, processes: int, bug: str | None, *, delete: bool) -> int:
    tally, begun = campaign.Tally(), time.monotonic()
    found, said = None, 0
    stretches: Iterator[range] = (seeds[n : n + STRETCH] for n in range(0, len(seeds), STRETCH))
    with ProcessPoolExecutor(processes) as pool:
        running = deque(pool.submit(_stretch, each, bug, delete) for each in islice(stretches, 2 * processes))
        while running and found is None:
            found, part = running.popleft().result()
            tally.add(part)
            if tally.schedules - said >= WORD:
                said = tally.schedules
                _say(tally, time.monotonic() - begun)
            if time.monotonic() - begun < seconds:
                running.extend(pool.submit(_stretch, each, bug, delete) for each in islice(stretches, 1))
        pool.shutdown(cancel_futures=True)
    _say(tally, time.monotonic() - begun)
    if found is None:
        return 0
    seed, wrong = found
    sys.stdout.write(f"seed {seed}: {wrong}\n")
    _tell(seed, kept.DELETIONS if delete else kept.COPIES)
    return 1


def _stretch(
    seeds: range, bug: str | None, delete: bool
) -> tuple[tuple[int, list[str]] | None, campaign.Tally]:
    tally, family = campaign.Tally(), kept.DELETIONS if delete else kept.COPIES
    with family.bugs[bug]() if bug else contextlib.nullcontext():
        return campaign.search(seeds, tally, draw=family.draw), tally


def _say(tally: campaign.Tally, seconds: float) -> None:
    words = {
        "schedules": tally.schedules,
        "seconds": round(seconds, 1),
        "perSecond": round(tally.schedules / seconds),
        "requests": tally.requests,
        "outcomes": tally.outcomes,
        "faults": tally.struck,
    }
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
