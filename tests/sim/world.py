"""Simulated OSS: a source, a destination, uploads and records, as values. No time passes in here.

Knows what OSS does with one request at one instant; not who asks, nor what gets lost on the way. An object
has no bytes: `content` names them, so that a mixture of two versions is seen at once; its CRC64 is the one of
bytes made from that name. Dates have a second's resolution, as OSS's have. Shares no code with the product.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import fastcrc

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
from tests.sim.scenario import Scenario

MIXED = 0  # the content of an object that is no complete copy of anything
KEY = "k"  # of the source, or of the symlink that points to it
Origin = Literal["source", "former", "foreign", "copy"]


@dataclass(frozen=True)
class Stored:
    """An object: `content` stands for its bytes, `meta` for its headers, `tags` for its tags (0: none).

    `upload` made it, if one did, or else the CopyObject that invocation `by` asked for, for `job`.
    `link`: the target, of a symlink; its content is the target's name. `corrupt`: OSS copied wrong bytes.
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
    link: str | None = None
    corrupt: bool = False

    @property
    def told(self) -> tuple[int, int, int, int]:
        """What a reader sees."""
        return self.content, self.meta, self.size, self.tags

    @property
    def crc64(self) -> str | None:
        return None if self.link else str(crc64_of(self.content, 0, self.size - 1))


