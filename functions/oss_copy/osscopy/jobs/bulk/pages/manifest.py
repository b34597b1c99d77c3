"""The objects that the lines of a manifest name, page by page.

Knows bytes, lines and gzip; not what is done with an object. The manifest is read piece by piece, each time
the version that the job was begun with. Positions are offsets in the plain text: where a line begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice

from msgspec.structs import replace

from osscopy.copying.invocation.questions import Question
from osscopy.jobs.bulk.pages.listing import LEAST as WORTH, PAGE as LISTED, Place, Places, item_of
from osscopy.jobs.bulk.pages.texts import PACKED, Unpacked
from osscopy.jobs.bulk.tools import Tools, maker
from osscopy.model import Ahead, BulkJob, Filters, Item, Manifest, Problem, Range
from osscopy.plan import bulk

PAGE = LISTED  # lines
LEAST = WORTH  # pages that are worth a range of their own
LINE = 50  # bytes that a line has, as far as its range has to be worth it
PIECE = 256 << 10  # bytes read at once


class ManifestPages:
    """The pages of a range of lines."""

    def __init__(self, tools: Tools, job: BulkJob, whole: Range, manifest: Manifest) -> None:
        self._context, self._job, self._range, self._manifest = tools.context, job, whole, manifest
        self._read = tools.objects.read
        self._maker = maker(job)
        # a report names what its own job has taken, by the filters of that job
        names = job.request.filters if job.request.source.manifest is not None else Filters()
        self._filter = bulk.Filter(names)
        start = self._bytes(0, PIECE)
        self._is_packed = start.startswith(PACKED)
        self._unpacked = Unpacked(self._pieces(), "the manifest") if self._is_packed else None
        self._form = bulk.form_of(self._plain(0, PIECE)[0], manifest.encoding)

    def after(self, low: str | None) -> Places:
        """Return the lines that begin at `low` and after it, as many as a page holds."""
        offset = int(low) if low else self._form.skips
        data, is_last = self._plain(offset, PIECE)
        found = list(islice(bulk.lines(self._form, data, offset, is_last=is_last), PAGE + 1))
        if not found and not is_last:
            data, is_last = self._plain(offset, 2 << 20)
            found = list(islice(bulk.lines(self._form, data, offset, is_last=is_last), PAGE + 1))
        places = tuple(Place(bulk.position(each.end), self._item(each)) for each in found[:PAGE])
        high = places[-1].position if places else low
        return Places(places, high, is_last=is_last and len(found) <= PAGE)

    def cuts(self, low: str, pieces: int) -> tuple[str, ...]:
        """Return where lines begin that cut what is left evenly; none for gzip, and for raw keys."""
        if self._is_packed or (self._form.kind == "csv" and self._form.encoding == "none"):
            return ()
        left = self._stop - int(low)
        pieces = min(pieces, left // max(1, LEAST * PAGE * LINE))
        begins = [int(low) + left * number // pieces for number in range(1, pieces)]
        looks = [Question(partial(self._line, at)) for at in begins]
        self._context.together(*looks)
        return tuple(sorted({at for each in looks for at in each.get()}))

    def _line(self, offset: int) -> tuple[str, ...]:
        """Return where the first line begins after an offset, if there is one in the range."""
        at = offset + self._bytes(offset, PIECE).find(b"\n") + 1
        return (bulk.position(at),) if offset < at < self._stop else ()

    def ahead(self, low: str | None) -> Ahead:
        """Estimate the lines that are left by those of the next piece; of gzip nobody knows the length."""
        offset = int(low) if low else self._form.skips
        left = self._stop - offset
        if self._is_packed or left <= 0:
            return Ahead(0, more=self._is_packed)
        piece = self._bytes(offset, min(PIECE, left))
        lines = sum(1 for _ in bulk.lines(self._form, piece, offset, is_last=True))
        return Ahead(-(-lines * left // len(piece)), more=False)

    @property
    def _stop(self) -> int:
        """Return where the range ends: lines that begin there belong to the next one."""
        return int(self._range.high) if self._range.high else self._job.size

    def _item(self, named: bulk.Named) -> Item | None:
        """Return the item of a line; None if the filters do not take its key."""
        if named.problem is None and not self._filter.takes_name(named.key):
            return None
        bucket = named.bucket or self._job.request.source.bucket or ""
        there, etag = (named.there, named.etag) if bulk.is_pinned(self._job.request) else ("", "")
        made = item_of(self._context, self._maker, bucket, named.key, named.version_id, there)
        problem = self._problem(named, bucket) or made.problem
        return replace(made, asks=True, problem=problem, pinned=etag)

    def _problem(self, named: bulk.Named, bucket: str) -> Problem | None:
        lacks = Problem("BadLine", f"the line that ends at byte {named.end} names no bucket")
        return named.problem or (None if bucket else lacks)

    def _plain(self, offset: int, size: int) -> tuple[bytes, bool]:
        """Return text from `offset` on, and whether the range ends with it; of gzip only forwards."""
        if self._unpacked is None:
            data = self._bytes(offset, min(size, self._stop - offset))
            return data, offset + len(data) >= self._stop
        return self._unpacked.read(offset, size)

    def _bytes(self, offset: int, size: int) -> bytes:
        """Return bytes of the manifest as it is stored, of the version that the job was begun with."""
        last = min(offset + size, self._job.size) - 1
        if last < offset:
            return b""
        of, etag = self._manifest, self._job.etag
        return self._context.ask(self._read, of.bucket, of.key, offset, last, etag)

    def _pieces(self) -> Iterator[bytes]:
        return (self._bytes(at, PIECE) for at in range(0, self._job.size, PIECE))
