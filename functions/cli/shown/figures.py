"""Numbers as people read them: sizes, rates, times, and how far a job is."""

from __future__ import annotations

import msgspec

from functions.cli.service.answers import Copy, Job, Many

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


class Standing(msgspec.Struct, frozen=True):
    """How far a job is. `share`: from 0 to 1, None if nobody knows. `words`: the same, and its pace."""

    share: float | None
    words: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(self.words)


def size(count: float | None) -> str:
    """Return a number of bytes, such as `1.5 GiB`."""
    if count is None:
        return ""
    power = min(max(int(count).bit_length() - 1, 0) // 10, len(_UNITS) - 1)
    return f"{count / (1 << 10 * power):.{1 if power else 0}f} {_UNITS[power]}"


def time_left(seconds: float) -> str:
    """Return seconds, such as `1:02:03 left`."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return (f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}") + " left"


def number(count: int, noun: str) -> str:
    """Return a count with its noun, such as `2 lanes`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def standing(job: Job) -> Standing:
    """Return how far a job is."""
    return _of_many(job) if isinstance(job, Many) else _of_one(job)


def _of_one(job: Copy) -> Standing:
    whole = job.source.size if job.source else None
    done = whole if job.status == "succeeded" else job.bytes_done
    share = min(1.0, (done or 0) / whole) if whole else (1.0 if job.status == "succeeded" else None)
    words = [size(done) if whole is None else f"{_short(size(done), size(whole))}{size(whole)}"]
    if job.parts > 1:
        words.append(f"{job.parts_done:,}/{number(job.parts, 'part')}")
    if job.lanes > 1:
        words.append(number(job.lanes, "lane"))
    if job.phase:
        words.append(job.phase)
    return Standing(share, (*words, *_pace(job, f"{size(job.rate)}/s")))


def _short(done: str, whole: str) -> str:
    """Return how much is done, to stand before the whole: without its unit if that is the same."""
    number, unit = done.split(" ")
    return f"{number}/" if unit == whole.split(" ")[1] else f"{done} of "


def _of_many(job: Many) -> Standing:
    objects = job.objects
    words = [number(objects.total, "object"), size(job.bytes.done)]
    told = {"failed": objects.failed, "missing": objects.missing, "skipped": objects.skipped}
    words += [f"{count:,} {name}" for name, count in told.items() if count]
    if job.ranges:
        words.append(f"ranges: {job.ranges.done} done, {job.ranges.open} open")
    if job.chains:
        words.append(f"{number(job.chains, 'large copy').replace('copys', 'copies')} under way")
    return Standing(None if job.status == "running" else 1.0, (*words, *_pace(job, f"{job.rate or 0:.0f}/s")))


def _pace(job: Job, rate: str) -> tuple[str, ...]:
    if job.status != "running" or not job.rate:
        return ()
    return (rate, time_left(job.eta_seconds)) if job.eta_seconds is not None else (rate,)


def name(job: Job) -> str:
    """Return what a job is about: its destination, or that it is about many objects."""
    if isinstance(job, Many):
        return "many objects"
    return str(job.destination or job.source or "")