@dataclass(frozen=True)
class Piece:
    """A part that was copied: which bytes of what; `corrupt`: they are wrong."""

    etag: str
    content: int
    first: int
    last: int
    modified: int
    corrupt: bool = False

    @property
    def crc64(self) -> int:
        return crc64_of(self.content, self.first, self.last) ^ self.corrupt


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

    def __init__(self, scenario: Scenario) -> None:
        """Of a copy onto itself: CopyObject keeps no header and no tag that is not named.

        That is the stricter reading of the documentation.
        """
        self._scenario = scenario
        self.now = 0.0
        self._kept: dict[str, Stored] = {}  # versions of the destination, the newest one last
        self._contents = MIXED
        self.source: Stored | None = None  # at the end of the symlink, if one is followed
        self.sources: list[tuple[float, Stored | None]] = []
        self._versions: dict[str | None, Stored] = {}
        self._target: str | None = None  # of the symlink
        self._targets: dict[str, Stored] = {}
        self._readable: dict[int, float] = {}  # since when archived contents are restored
        self.destination: Stored | None = None
        self.shown: list[Stored] = []  # all the destination ever showed
        self.uploads: dict[str, Upload] = {}
        self.records: dict[str, tuple[float, bytes]] = {}
        self.forgotten: dict[str, float] = {}  # when for the first time
        self.ever: dict[str, tuple[float, bytes]] = {}  # records as they were first written
        self.mixed = False  # an upload got parts of two versions

    # --- what others do --------------------------------------------------------------------------------

    def write_source(self, size: int) -> None:
        """Other bytes under the source's key; a symlink that is copied gets another target."""
        self._contents += 1
        content, is_link = self._contents, self._scenario.link == "copy"
        etag, storage = f"E{content}", self._scenario.storage
        self._put_source(
            Stored(
                content,
                1,
                0 if is_link else size,
                etag,
                int(self.now),
                "source",
                storage=storage,
                link=f"t{content}" if is_link else None,
            )
        )

    def retarget_source(self) -> None:
        """Another target of the symlink that is followed; the former one stays where it is."""
        self._target = None
        self.write_source(self.source.size if self.source else self._scenario.size)

    def touch_source(self) -> None:
        """Other metadata: the ETag stays. A symlink shows none."""
        if self.source is not None:
            meta = self.source.meta + (self.source.link is None)
            touched = replace(self.source, meta=meta, modified=int(self.now))
            self._put_source(replace(touched, origin="source", upload=None, by=None))

    def retag_source(self) -> None:
        """Other tags: ETag, date and version stay. A symlink has none."""
        if self.source is not None and self._scenario.link != "copy":
            tags = self.source.tags + 1
            self.source = replace(self.source, tags=tags, origin="source", upload=None, by=None)
            self._is_source_now()

    def delete_source(self, *, link: bool) -> None:
        """Delete the object; `link`: the symlink to it instead."""
        if self._target is not None:
            if link:
                self._target = None
            else:
                self._targets.pop(self._target, None)
        self.source = None
        self.sources.append((self.now, None))
        self._mirror()

    def _put_source(self, stored: Stored) -> None:
        version = f"v{len(self.sources)}" if self._scenario.versioned else None
        self.source = replace(stored, version=version)
        if self._scenario.link == "follow" and self._target is None:
            self._target = f"t{len(self.sources)}"
        if version is None:
            self._versions = {}
        self._is_source_now()

    def _is_source_now(self) -> None:
        assert self.source is not None
        self.sources.append((self.now, self.source))
        self._versions[self.source.version] = self.source
        if self._target is not None:
            self._targets[self._target] = self.source
        self._mirror()

    def _mirror(self) -> None:
        """Show the source under the destination's key, if that is the same."""
        if not self._scenario.itself:
            return
        self.destination = self.source
        if self.source is not None:
            self.shown.append(self.source)
            if self.source.version is not None:
                self._kept[self.source.version] = self.source

    def write_destination(self, origin: Origin) -> None:
        """Somebody else's object under the destination's key."""
        self._contents += 1
        content, size = -self._contents, self._scenario.size
        self._show(Stored(content, 0, size, f"E{self._contents}", int(self.now), origin))

    def _show(self, stored: Stored) -> Written:
        if self._scenario.itself:
            self._put_source(stored)
            return Written(stored.etag, self.source.version if self.source else None)
        version = f"d{len(self.shown)}" if self._scenario.keeps else None
        self.destination = replace(stored, version=version)
        self.shown.append(self.destination)
        if version is not None:
            self._kept[version] = self.destination
        return Written(stored.etag, version)

    def source_at(self, moment: float) -> Stored | None:
        return next(stored for since, stored in reversed(self.sources) if since <= moment)

    # --- requests --------------------------------------------------------------------------------------

    def head(self, key: str) -> Head:
        """The source; what a symlink points to, if there is one under this key."""
        match self._scenario.link:
            case "follow":
                return self._head_followed(key)
            case "copy" if self.source is not None:  # the target's, which is of no interest
                return replace_head(self._shown(self.source), kind="Symlink", link=None, etag="ET", size=1)
            case _:
                return self._shown(_there(self.source))

    def _head_followed(self, key: str) -> Head:
        if key != KEY:
            return self._shown(_there(self._targets.get(key)))
        if self._target is None:
            raise _no_such_key()
        if (target := self._targets.get(self._target)) is None:
            raise Failed("SymlinkTargetNotExist", "the symlink points to nothing", status=404)
        return replace_head(self._shown(target), kind="Symlink")

    def link(self) -> Head | None:
        """The symlink itself, None if the source is none or there is none."""
        match self._scenario.link:
            case "follow" if self._target is not None:
                return replace_head(_of_link(self._target, int(self.now)), etag=f"L{self._target}")
            case "copy" if self.source is not None:
                return self._shown(self.source)
            case _:
                return None

    def find(self, version: str | None) -> Head | None:
        """The destination; the target of a symlink is not there."""
        stored = self._kept.get(version) if version else self.destination
        if stored is not None and stored.link is not None:
            raise Failed("SymlinkTargetNotExist", "the symlink points to nothing", status=404)
        return self._shown(stored) if stored else None

    def find_link(self, version: str | None) -> Head | None:
        """The destination, if it is a symlink."""
        stored = self._kept.get(version) if version else self.destination
        return self._shown(stored) if stored is not None and stored.link is not None else None

    def restore(self, version: str | None) -> None:
        """Let an archived source be readable after a while; that it will be, or is, is as good."""
        stored = self._versions.get(version) if version else self.source
        content = _there(stored).content
        self._readable.setdefault(content, self.now + self._scenario.restore)

    def tags(self, version: str | None, key: str) -> dict[str, str]:
        """Of the source."""
        followed = self._targets.get(key) if self._scenario.link == "follow" else self.source
        stored = _there(self._versions.get(version) if version else followed)
        return {"t": str(stored.tags)} if stored.tags else {}

    def tags_shown(self, version: str | None) -> dict[str, str]:
        """Of the destination."""
        stored = _there(self._kept.get(version) if version else self.destination)
        return {"t": str(stored.tags)} if stored.tags else {}

    def read(self, pin: Pin, key: str, *, match: bool = True) -> Stored:
        """The source for a copy, pinned by its ETag; a symlink is not pinned."""
        followed = self._targets.get(key) if self._scenario.link == "follow" else self.source
        stored = self._versions.get(pin.version_id) if pin.version_id else followed
        if stored is None or (match and stored.link is None and stored.etag != pin.etag):
            raise SourceChanged("SourceChanged", "the source is no longer the version the copy began with")
        if self._restoration(stored) not in {"", "done"}:
            raise Failed("InvalidObjectState", "the object is not restored", status=403)
        return stored

    def copy(
        self, request: CopyRequest, read: Stored, attributes: Attributes, by: str, job: str, *, corrupt: bool
    ) -> Written:
        """What is shown from now on."""
        self._forbid(request)
        if self._scenario.limit and read.size > self._scenario.limit:
            raise Failed("EntityTooLarge", "CopyObject does not copy so much", status=400)
        made = replace(
            read, modified=int(self.now), origin="copy", upload=None, by=by, job=job, corrupt=False
        )
        if self._scenario.itself:
            made = replace(made, meta=_meta(attributes), tags=_tags(attributes))
        if corrupt and read.link is None and not self._scenario.itself:  # else a copy in parts mixes the two
            made = replace(made, content=MIXED, corrupt=True)
        return self._show(replace(made, storage=attributes.storage_class or read.storage))

    def initiate(self, request: CopyRequest, attributes: Attributes, initiator: str) -> str:
        self._forbid(request)
        assert attributes.content is not None
        name = f"u{len(self.uploads) + 1}"
        meta, tags = _meta(attributes), _tags(attributes)
        self.uploads[name] = Upload(meta, tags, initiator, int(self.now), attributes.storage_class)
        return name

    def copy_part(self, name: str, read: Stored, part: Part, *, survives: bool, corrupt: bool) -> None:
        """Store a part. After an abort a part that was in flight may bring the upload back."""
        upload = self.uploads[name]
        if upload.state == "aborted" and survives:
            upload.state, upload.survived, upload.parts = "open", True, {}
        last = min(part.last, read.size - 1)
        etag = f"P{read.content}-{part.first}-{last}" + "!" * corrupt
        parts = self._open(name).parts
        self.mixed = self.mixed or any(piece.content != read.content for piece in parts.values())
        parts[part.number] = Piece(etag, read.content, part.first, last, int(self.now), corrupt)

    def open_uploads(self) -> UploadPage:
        found = (
            OpenUpload(name, KEY, upload.initiated)
            for name, upload in self.uploads.items()
            if upload.state == "open"
        )
        return UploadPage(tuple(found), int(self.now))

    def list_parts(self, name: str, after: int) -> PartPage:
        parts = self._open(name).parts
        numbers = sorted(number for number in parts if number > after)
        page = [self._listed(n, parts[n]) for n in numbers[: self._scenario.page]]
        following = page[-1].number if len(numbers) > self._scenario.page else None
        return PartPage(tuple(page), following, int(self.now))

    def _listed(self, number: int, piece: Piece) -> ListedPart:
        crc64 = piece.crc64 if self._scenario.part_crcs else None
        return ListedPart(number, piece.etag, piece.last - piece.first + 1, crc64, piece.modified)

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
        made = Stored(
            self._content_of(pieces, size),
            upload.meta,
            size,
            etag_of([part.etag for part in listed]),
            int(self.now),
            "copy",
            upload=name,
            tags=upload.tags,
            storage=upload.storage,
            corrupt=any(piece.corrupt for piece in pieces),
        )
        return self._show(made)

    def abort(self, name: str) -> None:
        upload = self._open(name)
        upload.state = "aborted"
        upload.parts = {}

    def delete_version(self, version: str) -> Stored | None:
        """Delete a version of the destination for good, and show the one before; return what it was."""
        deleted = self._kept.pop(version, None)
        if deleted is None or self.destination is None or self.destination.version != version:
            return deleted
        self.destination = next(reversed(self._kept.values()), None)
        if self.destination is not None:
            self.shown.append(self.destination)
        if self._scenario.itself:
            self.source = self.destination
            self.sources.append((self.now, self.source))
            self._versions.pop(version, None)
        return deleted

    def _open(self, name: str) -> Upload:
        if self.uploads[name].state != "open":
            raise UploadGone("NoSuchUpload", "the upload is gone", status=404)
        return self.uploads[name]

    def _forbid(self, request: CopyRequest) -> None:
        """OSS does not honour forbid-overwrite where versions are kept."""
        if request.overwrite == "never" and self.destination is not None and not self._scenario.keeps:
            raise Conflict("FileAlreadyExists", "the object exists", status=409)

    def _content_of(self, pieces: Sequence[Piece], size: int) -> int:
        """The content that the pieces make up, MIXED if they are no complete object."""
        contents = {piece.content for piece in pieces}
        if len(contents) != 1 or any(piece.corrupt for piece in pieces):
            return MIXED
        offset = 0
        for piece in pieces:
            if piece.first != offset:
                return MIXED
            offset = piece.last + 1
        (content,) = contents
        known = {stored.size for _, stored in self.sources if stored and stored.content == content}
        return content if known == {size} else MIXED

    def _shown(self, stored: Stored) -> Head:
        if stored.link is not None:
            return _of_link(stored.link, int(self.now), stored)
        restoration = self._restoration(stored)
        return Head(
            size=stored.size,
            etag=stored.etag,
            version_id=stored.version,
            last_modified=stored.modified,
            seen_at=int(self.now),
            crc64=stored.crc64,
            storage_class=stored.storage,
            kind="Normal",
            content=ContentHeaders(user={"m": str(stored.meta)}),
            tag_count=min(1, stored.tags),
            restoration=restoration or "none",
        )

    def _restoration(self, stored: Stored) -> Literal["", "none", "ongoing", "done"]:
        """How far an archived object is restored; empty: it is none."""
        if stored.storage != "Archive" or stored.origin != "source":
            return ""
        since = self._readable.get(stored.content)
        return "none" if since is None else "done" if since <= self.now else "ongoing"

    # --- records ---------------------------------------------------------------------------------------

    def put_new(self, name: str, body: bytes) -> bool:
        if name in self.records:
            return False
        self.records[name] = (self.now, body)
        self.ever.setdefault(name, self.records[name])
        return True

    def put(self, name: str, body: bytes) -> None:
        self.records[name] = (self.now, body)

    def delete(self, name: str) -> None:
        if self.records.pop(name, None):
            self.forgotten.setdefault(name, self.now)

    def page(self, prefix: str, after: str, limit: int) -> RecordPage:
        found = sorted(name for name in self.records if name.startswith(prefix) and name > after)
        return RecordPage(tuple((name, int(self.records[name][0])) for name in found[:limit]), int(self.now))

    def get(self, name: str) -> bytes | None:
        return self.records[name][1] if name in self.records else None


