"""Coverage-guided fuzzing of the event parser: `python -m tests.fuzz.soak [--inputs N]`.

atheris watches which branches of events and plan an input reaches, and keeps what reaches new ones.
An input that is a finding is written to `crash-*` in the working folder; `--again FILE` judges it once more.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["osscopy.events", "osscopy.plan"]):
    from tests.fuzz import inputs


class Tally:
    """Counts what the inputs ended as and says so, at the end and on the way."""

    def __init__(self, goal: int) -> None:
        self._goal = goal
        self._begun = time.monotonic()
        self._ends: Counter[str] = Counter()

    def take(self, entropy: bytes) -> None:
        self._ends[inputs.judge(inputs.event_of(entropy))] += 1
        if self._ends.total() % 100_000 == 0 or self._ends.total() == self._goal:
            self._say()

    def _say(self) -> None:
        count, seconds = self._ends.total(), time.monotonic() - self._begun
        words = {"inputs": count, "seconds": round(seconds, 1), "perSecond": round(count / seconds)}
        sys.stdout.write(json.dumps({**words, **self._ends}) + "\n")
        sys.stdout.flush()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--inputs", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--again", type=Path)
    asked = options.parse_args()
    if asked.again:
        sys.stdout.write(inputs.judge(inputs.event_of(asked.again.read_bytes())) + "\n")
        return
    with tempfile.TemporaryDirectory() as corpus:
        for number in range(len(inputs.SAMPLES)):
            (Path(corpus) / str(number)).write_bytes(bytes([255, number, *range(16)]))
        flags = [f"-runs={asked.inputs}", f"-seed={asked.seed}", "-max_len=80", "-timeout=10", "-verbosity=0"]
        atheris.Setup([sys.argv[0], *flags, corpus], Tally(asked.inputs).take)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
