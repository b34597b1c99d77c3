"""Jobs of many objects for unit tests: listings and files in memory, and FC's queue carried out in order."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from osscopy import events
from osscopy.copying import hop
from osscopy.copying.invocation.context import Context, Limits
from osscopy.jobs.bulk import settle, start as bulk_start, walk
from osscopy.jobs.bulk.clearing.clear import clear
from osscopy.jobs.bulk.tools import Tools
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.lists import Worklist
from osscopy.jobs.many import Many
from osscopy.jobs.sweep import Sweeper
from osscopy.model import (
    Bulk,
    BulkDestination,
    BulkRequest,
    BulkResult,
    BulkSource,
    Clear,
    Conflict,
    Continue,
    Copy,
    CopyRequest,
    Encrypted,
    Failed,
    ListedObject,
    ListedVersion,
    Manifest,
    Mark,
    ObjectPage,
    Overview,
    Refused,
    ReportPlace,
    Requests,
    Rest,
    Result,
    Rule,
    Settle,
    Sweep,
    Tuning,
    VersionPage,
    Walk,
)
from osscopy.plan import bulk
from osscopy.plan.allowed.options import ANY_OPTION
from tests.unit.engine import DST, PART, SRC, THRESHOLD, Cloud, MemoryRecords, MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from osscopy.events import Event

STATE, REPORT = "state-bucket", "report-bucket"
MOST_MESSAGES = 200


class FileCloud(Cloud):
    """The cloud with the files of reports, and manifests, by key."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.options = ANY_OPTION
        self.default: Encrypted | None = None  # encryption of every bucket
        self.versioning: dict[str, str] = {}  # of buckets in `versioned`, if it is not Enabled

    def remove(self, bucket: str, key: str) -> None:
        """Delete an object; that there is none is as good. A bucket with versions gets a delete marker."""
        if bucket in self.versioned:
            self.hide(key, bucket)
        self.objects.pop((bucket, key), None)

    def removal(self, bucket: str, key: str) -> Callable[[], None]:
        """Return the effect of a deletion that is sent now."""
        return lambda: self.remove(bucket, key)

    def listed(self, name: str, page: ObjectPage) -> ObjectPage:  # noqa: ARG002 - where something is wrong
        """Return a page of a listing as OSS shows it."""
        return page


class MemoryObjects:
    """The port `Objects`: listings of source and destination, and the files of the report."""

    def __init__(self, cloud: FileCloud) -> None:
        self._cloud = cloud

    def page(self, bucket: str, prefix: str, after: str, limit: int, *, pays: bool = False) -> ObjectPage:
        del pays

        def effect() -> ObjectPage:
            keys = sorted(
                key
                for there, key in self._cloud.objects
                if there == bucket and key.startswith(prefix) and key > after
            )
            found = (self._listed(bucket, key) for key in keys[:limit])
            page = ObjectPage(tuple(found), int(self._cloud.time), more=len(keys) > limit)
            return self._cloud.listed(name, page)

        name = "list source" if bucket == SRC else "list there"
        return self._cloud.ask(name, effect, after)

    def versions(
        self, bucket: str, prefix: str, after: Mark, limit: int, *, pays: bool = False
    ) -> VersionPage:
        del pays

        def effect() -> VersionPage:
            found = _behind(self._of(bucket, prefix), after)
            page = tuple(found[:limit])
            last = page[-1] if len(found) > limit else None
            mark = Mark(last.key, last.version_id or "") if last else None
            return VersionPage(page, int(self._cloud.time), mark)

        return self._cloud.ask("list versions", effect, f"{after.key} {after.version_id}".strip())

    def _of(self, bucket: str, prefix: str) -> list[ListedVersion]:
        """All versions by keys, from new to old."""
        found: dict[str, list[ListedVersion]] = {}
        for (there, key, version), stored in self._cloud.versions.items():
            if there == bucket and key.startswith(prefix):
                is_latest = not found.get(key)
                head = stored.head
                shown = (key, head.size, head.storage_class, head.kind, head.last_modified, head.etag)
                found.setdefault(key, []).insert(0, ListedVersion(*shown, version, True, stored.is_marker))
                if not is_latest:
                    found[key][1] = msgspec.structs.replace(found[key][1], is_latest=False)
        return [each for key in sorted(found) for each in found[key]]

    def versioning(self, bucket: str) -> str | None:
        known = self._cloud.versioning.get(bucket, "Enabled") if bucket in self._cloud.versioned else None
        return self._cloud.ask("versioning", lambda: known, bucket)

    def _listed(self, bucket: str, key: str) -> ListedObject:
        head = self._cloud.objects[bucket, key].head
        return ListedObject(key, head.size, head.storage_class, head.kind, head.last_modified, head.etag)

    def read(self, bucket: str, key: str, first: int, last: int, etag: str = "") -> bytes:
        del bucket

        def effect() -> bytes:
            if key not in self._cloud.files:
                raise Failed("NoSuchKey", "no such file", status=404)
            assert first <= last, "OSS would answer with the whole object"
            body = self._cloud.files[key]
            if etag and etag != f"F{len(body)}":
                raise Conflict("PreconditionFailed", "another ETag", status=412)
            return body[first : last + 1]

        return self._cloud.ask("read file", effect, key)

    def write(self, bucket: str, key: str, body: bytes) -> None:
        def effect() -> None:
            self._cloud.files[key] = body
            self._cloud.put(key, "m", bucket=bucket, size=len(body), etag=f"F{len(body)}")

        self._cloud.ask("write file", effect, key)

    def remove(self, bucket: str, key: str, *, pays: bool = False) -> None:
        del pays
        self._cloud.ask("remove", self._cloud.removal(bucket, key), key)

    def answered(self) -> Requests:
        """Return the requests that were made by anybody: copies, and looks at objects."""
        return Requests(self._cloud.count("copy"), self._cloud.count("head"))


