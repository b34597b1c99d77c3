"""The division of an object: the size of its parts, and the number of lanes that copy them.

Knows sizes, rates and limits; not which lane copies which part.
"""

from __future__ import annotations

import math

import msgspec

from osscopy.model import Tuning
from osscopy.plan.parts import PART_RATE, part_size

DEFAULT_LANES = 8  # ours: lanes of one copy, unless the setting MAX_LANES says otherwise
LANE_SECONDS = 60  # ours: what one lane copies in this time, at the rate that is trusted, needs no second one
ROUNDS = 4  # ours: parts of a lane for each of its threads, at least


class Division(msgspec.Struct, frozen=True):
    """An object in `parts` parts of `part_size` bytes, copied by `lanes` chains at once."""

    part_size: int
    parts: int
    lanes: int


def divide(
    size: int, tuning: Tuning, threads: int, seconds: float, rate: float = PART_RATE, most: int = 1
) -> Division:
    """Divide `size` bytes for lanes of so many `threads`; a part is copied within `seconds`.

    There are `most` lanes at most. `tuning.lanes` overrides the number that size and rate suggest; then each
    lane has a part at least, else `ROUNDS` parts for each of its threads.
    """
    needed = math.ceil(size / (rate * threads * LANE_SECONDS))
    lanes = min(most, tuning.lanes or max(1, needed))
    chosen = part_size(size, tuning, threads * lanes, seconds, rate)
    parts = -(-size // chosen)
    least = 1 if tuning.lanes else ROUNDS * threads
    return Division(chosen, parts, max(1, min(lanes, parts // least)))
