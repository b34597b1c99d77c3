"""The search for where to cut what is left of a range: rounds of looks, then cuts by estimates.

Knows keys that looks have shown; asks for none. A look shows the next keys after a place: a sample. Each
place lies within the range, and there are `ROUNDS` rounds at most: so the search ends, whatever is seen.
"""

from __future__ import annotations

from itertools import chain

import msgspec
from msgspec.structs import replace

from osscopy.plan.bulk.width.middle import HIGHEST, SURROGATES, cut, shared
from osscopy.plan.bulk.width.scale import Scale

ROUNDS = 8
LOOKS = 6  # of a round
LEARN = 4  # rounds before estimates are believed that change by no more than `STEADY`
STEADY = 0.1
TOP = chr(HIGHEST)
_LONGEST = 1023  # bytes of a place that OSS lists after
_STEP = 50  # one key of so many is kept
_MOST = 1e6  # times that an estimate may go beyond what was seen
_SIBLINGS = 4.0  # folders that are taken to follow one, at most
_ENDS = 7  # places after what begins as a key does
# Characters that stand before many others: of ASCII, and where the letters of languages begin.
_MARKS = (
    *(ord(each) for each in "0369;ADGJMPSVY_abcdefghijklmnopqrstuvwxyz~"),
    *(0x80, 0x250, 0x370, 0x400, 0x590, 0x900, 0x1100, 0x2000, 0x3040, 0x3400, 0x4E00, 0x5A00, 0x6600),
    *(0x7200, 0x7E00, 0x8A00, 0x9600, 0xA000, 0xAC00, 0xE000, 0x1F300, 0x1F600, 0x20000),
)


class Sample(msgspec.Struct, frozen=True):
    """The keys after `at`, as far as one listing shows them: `some` of them with first and last, and `count`.

    `is_all`: nothing of the range comes after them.
    """

    at: str
    some: tuple[str, ...]
    count: int
    is_all: bool

    @classmethod
    def of(cls, at: str, keys: tuple[str, ...], *, is_all: bool) -> Sample:
        return cls(at, (*keys[::_STEP], *keys[-1:]), len(keys), is_all)

    @property
    def last(self) -> str:
        return self.some[-1] if self.some else self.at


class Stretch(msgspec.Struct, frozen=True, order=True):
    """The keys above `at` up to `high`, and how many these are, which may be an estimate."""

    weight: float
    at: str
    high: str
    sample: Sample
    is_exact: bool