def _behind(versions: list[ListedVersion], after: Mark) -> list[ListedVersion]:
    """What comes after a mark: all of later keys, and older ones of its own if it names a version."""
    own = [each for each in versions if each.key == after.key]
    names = [each.version_id for each in own]
    older = own[names.index(after.version_id) + 1 :] if after.version_id else []
    return [*older, *(each for each in versions if each.key > after.key)]


def request(**changes: Any) -> BulkRequest:
    """Return a request for all under `in/`, to `out/`."""
    usual: dict[str, Any] = {
        "source": BulkSource(bucket=SRC, prefix="in/"),
        "destination": BulkDestination(bucket=DST, prefix="out/"),
        "encryption": "bucket",
        "tuning": Tuning(part_size=PART),
        "report": ReportPlace(REPORT, "r/"),
    }
    return BulkRequest(**(usual | changes))


def job_of(asked: BulkRequest, occurrence: str = "one") -> Bulk:
    return Bulk(bulk.bulk_id(asked, occurrence), asked, "2027-01-15T08:01:40.000Z")


def tools(
    cloud: FileCloud,
    timeout: float = 60.0,
    workers: int = 1,
    forbidden: frozenset[str] = frozenset(),
    configured: float | None = None,
) -> Tools:
    """Return the product's tools for an invocation that begins now."""

    def allow(asked: CopyRequest) -> None:
        if forbidden & {asked.source.key, asked.destination.key, asked.source.bucket}:
            raise Refused("NotAllowed", "not allowed", status=403)

    journal = RecordJournal(MemoryRecords(cloud))
    limits = Limits(timeout, configured or timeout, cloud.time + timeout, THRESHOLD, 3)

    def default(bucket: str) -> Encrypted | None:
        return cloud.ask("default encryption", lambda: cloud.default, bucket)

    store = MemoryStore(cloud)
    context = Context(store, journal, cloud, cloud, cloud.log, limits, allow, cloud.options, default)

    def writes(bucket: str, key: str, field: str) -> None:
        if forbidden & {bucket, key}:
            raise Refused("NotAllowed", "not allowed", field=field, status=403)

    state = ReportPlace(STATE, "s/")
    return Tools(context, journal.records, MemoryObjects(cloud), state, writes, workers)


def sweep(made: Tools) -> object:
    return Sweeper(made.context, _journal(made), made).run(Sweep())


