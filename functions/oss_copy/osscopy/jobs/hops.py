"""The records of hops: that each has worked on its copy, and what it met.

Knows these records and their names; not what a hop does. A hop that is delivered twice has one record.
"""

from __future__ import annotations

import msgspec

from osscopy.jobs.records import Records, list_all, read
from osscopy.model import Continue, Problem

LAST = 10**12 - 1  # above every generation and hop


class HopJournal:
    """The records of hops on `records`."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def note(self, task: Continue, problem: Problem) -> None:
        """Put on record what a hop met and did not fail of; the newest note is the first one listed."""
        newest_first = f"{LAST - task.generation:012}-{LAST - task.hop:012}-{task.lane:03}"
        self.records.put_new(f"note/{task.job}/{newest_first}", msgspec.json.encode(problem))

    def noted(self, job: str) -> Problem | None:
        """Return the problem in the newest note."""
        entries = self.records.page(f"note/{job}/", "", 1).entries
        return read(self.records, entries[0][0], Problem) if entries else None

    def work_on(self, task: Continue) -> None:
        self.records.put_new(_name(task), b"{}")

    def hops(self, job: str, this: Continue | None = None) -> int:
        known = {name for name, _ in list_all(self.records, f"hop/{job}/").entries}
        return 1 + len(known.union([_name(this)] if this is not None and not this.is_first else []))


def _name(task: Continue) -> str:
    return f"hop/{task.job}/{task.generation:012}-{task.lane:03}-{task.hop:06}"
