"""Campaigns: `python -m tests.sim --seeds A-B` or `--minutes M`, on `--processes P`; `--seed N` tells one.

What runs for a time begins at a seed drawn by chance, so that each run looks at schedules that no other has
seen; it says at which. The first failing seed ends a campaign, made small and told, with exit code 1.
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

from tests.sim import bugs, campaign, kept

STRETCH = 5_000  # seeds a process takes at a time
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
    options.add_argument("--trace", action="store_true", help="tell every seed; for a few of them")
    options.add_argument("--bug", choices=bugs.BUGS, help="a deliberate bug to switch on")
    options.add_argument("--keep", action="store_true", help="renew the schedules that find the bugs")
    asked = options.parse_args()
    if asked.keep:
        return kept.renew()
    first, last = map(int, asked.seeds.split("-"))
    if asked.seed is not None:
        first = last = asked.seed
    elif asked.minutes is not None:
        first = secrets.randbelow(10**12)
        last = first + 10**9
        sys.stdout.write(f"from seed {first}\n")
    with bugs.BUGS[asked.bug]() if asked.bug else contextlib.nullcontext():
        if asked.seed is not None or asked.trace:
            for seed in range(first, last + 1):
                sys.stdout.write(campaign.story(campaign.drawn(seed)) + "\n\n")
            return int(campaign.search(range(first, last + 1), campaign.Tally()) is not None)
        seconds = float("inf") if asked.minutes is None else asked.minutes * 60
        return _campaign(range(first, last + 1), seconds, asked.processes, asked.bug)


def _campaign(seeds: range, seconds: float, processes: int, bug: str | None) -> int:
    tally, begun = campaign.Tally(), time.monotonic()
    found, said = None, 0
    stretches: Iterator[range] = (seeds[n : n + STRETCH] for n in range(0, len(seeds), STRETCH))
    with ProcessPoolExecutor(processes) as pool:
        running = deque(pool.submit(_stretch, each, bug) for each in islice(stretches, 2 * processes))
        while running and found is None:
            found, part = running.popleft().result()
            tally.add(part)
            if tally.schedules - said >= WORD:
                said = tally.schedules
                _say(tally, time.monotonic() - begun)
            if time.monotonic() - begun < seconds:
                running.extend(pool.submit(_stretch, each, bug) for each in islice(stretches, 1))
        pool.shutdown(cancel_futures=True)
    _say(tally, time.monotonic() - begun)
    if found is not None:
        sys.stdout.write(campaign.story(campaign.drawn(found)) + "\n")
    return int(found is not None)


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