def carry_out(made: Tools, body: bytes, tries: int) -> object:
    """Do what an asynchronous invocation asks for; `tries`: FC's count of its retries."""
    arrival = events.Arrival("r", datetime.fromtimestamp(made.context.now(), timezone.utc))
    parsed: Event = events.parse(body, arrival, ())
    worklist = Worklist(made.context, made.records, _as_it_is)
    match parsed:
        case Sweep():
            return sweep(made)
        case Walk():
            return walk.walk(made, parsed, tries)
        case Overview():
            return Many(made).overview(parsed)
        case Settle():
            return settle.settle(made, parsed, tries)
        case Clear():
            return clear(made, parsed, tries)
        case Rest():
            return worklist.resume(parsed, retried=tries > 0)
        case events.Batch(items=(Bulk() as job,)):
            return bulk_start.begin(made, job)
        case events.Batch(items=(Copy() as copy,)):
            return worklist.run((copy.delivered_again() if tries else copy,))
        case events.Batch(items=(Continue() as task,)):
            return hop.proceed(made.context, task)
    raise AssertionError(parsed)


def _as_it_is(result: Result) -> Result:
    return result


def _journal(made: Tools) -> RecordJournal:
    journal: Any = made.context.journal
    assert isinstance(journal, RecordJournal)
    return journal


class Jobs:
    """A cloud, and what FC does there: `queue` is how much of it has been carried out."""

    def __init__(self, workers: int = 1, timeout: float = 60.0) -> None:
        self.cloud = FileCloud()
        self.workers, self.timeout = workers, timeout
        self.chains = 1000
        self.done = 0
        self.forbidden: frozenset[str] = frozenset()
        self.rules: tuple[Rule, ...] = ()

    def tools(self) -> Tools:
        made = tools(self.cloud, self.timeout, self.workers, self.forbidden)
        return msgspec.structs.replace(made, chains=self.chains, rules=lambda: self.rules)

    def put(self, *keys: str, **shown: Any) -> None:
        """Put objects at the source, each with bytes of its own unless `crc64` says so."""
        for key in keys:
            self.cloud.put(
                f"in/{key}", shown.get("crc64", f"1{len(self.cloud.objects)}"), **_without(shown, "crc64")
            )

    def list(self, text: bytes) -> BulkSource:
        """Put a manifest there; return the source that it is."""
        self.cloud.files["manifest"] = text
        self.cloud.put("manifest", "m", bucket=SRC, size=len(text), etag=f"F{len(text)}")
        return BulkSource(manifest=Manifest(SRC, "manifest"))

    def begin(self, asked: BulkRequest | None = None, occurrence: str = "one") -> BulkResult:
        return bulk_start.begin(self.tools(), job_of(request() if asked is None else asked, occurrence))

    def drain(self, most: int = MOST_MESSAGES) -> None:
        """Carry out what FC has been given, in order."""
        for _ in range(most):
            if self.done == len(self.cloud.submitted):
                return
            self.drain_one()

    def drain_one(self) -> None:
        """Carry out the next of it."""
        _, payload, delay = self.cloud.submitted[self.done]
        self.done += 1
        self.cloud.time += delay
        carry_out(self.tools(), payload, 0)

    def run(self, asked: BulkRequest | None = None, occurrence: str = "one") -> BulkResult:
        """Begin a job and carry everything out; return how it stands."""
        self.cloud.time += 10
        begun = self.begin(asked, occurrence)
        self.drain()
        return begun if begun.error else self.look(begun.job or "")

    def look(self, job: str) -> BulkResult:
        return Many(self.tools()).look(job)

    def sweep(self, after: float = 400.0) -> Any:
        """Let time pass, and sweep."""
        self.cloud.time += after
        return sweep(self.tools())

    def rows(self, job: str) -> dict[str, dict[str, str]]:
        """Return the rows of a report by key; each key has one."""
        found: dict[str, dict[str, str]] = {}
        listed = json.loads(self.cloud.files[f"r/{job}/manifest.json"])
        for file in listed["files"]:
            text = gzip.decompress(self.cloud.files[file["key"]]).decode()
            for row in csv.DictReader(io.StringIO(text, newline="")):
                key = unquote(row["key"])
                assert key not in found, key
                found[key] = row
        return found

    def statuses(self, job: str) -> dict[str, str]:
        """Return the status of each key, with the code of its error where it has one."""
        return {
            key.removeprefix("in/"): f"{row['status']} {row['errorCode']}".strip()
            for key, row in self.rows(job).items()
        }


def _without(shown: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in shown.items() if key != name}
