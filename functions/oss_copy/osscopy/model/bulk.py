"""The values of jobs that copy many objects: ranges of keys, entries of a log, totals, results.

Knows no decision (`plan.bulk`) and no name of a record (`jobs.bulk.records`). A range is (low, high] of keys
in the order of their UTF-8 bytes, which is that of Python's texts. Positions in a manifest are 20 digits.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from osscopy.model.buckets import Passed
from osscopy.model.bulk_request import BulkRequest, ReportPlace
from osscopy.model.objects import Encrypted, Shown
from osscopy.model.request import CopyRequest, Origin
from osscopy.model.results import Problem
from osscopy.model.values import Count, Moment, Tally, Unix, Value

Price: TypeAlias = Annotated[float, msgspec.Meta(ge=0)]

# --- commands ----------------------------------------------------------------------------------------------


class Bulk(Value, frozen=True, tag_field="step", tag="bulk"):
    """A job to begin; `started_at` is also the moment of dates in its keys. `drops`: as of a copy.

    `parent`: the job whose stale copies it makes anew.
    """

    job: str
    request: BulkRequest
    started_at: Moment
    drops: Tally = 0
    parent: str = ""
    origin: Origin = Origin()


class Range(Value, frozen=True):
    """A range of the tree: its path of indices from the root, and its bounds; None: no bound."""

    path: tuple[int, ...] = ()
    low: str | None = None
    high: str | None = None

    @property
    def is_root(self) -> bool:
        return not self.path


class Walk(Value, frozen=True, tag_field="step", tag="walk"):
    """A hop of the walk of one range. `generation`: of the sweep that started it."""

    job: str
    range: Range
    generation: Unix = 0
    hop: Tally = 1


class Settle(Value, frozen=True, tag_field="step", tag="settle"):
    """A look at a job whose ranges have all ended: waits for its chains, lets it delete, reports and closes.

    `cleared`: its deletions have ended, too.
    """

    job: str
    generation: Unix = 0
    hop: Tally = 1
    cleared: bool = False


class Clear(Value, frozen=True, tag_field="step", tag="clear"):
    """A hop of the deletions of a job, which go through its plan from the first key to the last."""

    job: str
    generation: Unix = 0
    hop: Tally = 1


class Overview(Value, frozen=True, tag_field="step", tag="overview"):
    """A look at all ranges of a job that runs, kept for the page: it changes nothing of the job."""

    job: str


# --- what comes of objects ---------------------------------------------------------------------------------

RowStatus: TypeAlias = Literal[
    "copied",
    "skipped",
    "missing",
    "failed",
    "started",
    "wouldCopy",
    "wouldDelete",
    "planned",
    "deleted",
    "kept",
    "different",
    "superfluous",
    "same",
]


class Row(Value, frozen=True, array_like=True):
    """The outcome of one object, or of one line of a manifest. `copy`: the job of a chain of its own.

    `planned`: an object to delete, with what the walk has seen of it; a row of the deletions follows.
    `modified` (Unix seconds) stands in these alone.
    """

    bucket: str
    key: str
    version_id: str
    destination_key: str
    status: RowStatus
    error_code: str = ""
    http_status: int = 0
    message: str = ""
    bytes: int = 0
    etag: str = ""
    crc64: str = ""
    copy: str = ""
    started_at: str = ""
    finished_at: str = ""
    modified: Unix = 0


class Totals(Value, frozen=True):
    """Counts of rows by status, `excluded` by the filters, `bytes` of all rows and of those copied.

    `doubts`: entries that were written after a request without an answer, or by a hop that came again.
    `put`, `get`: requests by class; `milliseconds`, `hops`: of the invocations, up to their last entry.
    `would_put`, `would_get`: requests of the copies that a dry run has found. `held`: objects of the
    destination whose names the filters take, where both sides are listed.
    """

    copied: int = 0
    skipped: int = 0
    missing: int = 0
    failed: int = 0
    started: int = 0
    would_copy: int = 0
    would_delete: int = 0
    planned: int = 0
    deleted: int = 0
    kept: int = 0
    different: int = 0
    superfluous: int = 0
    same: int = 0
    held: int = 0
    excluded: int = 0
    bytes: int = 0
    bytes_done: int = 0
    doubts: int = 0
    put: int = 0
    get: int = 0
    milliseconds: int = 0
    hops: int = 0
    would_put: int = 0
    would_get: int = 0
    errors: dict[str, int] = msgspec.field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Return the rows but those of deletions; those of chains that have not ended are among them."""
        done = self.copied + self.skipped + self.missing + self.failed
        return done + self.started + self.would_copy + self.different + self.superfluous + self.same


