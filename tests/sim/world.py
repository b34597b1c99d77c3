"""Simulated OSS: a source, a destination, uploads and records, as values. No time passes in here.

Knows what OSS does with one request at one instant; not who asks, nor what gets lost on the way. An object
has no bytes: `content` names them, so that a mixture of two versions is seen at once. Dates have a second's
resolution, as OSS's have.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from osscopy import plan
from osscopy.model import (
    Attributes,
    Conflict,
    ContentHeaders,
    CopyRequest,
    Failed,
    Head,
    ListedPart,
    OpenUpload,
    Part,
    PartPage,
    Pin,
    RecordPage,
    SourceChanged,
    UploadGone,
    UploadPage,
    Written,
)

MIXED = 0  # the content of an object that is no complete copy of anything
Origin = Literal["source", "former", "foreign", "copy"]


@dataclass(frozen=True)
class Stored:
    """An object: `content` stands for its bytes, `meta` for its headers, `tags` for its tags (0: none).

    `upload` made it, if one did, or else the CopyObject that invocation `by` asked for, for `job`.
    """

    content: int
    meta: int
    size: int
    etag: str
    modified: int
    origin: Origin
    version: str | None = None
    upload: str | None = None
    tags: int = 0
    by: str | None = None
    job: str | None = None
    storage: str = "Standard"

    @property
    def told(self) -> tuple[int, int, int, int]:
        """What a reader sees."""
        return self.content, self.meta, self.size, self.tags

    def head(self, now: float) -> Head:
        return Head(
            size=self.size,
            etag=self.etag,
            version_id=self.version,
            last_modified=self.modified,
            seen_at=int(now),
            crc64=str(self.content),
            storage_class=self.storage,
            kind="Normal",
            content=ContentHeaders(user={"m": str(self.meta)}),
            tag_count=min(1, self.tags),
        )


@dataclass(frozen=True)
class Piece:
    """A part that was copied: which bytes of what."""

    etag: str
    content: int
    first: int
    last: int
    modified: int


@dataclass
class Upload:
    """A multipart upload; `initiator` is the invocation that asked for it."""

    meta: int
    tags: int
    initiator: str
    initiated: int
    storage: str
    state: Literal["open", "completed", "aborted"] = "open"
    parts: dict[int, Piece] = field(default_factory=dict)
    answered: bool = False  # the initiator has heard of it
    survived: bool = False  # a part in flight brought it back after an abort


class World:
    """OSS at one instant."""

    def __init__(self, size: int, *, versioned: bool, keeps: bool, page: int, itself: bool = False) -> None:
        """`versioned`: the source's bucket; `keeps`: the destination's keeps versions.

        `itself`: the destination is the source. CopyObject then keeps no header and no tag that is not named,
        which is the stricter reading of the documentation.
        """
        self._itself = itself
        self.now = 0.0
        self._page = page
        self._versioned = versioned
        self._keeps = keeps
        self._kept: dict[str, Stored] = {}  # versions of the destination
        self._contents = MIXED
        self.source: Stored | None = None
        self.sources: list[tuple[float, Stored | None]] = []
        self._versions: dict[str | None, Stored] = {}
        self.destination: Stored | None = None
        self.shown: list[Stored] = []  # all the destination ever showed
        self.uploads: dict[str, Upload] = {}
        self.records: dict[str, tuple[float, bytes]] = {}
        self.forgotten: dict[str, float] = {}  # when for the first time
        self.ever: dict[str, tuple[float, bytes]] = {}  # records as they were first written
        self.mixed = False  # an upload got parts of two versions
        self._size = size

    # --- what others do --------------------------------------------------------------------------------

    def write_source(self, size: int) -> None:
        """Other bytes under the source's key."""
        self._contents += 1
        self._put_source(Stored(self._contents, 1, size, f"E{self._contents}", int(self.now), "source"))

    def touch_source(self) -> None:
        """Other metadata: the ETag stays."""
        if self.source is not None:
            touched = replace(self.source, meta=self.source.meta + 1, modified=int(self.now))
            self._put_source(replace(touched, origin="source", upload=None, by=None))

    def retag_source(self) -> None:
        """Other tags: ETag, date and version stay."""
        if self.source is not None:
            tags = self.source.tags + 1
            self.source = replace(self.source, tags=tags, origin="source", upload=None, by=None)
            self.sources.append((self.now, self.source))
            self._versions[self.source.version] = self.source
            self._mirror()

    def delete_source(self) -> None:
        self.source = None
        self.sources.append((self.now, None))
        self._mirror()

    def _put_source(self, stored: Stored) -> None:
        version = f"v{len(self.sources)}" if self._versioned else None
        self.source = replace(stored, version=version)
        self.sources.append((self.now, self.source))
        self._versions = {**self._versions, version: self.source} if version else {None: self.source}
        self._mirror()

    def _mirror(self) -> None:
        """Show the source under the destination's key, if that is the same."""
        if not self._itself:
            return
        self.destination = self.source
        if self.source is not None:
            self.shown.append(self.source)
            if self.source.version is not None:
                self._kept[self.source.version] = self.source

    def write_destination(self, origin: Origin) -> None:
        """Somebody else's object under the destination's key."""
        self._contents += 1
        self._show(Stored(-self._contents, 0, self._size, f"E{self._contents}", int(self.now), origin))

    def _show(self, stored: Stored) -> Written:
        if self._itself:
            self._put_source(stored)
            return Written(stored.etag, self.source.version if self.source else None)
        version = f"d{len(self.shown)}" if self._keeps else None
        self.destination = replace(stored, version=version)
        self.shown.append(self.destination)
        if version is not None:
            self._kept[version] = self.destination
        return Written(stored.etag, version)

    def source_at(self, moment: float) -> Stored | None:
        return next(stored for since, stored in reversed(self.sources) if since <= moment)

    # --- requests --------------------------------------------------------------------------------------

    def head(self) -> Head:
        if self.source is None:
            raise Failed("NoSuchKey", "no such key", status=404)
        return self.source.head(self.now)

    def find(self, version: str | None) -> Head | None:
        stored = self._kept[version] if version else self.destination
        return stored.head(self.now) if stored else None

    def tags(self, version: str | None) -> dict[str, str]:
        """Of the source."""
        stored = self._versions.get(version) if version else self.source
        if stored is None:
            raise Failed("NoSuchKey", "no such key", status=404)
        return {"t": str(stored.tags)} if stored.tags else {}

    def tags_shown(self, version: str | None) -> dict[str, str]:
        """Of the destination."""
        stored = self._kept[version] if version else self.destination
        if stored is None:
            raise Failed("NoSuchKey", "no such key", status=404)
        return {"t": str(stored.tags)} if stored.tags else {}

    def read(self, pin: Pin, *, match: bool = True) -> Stored:
        """The source for a copy, pinned by its ETag."""
        stored = self._versions.get(pin.version_id) if pin.version_id else self.source
        if stored is None or (match and stored.etag != pin.etag):
            raise SourceChanged("SourceChanged", "the source is no longer the version the copy began with")
        return stored

    def copy(self, request: CopyRequest, read: Stored, attributes: Attributes, by: str, job: str) -> Written:
        """What is shown from now on."""
        self._forbid(request)
        made = replace(read, modified=int(self.now), origin="copy", upload=None, by=by, job=job)
        if self._itself:
            made = replace(made, meta=_meta(attributes), tags=_tags(attributes))
        return self._show(replace(made, storage=attributes.storage_class))

    def initiate(self, request: CopyRequest, attributes: Attributes, initiator: str) -> str:
        self._forbid(request)
        assert attributes.content is not None
        name = f"u{len(self.uploads) + 1}"
        meta, tags = _meta(attributes), _tags(attributes)
        self.uploads[name] = Upload(meta, tags, initiator, int(self.now), attributes.storage_class)
        return name

    def copy_part(self, name: str, read: Stored, part: Part, *, survives: bool) -> None:
        """Store a part. After an abort a part that was in flight may bring the upload back."""
        upload = self.uploads[name]
        if upload.state == "aborted" and survives:
            upload.state, upload.survived, upload.parts = "open", True, {}
        last = min(part.last, read.size - 1)
        etag = f"P{read.content}-{part.first}-{last}"
        parts = self._open(name).parts
        self.mixed = self.mixed or any(piece.content != read.content for piece in parts.values())
        parts[part.number] = Piece(etag, read.content, part.first, last, int(self.now))

    def open_uploads(self) -> UploadPage:
        found = (
            OpenUpload(name, "k", upload.initiated)
            for name, upload in self.uploads.items()
            if upload.state == "open"
        )
        return UploadPage(tuple(found), int(self.now))

    def list_parts(self, name: str, after: int) -> PartPage:
        parts = self._open(name).parts
        numbers = sorted(number for number in parts if number > after)
        page = [
            ListedPart(n, parts[n].etag, parts[n].last - parts[n].first + 1, None, parts[n].modified)
            for n in numbers[: self._page]
        ]
        following = page[-1].number if len(numbers) > self._page else None
        return PartPage(tuple(page), following, int(self.now))

    def complete(self, request: CopyRequest, name: str, listed: Sequence[ListedPart]) -> Written:
        """What is shown from now on. Not idempotent: the second one finds no upload."""
        upload = self._open(name)
        self._forbid(request)
        pieces = []
        for part in listed:
            piece = upload.parts.get(part.number)
            if piece is None or piece.etag != part.etag:
                raise Failed("InvalidPart", "one or more parts could not be found", status=400)
            pieces.append(piece)
        upload.state = "completed"
        size = sum(piece.last - piece.first + 1 for piece in pieces)
        etag = plan.multipart_etag(part.etag for part in listed)
        content = self._content_of(pieces, size)
        made = Stored(content, upload.meta, size, etag, int(self.now), "copy", upload=name, tags=upload.tags)
        return self._show(replace(made, storage=upload.storage))

    def abort(self, name: str) -> None:
        upload = self._open(name)
        upload.state = "aborted"
        upload.parts = {}

    def _open(self, name: str) -> Upload:
        if self.uploads[name].state != "open":
            raise UploadGone("NoSuchUpload", "the upload is gone", status=404)
        return self.uploads[name]

    def _forbid(self, request: CopyRequest) -> None:
        """OSS does not honour forbid-overwrite where versions are kept."""
        if request.overwrite == "never" and self.destination is not None and not self._keeps:
            raise Conflict("FileAlreadyExists", "the object exists", status=409)

    def _content_of(self, pieces: Sequence[Piece], size: int) -> int:
        """The content that the pieces make up, MIXED if they are no complete object."""
        contents = {piece.content for piece in pieces}
        if len(contents) != 1:
            return MIXED
        offset = 0
        for piece in pieces:
            if piece.first != offset:
                return MIXED
            offset = piece.last + 1
        (content,) = contents
        known = {stored.size for _, stored in self.sources if stored and stored.content == content}
        return content if known == {size} else MIXED

    # --- records ---------------------------------------------------------------------------------------

    def put_new(self, name: str, body: bytes) -> bool:
        if name in self.records:
            return False
        self.records[name] = (self.now, body)
        self.ever.setdefault(name, self.records[name])
        return True

    def delete(self, name: str) -> None:
        if self.records.pop(name, None):
            self.forgotten.setdefault(name, self.now)

    def page(self, prefix: str, after: str, limit: int) -> RecordPage:
        found = sorted(name for name in self.records if name.startswith(prefix) and name > after)
        return RecordPage(tuple((name, int(self.records[name][0])) for name in found[:limit]), int(self.now))

    def get(self, name: str) -> bytes | None:
        return self.records[name][1] if name in self.records else None


def _meta(attributes: Attributes) -> int:
    """The metadata that is named; 0: none."""
    return int(attributes.content.user["m"]) if attributes.content else 0


def _tags(attributes: Attributes) -> int:
    """The tags that are named; 0: none."""
    return int((attributes.tags or {}).get("t", 0))


def digest(text: str) -> str:
    """A short stable name for a text."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
