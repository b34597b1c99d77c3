"""The objects that an inventory of OSS names, page by page.

Knows `manifest.json` and the files that it names; not what is done with an object. Before a row of a file
counts, its bytes have the MD5 that the manifest tells, and are read as that version of the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice, pairwise

from msgspec.structs import replace

from osscopy.jobs.bulk.pages.listing import PAGE as LISTED, Place, Places, Showing, item_of
from osscopy.jobs.bulk.pages.texts import PACKED, Plain, Unpacked
from osscopy.jobs.bulk.tools import Tools, maker
from osscopy.model import (
    Ahead,
    BulkJob,
    Conditions,
    CopyRequest,
    Destination,
    Failed,
    Head,
    Inventory,
    Item,
    Problem,
    Range,
    Refused,
    Source,
)
from osscopy.plan import bulk
from osscopy.plan.bulk import inventories

PAGE = LISTED  # rows
PIECE = 4 << 20  # bytes of a file read at once
TEXT = 512 << 10  # bytes of text looked at at once; a line is shorter
LISTINGS = 4  # of the destination for a page of rows: where these do not reach, each is asked


class NoTimeError(Exception):
    """The next file cannot be begun in this hop."""


def contents_of(tools: Tools, inventory: Inventory, etag: str, size: int) -> inventories.Contents:
    """Return what `manifest.json` says, of this version; Failed if it cannot be understood."""
    if not 0 < size <= inventories.MOST_BYTES:
        text = f"manifest.json has {size} bytes, 1 to {inventories.MOST_BYTES} are read"
        raise Failed("InvalidInventory", text, field="source.inventory")
    read = tools.objects.read
    body = tools.context.ask(read, inventory.bucket, inventory.key, 0, size - 1, etag)
    try:
        return inventories.read(body)
    except Refused as error:
        raise Failed(error.code, error.message, field=error.field) from error


class InventoryPages:
    """The pages of a range of rows; a range is cut between files."""

    def __init__(self, tools: Tools, job: BulkJob, whole: Range, inventory: Inventory) -> None:
        self._tools, self._context = tools, tools.context
        self._request, self._range, self._bucket = job.request, whole, inventory.bucket
        self._contents = contents_of(tools, inventory, job.etag, job.size)
        self._maker = maker(job)
        self._filter = bulk.Filter(job.request.filters)
        self._there = Showing(tools, job)
        self._open: tuple[int, Plain] | None = None

    def after(self, low: str | None) -> Places:
        """Return the rows that begin at `low` and after it, of one file, as many as a page holds."""
        number, offset = inventories.place(low) if low else (0, 0)
        if number >= self._stop:
            return Places((), low, is_last=True)
        try:
            text = self._text(number)
            found, is_over = self._lines(text, offset, TEXT)
            if not found and not is_over:
                found, is_over = self._lines(text, offset, 4 * TEXT)
        except NoTimeError:
            return Places((), low, is_last=False)
        ends = is_over and len(found) <= PAGE
        places = self._places(number, found[:PAGE])
        if ends:
            high = inventories.position(number + 1, 0)
            return Places(places, high, is_last=number + 1 >= self._stop)
        return Places(places, places[-1].position if places else low, is_last=False)

    def cuts(self, low: str, pieces: int) -> tuple[str, ...]:
        """Return where files begin that cut what is left evenly."""
        number, _ = inventories.place(low)
        left = self._stop - number
        begins = {number - (-left * each // pieces) for each in range(1, pieces)}
        return tuple(inventories.position(each, 0) for each in sorted(begins) if number < each < self._stop)

    def ahead(self, low: str | None) -> Ahead:
        """Return that there are more: nobody knows the length of gzip."""
        number, _ = inventories.place(low) if low else (0, 0)
        return Ahead(0, more=number < self._stop)

    @property
    def _stop(self) -> int:
        """Return the number of the first file that does not belong to the range."""
        return inventories.place(self._range.high)[0] if self._range.high else len(self._contents.files)

    # --- rows ------------------------------------------------------------------------------------------

    def _lines(self, text: Plain, offset: int, size: int) -> tuple[list[tuple[int, bytes]], bool]:
        """Return lines, one more than a page holds if there are so many, and whether the file ends here."""
        data, is_over = text.read(offset, size)
        lines = bulk.texts(inventories.FORM, data, offset, is_last=is_over)
        return list(islice(lines, PAGE + 1)), is_over

    def _places(self, number: int, lines: list[tuple[int, bytes]]) -> tuple[Place, ...]:
        positions = [inventories.position(number, end) for end, _ in lines]
        items = self._with_destinations([self._item(number, end, line) for end, line in lines])
        return tuple(map(Place, positions, items))

    def _item(self, number: int, end: int, line: bytes) -> Item | None:
        """Return the item of a row; None if the filters do not take it."""
        try:
            listed = inventories.row(self._contents, line)
        except ValueError as error:
            text = f"the row that ends at byte {end} of {self._contents.files[number].key}: {error}"
            nowhere = CopyRequest(source=Source("", ""), destination=Destination("", ""))
            return Item(nowhere, None, None, Problem("BadLine", text[:300]))
        source = listed.source
        name = self._maker.name(source.key)
        if not self._filter.takes(name, listed.size, listed.modified, listed.storage_class):
            return None
        made = item_of(self._context, self._maker, source.bucket, source.key, None)
        if listed.passed:
            what = "a delete marker" if listed.passed == "DeleteMarker" else "no latest version"
            return replace(made, problem=Problem(listed.passed, what))
        return replace(made, asks=True, source=listed.shown)

    def _with_destinations(self, items: list[Item | None]) -> list[Item | None]:
        """Return items with what a listing of the destination shows, where rows are in order and dense."""
        known = [item for item in items if item is not None and item.source is not None and not item.problem]
        keys = [item.request.source.key for item in known]
        is_in_order = all(one < other for one, other in pairwise(keys))
        if not keys or self._there.asks or self._request.overwrite == "always" or not is_in_order:
            return items
        shown = self._there.between(bulk.before(keys[0]), keys[-1], LISTINGS)

        def with_destination(item: Item | None) -> Item | None:
            if item is None or item.source is None or item.problem:
                return item
            key = item.request.destination.key
            if not self._there.has_listed(key):
                return item
            return replace(item, destination=shown.get(key), asks=False)

        return [with_destination(item) for item in items]

    # --- files -----------------------------------------------------------------------------------------

    def _text(self, number: int) -> Plain:
        """Return the text of a file, the bytes of which are those that the manifest tells of."""
        if self._open is not None and self._open[0] == number:
            return self._open[1]
        file, is_first = self._contents.files[number], self._open is None
        head = self._head(file)
        if head.etag.upper() != file.md5:  # else OSS has found the same MD5 when it was written
            digest = hashlib.md5(usedforsecurity=False)
            for piece in self._pieces(file, head.etag, is_first=is_first):
                digest.update(piece)
            if digest.hexdigest().upper() != file.md5:
                raise _damaged(f"the MD5 of {file.key} is not the one that its manifest tells")
        start = self._read(file, head.etag, 0, len(PACKED))
        pieces = self._pieces(file, head.etag, is_first=is_first)
        text = (Unpacked if start == PACKED else Plain)(pieces, file.key)
        self._open = number, text
        return text

    def _head(self, file: inventories.File) -> Head:
        place = Source(self._bucket, file.key)
        asked = CopyRequest(
            source=place,
            destination=Destination(self._request.destination.bucket),
            request_payer=self._request.request_payer,
        )
        try:
            head = self._context.ask(self._context.store.head, asked, place, Conditions())
        except Failed as error:
            if error.code != "NoSuchKey":
                raise
            raise _damaged(f"there is no {file.key}, which its manifest names") from error
        if head.size != file.size:
            raise _damaged(f"{file.key} has {head.size} bytes, its manifest tells {file.size}")
        return head

    def _pieces(self, file: inventories.File, etag: str, *, is_first: bool) -> Iterator[bytes]:
        """Yield the bytes of a file, while there is time; the first file of a hop has to fit into it."""
        for at in range(0, file.size, PIECE):
            if self._context.clock.monotonic() >= self._tools.work_until:
                if not is_first:
                    raise NoTimeError
                text = f"one invocation has no time to read {file.key}: raise the function's timeout"
                raise Failed("TimeoutTooShort", text)
            yield self._read(file, etag, at, PIECE)

    def _read(self, file: inventories.File, etag: str, at: int, size: int) -> bytes:
        last = min(at + size, file.size) - 1
        if last < at:
            return b""
        return self._context.ask(self._tools.objects.read, self._bucket, file.key, at, last, etag)


def _damaged(text: str) -> Failed:
    return Failed("ManifestDamaged", f"{text}: make the inventory anew")
