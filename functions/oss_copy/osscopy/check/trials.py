"""Trials that write to a destination, uploads and small copies; and how all is taken away again.

Knows how to try a right without an effect that stays; not which trials are made, nor in which order.

A source is only read: what is copied is an object that is there. On a destination, keys are
`<allowed prefix>.oss-copy-check-<nonce>`, which are nobody's. An upload never shows, so uploads are opened
everywhere, and aborted. An object shows, and may fire somebody's trigger, so one is written only where it can
be deleted again for good (`Trial.why_not` is None). An exact key in an allow list may be somebody's: there
only uploads are opened. Everywhere else CopyObject is asked with an ETag that the source does not have, and
Complete for a part that was never uploaded: OSS refuses both after it has admitted the request, and nothing
is written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Literal, ParamSpec, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from osscopy import plan
from osscopy.check.config import shown
from osscopy.check.report import Finding, failed, ok
from osscopy.check.world import Need, QuestionFailed, Unless, World
from osscopy.model import (
    KIB,
    MIB,
    Acl,
    Attributes,
    CopyRequest,
    Destination,
    Failed,
    Grade,
    Head,
    ListedPart,
    Part,
    Source,
    SourceChanged,
    Transient,
)
from osscopy.plan.keys import Pattern

P = ParamSpec("P")
T = TypeVar("T")

Kinds: TypeAlias = Literal["uploads", "objects", "both"]

RESERVED = ".oss-copy-check-"  # then the nonce
WHOLE = 16 * MIB  # objects above are copied in part only
PART = 100 * KIB
TAGS = {"oss-copy": "check"}
PAGE = 100  # remains looked at
OLD = 900  # seconds: no check that still runs wrote this
NO_ETAG = "0" * 32  # of no object; a part's, of no part
PLAIN = Attributes(None, {}, "default", "Standard", None)
_COPYING = "oss:PutObject (and on the source oss:GetObject)"


class Sample(msgspec.Struct, frozen=True):
    """An object of a source to try with."""

    source: Source
    head: Head
    pays: bool = False  # the requester, for each request to it


class TrialKey:
    """The key that trials write, and the requests that leave nothing there.

    `is_shared`: it may be somebody's. `is_touched`: something may have been written. `left`: the names of
    what could not be taken away.
    """

    def __init__(self, world: World, pattern: Pattern, nonce: str, *, pays: bool) -> None:
        """`pays`: rules say that the requester does there."""
        self.is_shared = not pattern.is_prefix
        self.is_touched = False
        self.left: list[str] = []
        self.name = pattern.key if self.is_shared else f"{pattern.key}{RESERVED}{nonce}"
        self.bucket = pattern.bucket
        self.request = CopyRequest(
            source=Source(self.bucket, self.name),
            destination=Destination(self.bucket, self.name),
            overwrite="always" if self.is_shared else "never",
            tags=TAGS,
            storage_class="Standard",
            request_payer=pays,
        )
        self._world = world
        self._store = world.store
        self._where = f"on {shown(pattern)}"

    def need(self, right: str, lack: Grade = "failed", *, once: bool = False) -> Need:
        return Need(f"{right} {self._where}", lack, once)

    def ask(self, right: str, request: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        return self._world.ask(self.need(right), request, *args, **named)

    def upload(self, right: str, attributes: Attributes, use: Callable[[str], None]) -> None:
        """Open an upload and use it; it is aborted whatever happens."""
        upload = self._initiate(right, attributes)
        try:
            use(upload)
        finally:
            try:
                self.abort(upload)
            except QuestionFailed:
                self.left.append(f"upload {upload} of {self.bucket}/{self.name}")

    def _initiate(self, right: str, attributes: Attributes) -> str:
        def initiate() -> str:
            self.is_touched = True
            return self._store.initiate(self.request, attributes)

        try:
            return self._world.ask(self.need(right, once=self.is_shared), initiate)
        except QuestionFailed as error:
            if self.is_shared and isinstance(error.error, Transient) and error.error.in_doubt:
                self.left.append(f"perhaps an upload of {self.bucket}/{self.name}")
            raise

    def abort(self, upload: str) -> None:
        right = f"oss:AbortMultipartUpload {self._where}"
        with Unless("NoSuchUpload"):
            self._world.ask_at_last(right, self._store.abort, self.request, upload)

    def remove(self) -> None:
        """Delete our object; `clear` names it if it is left."""
        right, ask = f"oss:DeleteObject {self._where}", self._world.ask_at_last
        with contextlib.suppress(QuestionFailed):
            seen = ask(right, self._store.find, self.request, self.request.source)
            version = seen.version_id if seen else None
            ask(right, self._world.buckets.delete, self.bucket, self.name, version)


class Trial:
    """Copies to one allowed destination. `why_not`: why no object is written there, None if one may be."""

    def __init__(self, world: World, key: TrialKey, why_not: str | None) -> None:
        self._store = world.store
        self._world = world
        self.key = key
        self.why_not = "the key may be somebody's" if key.is_shared else why_not

    def read(self) -> Finding:
        """Ask for HEAD and tags of a key that is not there: verification looks at it so."""
        key = self.key
        need = Need(f"{key.need('oss:GetObject').right}, and oss:ListObjects on {key.bucket}")
        self._world.ask(need, self._store.find, key.request, key.request.source)
        with Unless("NoSuchKey"):
            key.ask("oss:GetObjectTagging", self._store.tags, key.request, key.request.source)
        return ok("HEAD and tags")

    def open(self, right: str, found: str, attributes: Attributes) -> Finding:
        """Open an upload with these attributes and abort it."""
        self.key.upload(right, attributes, self.key.abort)
        return ok(found)

    def delete(self) -> Finding:
        """Find out if an object could be deleted again, on a key that does not exist: no copy needs it."""
        if self.why_not is None:
            self.why_not = "whether it could be deleted again is unknown"
            try:
                self.key.ask("oss:DeleteObject", self._world.buckets.delete, self.key.bucket, self.key.name)
                self.why_not = None
            except QuestionFailed as error:
                if error.error.status != 403:
                    raise
                self.why_not = "the role may not delete there, nor needs to"
        how = f"without writing an object: {self.why_not}" if self.why_not else "for real, and deleted again"
        return ok(f"copies are tried {how}")

    def acl(self, sample: Sample) -> Finding:
        """Ask for a CopyObject with an ACL, which its condition refuses."""
        need = self.key.need("oss:PutObjectAcl (only copies with `acl` need it)", "warning")
        self._refused_copy(sample, "private", need)
        return ok("copies with `acl` are admitted")

    def simple(self, sample: Sample) -> Finding:
        """Ask for a CopyObject that its condition refuses, and then for a real one."""
        self._refused_copy(sample, "default", self.key.need(_COPYING))
        if (why_not := self._why_no_object(sample)) is not None:
            return ok(f"CopyObject is admitted; no object was written: {why_not}")
        request = self._of(sample)
        attributes = plan.attributes(request, sample.head, {}, "default", carried=False)
        try:
            with Unless("FileAlreadyExists"):
                self.key.ask(_COPYING, self._store.copy, request, plan.pin_of(sample.head), attributes)
            return self._compared(sample, "CopyObject made it")
        finally:
            self.key.remove()

    def multipart(self, sample: Sample) -> Finding:
        """Copy in parts: a part, up to a Complete that OSS refuses, or all for real."""
        size, why_not = sample.head.size, self._why_no_object(sample)
        attributes = plan.attributes(self._of(sample), sample.head, {}, "default", carried=True)
        right = "oss:PutObject and oss:PutObjectTagging"
        if why_not is not None:
            first = Part(1, 0, min(size, PART) - 1)
            self.key.upload(right, attributes, lambda upload: self._copy_part(sample, upload, first))
            return ok(f"a part was copied, listed and aborted; no object was written: {why_not}")
        parts = plan.split(size, max(PART, -(-size // 2)))
        try:
            self.key.upload(right, attributes, lambda upload: self._copy_all(sample, upload, parts))
            return self._compared(sample, "UploadPartCopy made it")
        finally:
            self.key.remove()

    def _copy_part(self, sample: Sample, upload: str, part: Part) -> None:
        self._copy_parts(sample, upload, (part,))
        if not self.key.is_shared:
            never_uploaded = ListedPart(plan.MAX_PARTS, NO_ETAG, 1)
            self._complete(sample, upload, (never_uploaded,), "InvalidPart")

    def _copy_all(self, sample: Sample, upload: str, parts: Sequence[Part]) -> None:
        self._complete(sample, upload, self._copy_parts(sample, upload, parts), "NoSuchUpload")

    def _copy_parts(self, sample: Sample, upload: str, parts: Sequence[Part]) -> tuple[ListedPart, ...]:
        request, pin = self._of(sample), plan.pin_of(sample.head)
        for part in parts:
            self.key.ask(_COPYING, self._store.copy_part, request, pin, upload, part)
        listed = self.key.ask("oss:ListParts", self._store.list_parts, request, upload, 0).parts
        if [part.size for part in listed] != [part.size for part in parts]:
            raise QuestionFailed(Need("oss:ListParts"), Failed("WrongParts", "ListParts shows other parts"))
        return listed

    def _complete(self, sample: Sample, upload: str, parts: Sequence[ListedPart], unless: str) -> None:
        with Unless(unless):
            self.key.ask("oss:PutObject", self._store.complete, self._of(sample), upload, parts, "default")

    def _refused_copy(self, sample: Sample, acl: Acl, need: Need) -> None:
        request = replace(self._of(sample), acl=acl)
        pin = replace(plan.pin_of(sample.head), etag=NO_ETAG)
        attributes = plan.attributes(request, sample.head, {}, acl, carried=False)
        try:
            self._world.ask(need, self._store.copy, request, pin, attributes)
        except QuestionFailed as error:
            if not isinstance(error.error, SourceChanged):
                raise
        else:
            self.key.remove()
            text = "OSS copied although the source does not have the ETag that was asked for"
            raise QuestionFailed(need, Failed("ConditionIgnored", text))

    def _of(self, sample: Sample) -> CopyRequest:
        asked = self.key.request
        return replace(asked, source=sample.source, request_payer=sample.pays or asked.request_payer)

    def _why_no_object(self, sample: Sample) -> str | None:
        if self.why_not is None and sample.head.size > WHOLE:
            return "there is no object of at most 16 MiB to copy"
        return self.why_not

    def _compared(self, sample: Sample, what: str) -> Finding:
        pin = plan.bind(self._of(sample), sample.head)
        asked = self.key.request
        seen = self.key.ask("oss:GetObject", self._store.find, asked, asked.source)
        wrong = plan.differences(pin, seen, 0, None)
        if wrong or seen is None:
            return failed(
                f"{what}, and it is not what was promised: {', '.join(wrong)}",
                "do not copy there before this is understood: report it",
            )
        return ok(f"{what}; proved by {plan.verified_by(pin, seen)}, and deleted again")


class _Remain(msgspec.Struct, frozen=True):
    name: str
    key: str
    age: int  # seconds
    remove: Callable[[], None]


def clear(world: World, bucket: str, prefix: str, nonce: str, kinds: Kinds) -> tuple[list[str], int]:
    """Take away all that this check left under `prefix`, and what one left that must be over by now.

    Return the names of what stays, and how much of earlier checks went.
    """
    left: list[str] = []
    ended = 0
    for each in _remains(world, bucket, prefix, kinds):
        is_ours = nonce in each.key
        if not is_ours and each.age < OLD:
            continue
        try:
            world.ask_at_last("the right to take it away", each.remove)
        except QuestionFailed as error:
            if error.error.code != "NoSuchUpload":
                left.append(each.name)
                continue
        ended += not is_ours
    return left, ended


def _remains(world: World, bucket: str, prefix: str, kinds: Kinds) -> Iterator[_Remain]:
    buckets = world.buckets
    if kinds != "objects":
        uploads = world.ask_at_last(f"oss:ListMultipartUploads on {bucket}", buckets.uploads, bucket, prefix)
        for upload in uploads.uploads:
            key, age = upload.key, uploads.seen_at - upload.initiated
            request = CopyRequest(source=Source(bucket, key), destination=Destination(bucket, key))
            remove = partial(world.store.abort, request, upload.id)
            yield _Remain(f"upload {upload.id} of {bucket}/{key}", key, age, remove)
    if kinds != "uploads":
        objects = world.ask_at_last(f"oss:ListObjects on {bucket}", buckets.objects, bucket, prefix, PAGE)
        for each in objects.objects:
            age, remove = objects.seen_at - each.modified, partial(buckets.delete, bucket, each.key)
            yield _Remain(f"{bucket}/{each.key}", each.key, age, remove)