# --- records -----------------------------------------------------------------------------------------------


class BulkJob(Value, frozen=True):
    """`bulk/<job>/job`: the request with all defaults. `began`: when, by OSS's clock (Unix seconds).

    `etag`, `size`: of the manifest, or of that of an inventory, which was begun when `covers` says.
    `settle`: T_late of the invocation that wrote it. `default`: the encryption that the destination gives,
    where it decides whether a copy is weaker than its source.
    """

    nonce: str
    job: str
    request: BulkRequest
    started_at: Moment
    began: Unix
    workers: Tally
    report: ReportPlace
    etag: str = ""
    size: Count = 0
    settle: Tally = 0
    parent: str = ""
    covers: Unix = 0
    default: Encrypted | None = None
    origin: Origin = Origin()


class Claim(Value, frozen=True):
    """`hop/…`, `turn/…`: whoever wrote it first has the hop, or the turn of a pair of places."""

    nonce: str
    job: str = ""


class Intended(Value, frozen=True, array_like=True):
    """A copy that is about to be sent, of the source that has this ETag."""

    key: str
    etag: str
    bucket: str
    version_id: str = ""


class Noted(Value, frozen=True):
    """`hop/<claim>/<n>`, `doubt/…`: copies, in the order of their keys."""

    copies: tuple[Intended, ...]


class Entry(Value, frozen=True):
    """An entry of a range's log, with the range's own totals so far.

    `rows`: of (low, high]. `split`: what is left, cut into `children`. `end`: nothing is left, or the walk
    was `stopped` there for this reason. `passed`: of the next key, versions up to this one have rows, too.
    """

    nonce: str
    kind: Literal["rows", "split", "end"]
    low: str | None
    high: str | None
    totals: Totals
    rows: tuple[Row, ...] = ()
    children: tuple[Range, ...] = ()
    stopped: str | None = None
    passed: Passed | None = None


class ReportFile(Value, frozen=True):
    """A file of rows; `md5` in hex, of its bytes."""

    key: str
    rows: Count
    bytes: Count
    md5: str


class Slow(Value, frozen=True):
    """A range and the seconds of its walk; `up_to`: its last key, or its last position in a manifest."""

    range: str
    objects: int
    seconds: float
    up_to: str | None = None


class Ended(Value, frozen=True):
    """`ended/<parent>/<index>`: the totals and files of a range and all below it, and the slowest of them."""

    totals: Totals
    files: tuple[ReportFile, ...] = ()
    ranges: int = 1
    stopped: str | None = None
    report_lost: bool = False  # its files could not be written
    slowest: tuple[Slow, ...] = ()


class Stop(Value, frozen=True):
    """`stop`: the reason why no range goes on."""

    problem: Problem


class Verdict(Value, frozen=True):
    """`verdict`: whether what is planned may be deleted; `problem`: why nothing of it is."""

    nonce: str
    planned: Count
    problem: Problem | None = None


class Taken(Value, frozen=True):
    """`claim/<entry>/<n>`: somebody deletes what that entry of the deletions will tell, `up_to` this spot.

    `is_over`: nothing of it can take effect any more; its rows are not all told.
    """

    nonce: str
    up_to: str
    is_over: bool = False


# --- results -----------------------------------------------------------------------------------------------