class Search(msgspec.Struct, frozen=True):
    """The keys in (low, high] as far as they were seen; `samples` by their places, the first at `low`."""

    prefix: str
    low: str
    high: str
    samples: tuple[Sample, ...] = ()
    round: int = 0
    total: float = 0.0
    is_steady: bool = False

    @classmethod
    def of(cls, prefix: str, low: str, high: str | None) -> Search:
        """Return the search of what comes after `low`; without `high`, all that begins with `prefix`."""
        return cls(prefix, low, prefix + TOP if high is None else high)

    # --- looks -----------------------------------------------------------------------------------------

    def wanted(self) -> tuple[str, ...]:
        """Return the places to look at next, all within the range; none once enough is known."""
        if self.round >= ROUNDS or self.is_steady or (self.samples and self.samples[0].is_all):
            return ()
        if not self.samples:
            found = [self.low, *_ends(self.prefix, self.low)]
        else:
            edge = self._edge(2) if self._gap() > 1 else []
            found = [*edge, *self._heaviest(LOOKS - len(edge))]
        known = {each.at for each in self.samples}
        return tuple(sorted({at for at in found if at not in known and self._fits(at)}))

    def seen(self, samples: tuple[Sample, ...]) -> Search:
        """Return the search with the samples of a round more."""
        every = sorted((*self.samples, *samples), key=lambda each: each.at)
        found = replace(self, samples=tuple(every), round=self.round + 1)
        total = sum(each.weight for each in found.stretches())
        is_steady = self.round + 1 >= LEARN and abs(total - self.total) <= STEADY * total
        return replace(found, total=total, is_steady=is_steady)

    def _fits(self, at: str) -> bool:
        return self.low <= at < self.high and len(at.encode()) <= _LONGEST

    def _edge(self, count: int) -> list[str]:
        """Return places between the last key that was seen and the first place that nothing follows."""
        last, end = self._last(), self._end()
        alike = shared(last, end)
        first, final = (ord(each[len(alike)]) if len(each) > len(alike) else 0 for each in (last, end))
        marks = [each for each in _MARKS if first < each < final]
        some = min(count, len(marks))
        marks = [marks[(at + 1) * len(marks) // some - 1] for at in range(some)]
        if len(marks) < count:
            until = min([*marks, final])
            step = max(1, (until - first) // (count - len(marks) + 1))
            marks += range(first + step, until, step)
        found = [f"{alike}{chr(each)}" for each in marks[:count] if each not in SURROGATES]
        middle = cut(last, end)
        return found if found or middle is None else [middle]

    def _gap(self) -> int:
        """Return how many characters lie between the last key and the end, where these differ."""
        last, end = self._last(), self._end()
        at = len(shared(last, end))
        return ord(end[at]) - ord(last[at]) - 1 if at < len(last) and at < len(end) else 0

    def _last(self) -> str:
        return max((each.last for each in self.samples if each.count), default=self.low)

    def _end(self) -> str:
        """Return the first place that is known to be followed by nothing."""
        return min((each.at for each in self.samples if not each.count), default=self.high)

    def _heaviest(self, count: int) -> list[str]:
        """Return places within the heaviest stretches, as far as these are not known exactly."""
        left = [each for each in self.stretches() if not each.is_exact]
        found = self._ends(max(left))[: count // 2] if left else []
        while left and len(found) < count:
            left.sort()
            stretch = left.pop()
            middle = self._between(stretch, 0.5)
            if middle is not None:
                found.append(middle)
                half = stretch.weight / 2
                left += [replace(stretch, high=middle, weight=half), replace(stretch, at=middle, weight=half)]
        return found

    def _ends(self, stretch: Stretch) -> list[str]:
        """Return places in a stretch after all that begins as the last key does that was seen there."""
        first, last = stretch.sample.some[0], stretch.sample.last
        folder = _folder(first, last, stretch.high)
        ends = _ends(shared(last, stretch.high), last)
        every = ends if folder is None else [folder, *ends]
        return [each for each in every if last < each < stretch.high]

    # --- estimates -------------------------------------------------------------------------------------

    def stretches(self) -> list[Stretch]:
        """Return what lies between the places that were looked at, up to the end."""
        end = self._end()
        places = [each for each in self.samples if each.at < end]
        found = []
        bounds = [each.at for each in places] + [end]
        for sample, high in zip(places, bounds[1:], strict=True):
            is_exact = sample.is_all or sample.last >= high
            weight = _shown(sample, high) if is_exact else self._weight(sample, high)
            found.append(Stretch(weight, sample.at, high, sample, is_exact))
        return found

    def _weight(self, sample: Sample, high: str) -> float:
        """Return how many keys lie between a sample's place and `high`, more than it shows."""
        first, last = sample.some[0], sample.last
        scale = self._scale(first, high)
        folder = _folder(first, last, high)
        if folder is None:
            return sample.count * _times(scale, first, last, high)
        own = sample.count * _times(self._scale(first, folder), first, last, folder)
        begin, upto, end = (scale.fraction(each) for each in (sample.at, folder, high))
        others = (end - upto) / (upto - begin) if upto > begin else _SIBLINGS
        return own * (1 + min(others, _SIBLINGS))

    def _scale(self, one: str, other: str) -> Scale:
        return Scale(shared(one, other), chain.from_iterable(each.some for each in self.samples))

    def _between(self, stretch: Stretch, share: float) -> str | None:
        """Return a place with this share of a stretch before it; None if there is none."""
        low, first = stretch.at, stretch.sample.some[0] if stretch.sample.some else stretch.at
        scale = self._scale(max(low, first), stretch.high)
        begin, end = scale.fraction(max(low, first)), scale.fraction(stretch.high)
        found = scale.key(begin + share * (end - begin))
        return found if low < found < stretch.high else cut(low, stretch.high)

    # --- cuts ------------------------------------------------------------------------------------------

    def cuts(self, pieces: int, least: int) -> tuple[str, ...]:
        """Return where to cut into so many pieces, ascending; into fewer, or none, of `least` keys each."""
        pieces = min(pieces, int(self.total / least))
        found: list[str] = []
        passed, number = 0.0, 1
        for each in self.stretches():
            while number < pieces and each.weight and passed + each.weight >= self.total * number / pieces:
                at = self._between(each, (self.total * number / pieces - passed) / each.weight)
                if at is not None and self._fits(at) and at > max([self.low, *found[-1:]]):
                    found.append(at)
                number += 1
            passed += each.weight
        return tuple(found)


def _shown(sample: Sample, high: str) -> float:
    """Return how many keys of a sample lie up to `high`, to half a step."""
    within = sum(key <= high for key in sample.some[:-1])
    return float(min(sample.count, _STEP * within - (_STEP // 2) * (within > 0)))


def _times(scale: Scale, first: str, last: str, high: str) -> float:
    """Return how many times as far from `first` as `last` a key is."""
    begin, upto, end = (scale.fraction(each) for each in (first, last, high))
    return min(_MOST, max(1.0, (end - begin) / (upto - begin))) if upto > begin else _MOST


def _ends(prefix: str, key: str) -> list[str]:
    """Return the ends of what begins as `key` does: with so many characters, or folders, alike."""
    tail = key[len(prefix) :]
    folders = [at + 1 for at, each in enumerate(tail[:-1]) if each == "/"]
    few = folders[-_ENDS // 2 :] + folders[:2]
    lengths = [*few, *(at for at in range(1, len(tail)) if at not in few)][:_ENDS]
    return [f"{prefix}{tail[:at]}{TOP}" for at in lengths]


def _folder(first: str, last: str, high: str) -> str | None:
    """Return the end of the folder that two keys are in; None unless it ends before `high`."""
    at = shared(first, last).rfind("/")
    end = f"{first[: at + 1]}{TOP}"
    return end if at >= 0 and end < high else None
