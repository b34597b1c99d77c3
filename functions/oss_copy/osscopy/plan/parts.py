"""Parts of an object and lanes of parts: sizes, numbers, and which are missing. Knows no time but a rate.

Limits are OSS's unless a comment says ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from osscopy.model import GIB, KIB, MIB, ListedPart, Part, Pin, Refused, Tuning, Upload

MIN_PART, MAX_PART, MAX_PARTS = 100 * KIB, 5 * GIB, 10_000
PAGE = 1000  # parts that one ListParts shows
USUAL_PART, SMALLEST_PART = 64 * MIB, 8 * MIB
PART_RATE = 20 * MIB  # bytes a second that a part copy is trusted to reach when its size is chosen
KEY_RATE = 2_000  # requests a second that OSS takes for keys under one prefix
_SIZE = r"([1-9][0-9]{0,14}) ?(B|KiB|MiB|GiB)?"
_UNITS = {None: 1, "B": 1, "KiB": KIB, "MiB": MIB, "GiB": GIB}


def byte_size(value: int | str, field: str = "tuning.partSize") -> int:
    """Read `"64MiB"` or a number of bytes; refuse anything else, naming the `field`."""
    found = re.fullmatch(_SIZE, value) if isinstance(value, str) else None
    if isinstance(value, str) and found is None:
        raise Refused("InvalidSize", f"{value[:40]!r} is no size; write 67108864 or 64MiB", field=field)
    return int(found[1]) * _UNITS[found[2]] if found else int(value)


def part_size(size: int, tuning: Tuning, parallel: int, seconds: float, rate: float = PART_RATE) -> int:
    """Return the bytes of a part: 10,000 parts at most, each copied within `seconds`, all threads busy.

    `parallel`: threads of all lanes. Parts are larger where so many threads would ask too often for one key.
    """
    least = max(MIN_PART, -(-size // MAX_PARTS))
    if tuning.part_size is not None:
        asked = byte_size(tuning.part_size)
        if not least <= asked <= MAX_PART:
            raise Refused(
                "InvalidPartSize",
                f"parts of {asked} bytes: for this object they may have {least} to {MAX_PART}",
                field="tuning.partSize",
            )
        return asked
    even = _round_up(-(-size // max(1, parallel)), MIB)
    often = min(MAX_PART, int(rate * parallel / KEY_RATE))
    chosen = max(min(USUAL_PART, max(SMALLEST_PART, even)), _round_up(max(least, often), MIB))
    within = max(MIN_PART, int(seconds * rate))
    if least > within:
        raise Refused(
            "TimeoutTooShort",
            f"an object of {size} bytes needs parts of {least} bytes or more, about {least / rate:.1f} s "
            f"each; {max(0.0, seconds):.1f} s are there for one: raise the function's timeout",
            field="timeout",
        )
    return chosen if chosen <= within else max(least, _round_down(within, MIB if within >= MIB else KIB))


def is_meant_for_parts(tuning: Tuning) -> bool:
    """Return whether who tunes a copy so expects it to be made in parts, whatever its size."""
    if tuning.method == "auto":
        return (tuning.lanes or 1) > 1 or tuning.part_size is not None or tuning.parallel is not None
    return tuning.method == "multipart"


def smallest_part(tuning: Tuning) -> int:
    """Return the bytes up to which an object has one part, which takes as long as a CopyObject."""
    return SMALLEST_PART if tuning.part_size is None else byte_size(tuning.part_size)


def _round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def _round_down(value: int, unit: int) -> int:
    return value // unit * unit


def part(number: int, size: int, part_size: int) -> Part:
    """Return part `number` (from 1) of an object of `size` bytes."""
    return Part(number, (number - 1) * part_size, min(number * part_size, size) - 1)


def split(size: int, part_size: int) -> tuple[Part, ...]:
    """Cut `size` > 0 bytes into parts numbered from 1."""
    return tuple(part(n + 1, size, part_size) for n in range(-(-size // part_size)))


def lane_numbers(parts: int, lanes: int, lane: int) -> range:
    """Return the part numbers of `lane` (from 1): one range, so that ListParts reads it by marker."""
    return range((lane - 1) * parts // lanes + 1, lane * parts // lanes + 1)


def missing(pin: Pin, upload: Upload, lane: int, listed: Iterable[ListedPart]) -> tuple[Part, ...]:
    """Return the parts of `lane` to copy: missing, or of a wrong size. `gaps` judges the whole upload."""
    sizes = {seen.number: seen.size for seen in listed}
    wanted = (part(n, pin.size, upload.part_size) for n in lane_numbers(upload.parts, upload.lanes, lane))
    return tuple(each for each in wanted if sizes.get(each.number) != each.size)


def gaps(pin: Pin, upload: Upload, listed: Sequence[ListedPart]) -> list[int]:
    """Return the part numbers that keep the upload from Complete: missing, wrong in size, or not ours."""
    sizes = {seen.number: seen.size for seen in listed}
    wrong = [each.number for each in split(pin.size, upload.part_size) if sizes.get(each.number) != each.size]
    return wrong + [number for number in sizes if number > upload.parts]
