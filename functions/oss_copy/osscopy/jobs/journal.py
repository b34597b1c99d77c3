"""The records of copies in the state bucket: opened, entered, cancelled, closed, hops, notes, generations.

Knows these records and their names; not what they mean for a copy. The sweep starts a generation of a copy
or a list with a number above all on record. Generations save work; correctness rests on the upload id.
"""

from __future__ import annotations

import re
from typing import Literal

from osscopy.jobs.hops import HopJournal
from osscopy.jobs.records import Records, create, list_all, read
from osscopy.model import Cancelled, Done, Entered, Generation, Opened, RecordPage
from osscopy.plan import bulk

_START = "-start"
_CHAIN = re.compile(r"/[0-9]{12}$")
_GENERATION = re.compile(rf"/[0-9]{{12}}(?:{_START})?$")  # no other name stands for one


class RecordJournal(HopJournal):
    """The journal on `records`."""

    def __init__(self, records: Records) -> None:
        super().__init__(records)
        self._last_opened: Opened | None = None

    def open(self, entry: Opened) -> Opened:
        self._last_opened = create(self.records, f"open/{entry.job}", entry)
        return self._last_opened

    def enter(self, job: str, entry: Entered) -> Entered:
        return create(self.records, f"up/{job}", entry)

    def cancel(self, job: str, entry: Cancelled) -> Cancelled:
        return create(self.records, name_of("cancel", job), entry)

    def close(self, job: str, entry: Done) -> Done:
        return create(self.records, name_of("done", job), entry)

    def opened(self, job: str) -> Opened | None:
        self._last_opened = read(self.records, f"open/{job}", Opened)
        return self._last_opened

    def known_opened(self, job: str) -> Opened | None:
        """Return `open/` of this job without asking, if it is the last one that was written or read here."""
        last = self._last_opened
        return last if last is not None and last.job == job else None

    def entered(self, job: str) -> Entered | None:
        return read(self.records, f"up/{job}", Entered)

    def cancelled(self, job: str) -> Cancelled | None:
        return read(self.records, name_of("cancel", job), Cancelled)

    def done(self, job: str) -> Done | None:
        return read(self.records, name_of("done", job), Done)

    def generation(self, job: str) -> int:
        entries = list_all(self.records, f"gen/{job}/").entries
        return max((_number(name) for name, _ in entries if _CHAIN.search(name)), default=0)

    def written(self, kind: Literal["cancel", "done"], job: str) -> tuple[int, int] | None:
        """Return when this record was written and when that was asked (Unix seconds); None without one."""
        name = name_of(kind, job)
        page = self.records.page(name, "", 1)
        return next(((written, page.seen_at) for found, written in page.entries if found == name), None)

    def page(self, kind: str, after: str, limit: int, *, start: str = "") -> RecordPage:
        """Return up to `limit` names after `after` that have a record of `kind`, and when it was written.

        All of them begin with `start`.
        """
        page = self.records.page(f"{kind}/{start}", f"{kind}/{after}", limit)
        entries = ((name.removeprefix(f"{kind}/"), written) for name, written in page.entries)
        return RecordPage(tuple(entries), page.seen_at)


def name_of(kind: Literal["cancel", "done"], job: str) -> str:
    """Return the name of a record: a copy that belongs to a job of many is closed and cancelled there."""
    if not bulk.is_child(job):
        return f"{kind}/{job}"
    parent = bulk.parent_of(job)
    return f"cancel/{parent}" if kind == "cancel" else f"bulk/{parent}/copy/{job}"


def supersede(records: Records, job: str, generation: int) -> None:
    """Put a chain of this generation on record, so that hops of lower ones leave."""
    records.put_new(f"gen/{job}/{generation:012}", b"{}")


def restart(records: Records, job: str, generation: int) -> None:
    """Put on record that a copy or list begins again in this generation; chains that go on are left alone."""
    records.put_new(f"gen/{job}/{generation:012}{_START}", b"{}")


def newest_generation(records: Records, job: str) -> Generation | None:
    """Return the highest generation, of a chain or of a restart; None if the sweep has started none."""
    page = list_all(records, f"gen/{job}/")
    known = [each for each in page.entries if _GENERATION.search(each[0])]
    if not known:
        return None
    name, written = max(known, key=lambda each: _number(each[0]))
    return Generation(_number(name), page.seen_at - written)


def _number(name: str) -> int:
    return int(name.rpartition("/")[2].removesuffix(_START))
