"""The logs of a job's ranges, which of these have ended, and the failures and chains of their entries.

Knows names under `bulk/<job>/`; not what follows from an entry. Entries are numbered down from a constant, so
that the newest one is listed first.
"""

from __future__ import annotations

from osscopy.copying.invocation.context import Context
from osscopy.jobs.records import Records, create, list_all, read
from osscopy.model import Ended, Entry, RecordPage
from osscopy.plan import bulk


class RangeLog:
    """The logs of one job's ranges; each call is asked again while that may help.

    `root`: of the tree that they are in, the walk's or that of the deletions.
    """

    def __init__(self, context: Context, records: Records, job: str, root: str = bulk.ROOT) -> None:
        self._context = context
        self._records = records
        self._at = f"bulk/{job}/"
        self._root = root

    def _log(self, path: tuple[int, ...]) -> str:
        return f"{self._at}log/{bulk.range_id(path, self._root)}/"

    def newest(self, path: tuple[int, ...]) -> tuple[int, Entry | None, int]:
        """Return number, newest entry and its age in seconds; 0 and None where there is none."""
        prefix = self._log(path)
        page = self._context.ask(self._records.page, prefix, "", 1)
        if not page.entries:
            return 0, None, 0
        name, written = page.entries[0]
        entry = self._context.ask(read, self._records, name, Entry)
        return bulk.number_of(name), entry, page.seen_at - written

    def append(self, path: tuple[int, ...], number: int, entry: Entry) -> bool:
        """Write an entry; False if another one has this number."""
        name = f"{self._log(path)}{bulk.LAST - number:012}"
        return self._context.ask(create, self._records, name, entry).nonce == entry.nonce

    def entry_names(self, path: tuple[int, ...]) -> tuple[str, ...]:
        """Return the names of all entries of a range, the oldest first."""
        page = self._context.ask(list_all, self._records, self._log(path))
        return tuple(name for name, _ in reversed(page.entries))

    def entry(self, name: str) -> Entry | None:
        return self._context.ask(read, self._records, name, Entry)

    # --- what has ended --------------------------------------------------------------------------------

    def end(self, path: tuple[int, ...], ended: Ended) -> Ended:
        """Write that a range and all below it have ended; return what is on record."""
        name = f"{self._at}ended/{bulk.parent_id(path, self._root)}/{bulk.index_of(path)}"
        return self._context.ask(create, self._records, name, ended)

    def ended(self, parent: str, index: int) -> Ended | None:
        return self._context.ask(read, self._records, f"{self._at}ended/{parent}/{index}", Ended)

    def ended_names(self, parent: str = "") -> tuple[str, ...]:
        """Return `<parent>/<index>` of all ranges that have ended, or of the children of one."""
        prefix = f"{self._at}ended/"
        page = self._context.ask(list_all, self._records, f"{prefix}{parent}/" if parent else prefix)
        return tuple(name.removeprefix(prefix) for name, _ in page.entries)

    def mark_split(self, path: tuple[int, ...], children: int) -> None:
        """Note for those who count open ranges that one was split; nothing else is decided by it."""
        name = f"{self._at}ended/{bulk.range_id(path)}/of-{children}"
        self._context.ask(self._records.put_new, name, b"{}")

    # --- failures and chains ---------------------------------------------------------------------------

    def fail(self, path: tuple[int, ...], number: int, count: int) -> int:
        """Note the failures of an entry before it is written; return those of the job so far."""
        prefix = f"{self._at}fail/"
        name = f"{prefix}{bulk.range_id(path)}-{number}-{count}"
        self._context.ask(self._records.put_new, name, b"{}")
        return sum(_highest(self._context.ask(list_all, self._records, prefix)).values())

    def begun(self) -> dict[str, int]:
        """Return how many chains have been handed over, by `<range>-<number>` of their entries."""
        prefix = f"{self._at}chain/"
        found = _highest(self._context.ask(list_all, self._records, prefix))
        return {name.removeprefix(prefix): count for name, count in found.items()}

    def note_begun(self, path: tuple[int, ...], number: int, count: int) -> None:
        """Note that so many chains of an entry have been handed over."""
        name = f"{self._at}chain/{bulk.range_id(path)}-{number}-{count}"
        self._context.ask(self._records.put_new, name, b"{}")

    def chains(self) -> tuple[str, ...]:
        """Return the jobs of the chains that have ended."""
        prefix = f"{self._at}copy/"
        page = self._context.ask(list_all, self._records, prefix)
        return tuple(name.removeprefix(prefix) for name, _ in page.entries)


def _highest(page: RecordPage) -> dict[str, int]:
    """Return the count at the end of names by what stands before it, of several the highest."""
    most: dict[str, int] = {}
    for name, _ in page.entries:
        entry, _, count = name.rpartition("-")
        most[entry] = max(most.get(entry, 0), int(count))
    return most
