"""The parts that a lane copies next: its own, and then those that other lanes have not begun.

A lane owns one range of numbers and copies them from the lowest up. A lane that is done copies those of the
slowest other lane from the highest down, so that the two meet once. Whoever guesses wrong copies a part that
another lane copies, too: it has the same bytes, so that nothing but work is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set as AbstractSet

import msgspec

from osscopy.model import Continue, ListedPart, Part
from osscopy.plan.parts import lane_numbers, part, split
from osscopy.plan.timing import GENERATION

SILENCE = 10  # seconds without a new part, at least, after which nobody is thought to work on a lane


class View(msgspec.Struct, frozen=True):
    """A lane's view of its copy, at `now` (Unix seconds, OSS's clock); `view` makes it of a listing.

    `lacking`: the numbers that each lane lacks, in order; `modified`: when each part that is there came.
    `taken`: numbers that this hop has copied or begun; `spared`: numbers in flight at the hop before, which
    are left alone for now. `threads`: those of each lane; `slowest`: seconds that a part takes.
    """

    task: Continue
    lacking: dict[int, list[int]]
    modified: dict[int, int]
    now: float
    threads: int
    slowest: float
    taken: AbstractSet[int]
    spared: AbstractSet[int]

    def free(self, lane: int) -> list[int]:
        """Return the numbers that `lane` lacks and this chain does not copy already."""
        return [n for n in self.lacking[lane] if n not in self.taken and n not in self.spared]

    @property
    def others(self) -> list[int]:
        """The other lanes."""
        return [lane for lane in self.lacking if lane != self.task.lane]

    @property
    def begun(self) -> int:
        """The time when the lanes of this generation were started, by OSS's clock."""
        return max(self.task.upload.opened_at, self.task.generation * GENERATION)

    @property
    def silence(self) -> float:
        """Seconds without a new part after which nobody is thought to work on a lane."""
        return max(SILENCE, 3 * self.slowest)

    def last_sign(self, lane: int) -> int:
        """Return when the owner of `lane` last copied a part, by OSS's clock; the start, if it has not.

        Its parts are the lowest ones: what is above those that it may have in flight, others have copied.
        """
        numbers = lane_numbers(self.task.upload.parts, self.task.upload.lanes, lane)
        lacking = self.lacking[lane]
        end = lacking[: self.threads][-1] if lacking else numbers.stop
        own = (n for n in range(numbers.start, end) if n not in self.taken)
        return max([self.begun, *(self.modified.get(n, 0) for n in own)])

    def is_silent(self, lane: int) -> bool:
        """Return whether nobody seems to work on `lane`: it was not started, or its invocation has died."""
        return self.now - self.last_sign(lane) >= self.silence


def view(
    task: Continue,
    listed: Sequence[ListedPart],
    now: float,
    threads: int,
    slowest: float,
    taken: AbstractSet[int] = frozenset(),
    spared: AbstractSet[int] = frozenset(),
) -> View:
    """Return what a listing that was asked for at `now` shows of all lanes."""
    upload, sizes = task.upload, {seen.number: seen.size for seen in listed}
    whole = split(task.pin.size, upload.part_size)
    lacking = {
        lane: [n for n in lane_numbers(upload.parts, upload.lanes, lane) if sizes.get(n) != whole[n - 1].size]
        for lane in range(1, upload.lanes + 1)
    }
    modified = {seen.number: seen.modified for seen in listed}
    return View(task, lacking, modified, now, threads, slowest, taken, spared)


def own_parts(view: View) -> tuple[Part, ...]:
    """Return parts of the own lane to copy next, from the lowest number up.

    Where there are other lanes it is a quarter of them, since these may help: then it is looked again.
    """
    free = view.free(view.task.lane)
    count = len(free) if view.task.upload.lanes == 1 else max(view.threads, -(-len(free) // 4))
    return _parts(view, free[:count])


def parts_of_others(view: View) -> tuple[Part, ...]:
    """Return parts of the slowest other lane to copy next, from the highest number down; none if all move.

    Half of what its owner has not begun, shared with other lanes that are done; all of it if the owner is
    silent.
    """
    spare = {lane: _spare(view, lane) for lane in view.others}
    slowest = sorted((lane for lane in spare if spare[lane]), key=lambda lane: (-len(spare[lane]), lane))
    helpers = sorted({view.task.lane, *(lane for lane in view.others if not view.lacking[lane])})
    rank = helpers.index(view.task.lane)
    if not slowest:
        return ()
    lane = slowest[rank % len(slowest)]
    shares, share = -(-len(helpers) // len(slowest)), rank // len(slowest)
    mine, rest = spare[lane][share::shares], spare[lane] if view.is_silent(lane) else []
    return _parts(view, list(dict.fromkeys([*mine, *rest]))[: view.threads])


def _spare(view: View, lane: int) -> list[int]:
    """Return the numbers of `lane` that others may copy, the highest first."""
    free = view.free(lane)
    if view.is_silent(lane):
        return free[::-1]
    next_ones = set(view.lacking[lane][: 2 * view.threads])  # in flight, or the next to be
    later = [number for number in free if number not in next_ones]
    return later[-(-len(later) // 2) :][::-1]


def has_own(task: Continue, numbers: Iterable[int]) -> bool:
    """Return whether some of these numbers are no other lane's: then the lane of `task` has not ended."""
    own = lane_numbers(task.upload.parts, task.upload.lanes, task.lane)
    return any(number in own or number > task.upload.parts for number in numbers)


def seconds_until_silent(view: View) -> int:
    """Return the seconds until lanes that have shown no part yet count as not started; 0: there are none."""
    unseen = [lane for lane in view.others if view.lacking[lane] and view.last_sign(lane) == view.begun]
    return max(0, int(view.begun + view.silence - view.now) + 1) if unseen else 0


def _parts(view: View, numbers: Iterable[int]) -> tuple[Part, ...]:
    return tuple(part(number, view.task.pin.size, view.task.upload.part_size) for number in numbers)


# --- numbers of parts in a continuation --------------------------------------------------------------------


def ranges_of(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return numbers as ranges: the first and the last number of each."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        joins = bool(found) and found[-1][1] == number - 1
        first = found.pop()[0] if joins else number
        found.append((first, number))
    return tuple(found)


def numbers_of(ranges: Iterable[tuple[int, int]]) -> frozenset[int]:
    """Return the numbers of these ranges."""
    return frozenset(number for first, last in ranges for number in range(first, last + 1))