class Objects(Value, frozen=True):
    """Counts of objects; `total` = succeeded + skipped + failed + missing.

    And `would_copy` of a dry run; `different`, `superfluous` and `same` of a check. What is or would be
    deleted stands apart, and so does what was to be and is `kept`.
    """

    total: int = 0
    succeeded: int = 0
    skipped: int = 0
    failed: int = 0
    missing: int = 0
    deleted: int = 0
    kept: int = 0
    would_copy: int = 0
    would_delete: int = 0
    different: int = 0
    superfluous: int = 0
    same: int = 0


class Bytes(Value, frozen=True):
    """Bytes of all objects so far, and of those copied."""

    total: int = 0
    done: int = 0


class Ranges(Value, frozen=True):
    """Ranges of the walk that are open, and those that have ended."""

    open: int
    done: int


class Ahead(Value, frozen=True):
    """Objects that are known to be left; `more`: others may come after them."""

    objects: int = 0
    more: bool = False


class Requests(Value, frozen=True):
    """Requests that OSS answered, by its classes: lists count as PUT; DELETE and what is refused as none."""

    put: int = 0
    get: int = 0


class Cost(Value, frozen=True):
    """The cost of a job: the total, and its two parts."""

    total: float
    currency: str
    requests: float
    function: float


class Would(Value, frozen=True):
    """The requests that the run would make, by OSS's classes; `cost` is null without prices."""

    requests: Requests
    cost: Cost | None = None


class BulkResult(Value, frozen=True):
    """The result of a job that copies many objects; times are ISO 8601 in UTC.

    `chains`: copies of their own that have not ended. `errors`: the commonest codes with their counts.
    `parent`: the job whose stale copies it makes anew.
    While it runs, `rate` is in objects a second since the start, and `eta_seconds` what is left at that rate:
    at least so long if `eta_at_least`, since keys are still being listed or no chain has ended yet.
    `would`: of a dry run. `caller`: as in `Origin`.
    """

    job: str | None
    status: Literal["succeeded", "skipped", "running", "failed", "cancelled"]
    objects: Objects = Objects()
    bytes: Bytes = Bytes()
    excluded: int = 0
    chains: int = 0
    errors: dict[str, int] = msgspec.field(default_factory=dict)
    report: ReportPlace | None = None
    ranges: Ranges | None = None
    rate: float | None = None
    eta_seconds: int | None = None
    eta_at_least: bool | None = None
    started_at: Moment | None = None
    finished_at: str | None = None
    error: Problem | None = None
    parent: str | None = None
    would: Would | None = None
    caller: str | msgspec.UnsetType = msgspec.UNSET


class Prices(Value, frozen=True):
    """The user's prices: of a request by class, a second of an instance, and an invocation."""

    currency: Annotated[str, msgspec.Meta(min_length=1, max_length=10)]
    put: Price
    get: Price
    second: Price = 0.0
    invocation: Price = 0.0


class Summary(BulkResult, frozen=True, kw_only=True):
    """`summary.json`: the result with its figures. `chain_requests` are in `requests`, and reckoned.

    `seconds`: in which instances ran; `advice`: on the commonest errors; `cost` is null without prices.
    """

    requests: Requests
    chain_requests: Requests
    seconds: float
    invocations: int
    cost: Cost | None
    slowest: tuple[Slow, ...]
    advice: dict[str, str]
    notes: tuple[str, ...]


class Closing(Value, frozen=True):
    """`closing`: the summary that whoever was first to close the job has made."""

    nonce: str
    summary: Summary


class BulkDone(Value, frozen=True):
    """`done/<job>`: the result, and the request, so that it can be repeated."""

    nonce: str
    result: BulkResult
    request: BulkRequest
    settle: Tally = 0


# --- what OSS shows ----------------------------------------------------------------------------------------


class Item(msgspec.Struct, frozen=True):
    """One object to decide about: the request for its copy, and what is known of source and destination.

    `problem`: no copy can be made of it. `asks`: no listing shows either side, so that each has to be asked.
    `pinned`: the ETag without which nothing is copied.
    """

    request: CopyRequest
    source: Shown | None
    destination: Shown | None
    problem: Problem | None = None
    asks: bool = False
    pinned: str = ""
