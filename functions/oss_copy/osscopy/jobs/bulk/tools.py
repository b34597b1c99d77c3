"""What an invocation works with on a job of many objects: the context, records, listings, and its settings.

Knows which ports there are; not what is asked of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from osscopy import events
from osscopy.copying import results
from osscopy.copying.invocation.context import Context
from osscopy.jobs.bulk.records import BulkRecords, name_of
from osscopy.jobs.records import Records
from osscopy.model import Bulk, BulkJob, Clear, Prices, ReportPlace, Rule, Settle, Walk
from osscopy.model.ports import Objects
from osscopy.plan import bulk

CHAINS = 1000  # in flight of a job, if MAX_CHAINS does not say otherwise
WORKERS = 18  # walkers of a job, if RESERVED_CONCURRENCY does not say less


class Tools(msgspec.Struct, frozen=True):
    """The ports of one invocation. `state`: bucket and prefix of the records.

    `writes` raises Refused for a bucket and a key, naming the field, where nothing may be written.
    `workers`, `chains`: walkers of a job, and its copies of their own in flight, at most. `rules` reads them.
    """

    context: Context
    records: Records
    objects: Objects
    state: ReportPlace
    writes: Callable[[str, str, str], None]
    workers: int = WORKERS
    prices: Prices | None = None
    chains: int = CHAINS
    rules: Callable[[], Sequence[Rule]] = tuple

    def of(self, job: str) -> BulkRecords:
        """Return the records of one job."""
        return BulkRecords(self.context, self.records, job)

    def submit(self, command: Walk | Settle | Clear | Bulk, delay: int = 0) -> None:
        """Let an invocation of its own carry out `command` after `delay` seconds."""
        self.context.submit(task_id(command), events.encode(command), delay)

    @property
    def work_until(self) -> float:
        """Return when to begin nothing more (monotonic): an entry has yet to be written."""
        limits = self.context.limits
        return self.context.submit_by - min(10.0, 0.15 * limits.timeout)


def task_id(command: Walk | Settle | Clear | Bulk) -> str:
    """Return the name of an invocation for FC, which takes each name once."""
    if isinstance(command, Bulk):
        return f"{command.job}-d{command.drops}"
    return f"{command.job}-{name_of(command)}-g{command.generation}-h{command.hop}"


def maker(job: BulkJob) -> bulk.Maker:
    """Return the maker of a job's copies; dates in its keys are those of its start."""
    moment = datetime.fromtimestamp(results.unix(job.started_at)).astimezone()
    return bulk.Maker(job.request, moment, job.origin)