@functools.lru_cache(maxsize=4096)
def crc64_of(content: int, first: int, last: int) -> int:
    """The CRC64 of some of the bytes that this content stands for: its number, again and again."""
    pattern = (content & (2**64 - 1)).to_bytes(8, "little")
    begun = first - first % 8
    many = pattern * ((last - begun) // 8 + 1)
    return int(fastcrc.crc64.xz(many[first - begun : last - begun + 1]))


def replace_head(head: Head, **shown: object) -> Head:
    """The head with other values."""
    fields = {name: getattr(head, name) for name in Head.__struct_fields__}
    return Head(**(fields | shown))


def _of_link(target: str, now: int, stored: Stored | None = None) -> Head:
    """A symlink itself, of which OSS shows no more."""
    return Head(
        size=0,
        etag=stored.etag if stored else "",
        version_id=stored.version if stored else None,
        last_modified=stored.modified if stored else now,
        seen_at=now,
        crc64=None,
        storage_class="",
        kind="Symlink",
        content=ContentHeaders(),
        tag_count=None,
        link=target,
    )


def _there(stored: Stored | None) -> Stored:
    if stored is None:
        raise _no_such_key()
    return stored


def _no_such_key() -> Failed:
    return Failed("NoSuchKey", "no such key", status=404)


def etag_of(etags: Sequence[str]) -> str:
    """The ETag of a completed upload."""
    text = "".join(etag.upper() for etag in etags)
    return f"{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()}-{len(etags)}"


def _meta(attributes: Attributes) -> int:
    """The metadata that is named; 0: none."""
    return int(attributes.content.user["m"]) if attributes.content else 0


def _tags(attributes: Attributes) -> int:
    """The tags that are named; 0: none."""
    return int((attributes.tags or {}).get("t", 0))


def digest(text: str) -> str:
    """A short stable name for a text."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
