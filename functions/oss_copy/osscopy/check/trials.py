"""The check's trials that write: records, uploads, small copies, submissions; all is taken away again.

Knows how to try a right without an effect that stays; not which trials are made, nor in which order.

A source is only read: what is copied is an object that is there. On a destination, keys are
`<allowed prefix>.oss-copy-check-<nonce>`, which are nobody's. An upload never shows, so uploads are opened
everywhere, and aborted. An object shows, and may fire somebody's trigger, so one is written only where it can
be deleted again for good (`Trial.why_not` is None). An exact key in an allow list may be somebody's: there
only uploads are opened. Everywhere else CopyObject is asked with an ETag that the
source does not have, and Complete for a part that was never uploaded: OSS refuses both after it has admitted
the request, and nothing is written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Literal, TypeAlias, TypeVar

import msgspec

from osscopy import events, plan
from osscopy.check import answers
from osscopy.check.config import line, shown
from osscopy.copying.invocation.retry import Attempts
from osscopy.model import (
    KIB,
    MIB,
    Acl,
    Attributes,
    CopyRequest,
    Destination,
    Encrypted,
    Encryption,
    Failed,
    Grade,
    Head,
    Line,
    ListedPart,
    OssCopyError,
    Part,
    Ping,
    Source,
    SourceChanged,
    Transient,
)
from osscopy.model.ports import Buckets, Clock, Invoker, Store
from osscopy.plan.keys import Pattern

T = TypeVar("T")
Kinds: TypeAlias = Literal["uploads", "objects", "both"]

RESERVED = ".oss-copy-check-"  # then the nonce
PAGE = 100  # remains looked at
RETRY = 2.0  # seconds: the check reports what is so now
OLD = 900  # seconds: no check that still runs wrote this
WHOLE = 16 * MIB  # objects above are copied in part only
PART = 100 * KIB
TAGS = {"oss-copy": "check"}
NO_ETAG = "0" * 32  # of no object; a part's, of no part


class Unanswered(Exception):
    """A question that was refused; `needs` is the right it takes, `denied` how bad it is to lack it."""

    def __init__(self, needs: str, error: OssCopyError, denied: Grade) -> None:
        super().__init__(str(error))
        self.needs, self.error, self.denied = needs, error, denied


class OutOfTime(Exception):
    """The invocation has too little time left for another question."""


class World:
    """OSS as the trials ask it. `until`: monotonic; what is taken away again is asked later than that.

    `wait`: seconds an answer is waited for; what fails sooner is asked again for as long, and RETRY at most.
    """

    def __init__(self, store: Store, buckets: Buckets, clock: Clock, until: float, wait: float) -> None:
        self.store = store
        self.buckets = buckets
        self.clock = clock
        self._until = until
        self._retry = min(wait, RETRY)

    def ask(self, needs: str, request: Callable[[], T], denied: Grade = "failed", *, once: bool = False) -> T:
        """The answer, or Unanswered. `needs`: the right it takes, in words. `once`: do not repeat it."""
        now = self.clock.monotonic()
        if now >= self._until:
            raise OutOfTime
        until = now if once else min(self._until, now + self._retry)
        return self._answer(needs, request, denied, until)

    def ask_at_last(self, needs: str, request: Callable[[], T]) -> T:
        """The same for what takes away something again: time is kept for it."""
        return self._answer(needs, request, "failed", self.clock.monotonic() + self._retry)

    def _answer(self, needs: str, request: Callable[[], T], denied: Grade, until: float) -> T:
        try:
            return Attempts(self.clock, until).run(request)
        except OssCopyError as error:
            raise Unanswered(needs, error, denied) from error


class Sample(msgspec.Struct, frozen=True):
    """An object of a source to try with."""

    source: Source
    head: Head
    pays: bool = False  # the requester, for each request to it


# --- records -----------------------------------------------------------------------------------------------


def try_records(world: World, bucket: str, prefix: str, nonce: str) -> Line:
    """Create, refuse to create again, read, list and delete a record."""
    key, buckets, where = f"{prefix}{nonce}", world.buckets, f"on {bucket}/{prefix}*"
    version: str | None = None
    try:
        with _unless("FileAlreadyExists"):
            version = world.ask(f"oss:PutObject {where}", lambda: buckets.put_new(bucket, key, b"{}"))
        if version is not None:
            text = "records have versions, so that they could be overwritten"
            return line("stateBucket.records", "failed", text, "use a bucket without versioning", bucket)
        if _is_overwritten(world, f"oss:PutObject {where}", partial(buckets.put_new, bucket, key, b"{}")):
            text = "OSS let a record be overwritten despite x-oss-forbid-overwrite"
            return line("stateBucket.records", "failed", text, "use a bucket without versioning", bucket)
        world.ask(f"oss:GetObject {where}", lambda: buckets.get(bucket, key))
        page = world.ask(f"oss:ListObjects on {bucket}", lambda: buckets.objects(bucket, key, 1))
        if [each.key for each in page.objects] != [key]:
            text = "a record that was just written is not listed"
            return line("stateBucket.records", "failed", text, "report it", bucket)
        world.ask(f"oss:DeleteObject {where}", lambda: buckets.delete(bucket, key))
    finally:
        with contextlib.suppress(Unanswered):  # `clear` names what is left
            world.ask_at_last(f"oss:DeleteObject {where}", lambda: buckets.delete(bucket, key, version))
    text = "created, not overwritten, read, listed, deleted"
    return line("stateBucket.records", "ok", text, subject=bucket)


def _is_overwritten(world: World, needs: str, put_new: Callable[[], object]) -> bool:
    try:
        world.ask(needs, put_new)
    except Unanswered as error:
        if error.error.code == "FileAlreadyExists":
            return False
        raise
    return True


# --- copies ------------------------------------------------------------------------------------------------


class Trial:
    """Copies to one allowed destination. `why_not`: why no object is written there, None if one may be."""

    def __init__(
        self, world: World, pattern: Pattern, nonce: str, why_not: str | None, *, pays: bool
    ) -> None:
        """`pays`: rules say that the requester does there."""
        self._world = world
        self._store = world.store
        self.is_shared = not pattern.is_prefix  # the key may be somebody's
        self._key = pattern.key if self.is_shared else f"{pattern.key}{RESERVED}{nonce}"
        self._bucket = pattern.bucket
        self._subject = shown(pattern)
        self._where = f"on {self._subject}"
        self._request = CopyRequest(
            source=Source(self._bucket, self._key),
            destination=Destination(self._bucket, self._key),
            overwrite="always" if self.is_shared else "never",
            tags=TAGS,
            storage_class="Standard",
            request_payer=pays,
        )
        self.begun = False  # whether anything may have been written
        self.left: list[str] = []  # what could not be taken away, by name
        self.why_not = "the key may be somebody's" if self.is_shared else why_not

    # --- trials without a source ------------------------------------------------------------------------

    def read(self) -> Line:
        """HEAD and tags of a key that is not there: how the proof of a copy looks at it."""
        needs = f"oss:GetObject {self._where}, and oss:ListObjects on {self._bucket}"
        self._world.ask(needs, lambda: self._store.find(self._request, self._request.source))
        place = Source(self._bucket, self._key)
        with _unless("NoSuchKey"):
            self._ask("oss:GetObjectTagging", lambda: self._store.tags(self._request, place))
        return line("destination.read", "ok", "HEAD and tags", subject=self._subject)

    def write(self) -> Line:
        """Open an upload and abort it."""
        self._upload("oss:PutObject", Attributes(None, {}, "default", "Standard", None), self._abort)
        return line("destination.write", "ok", "an upload was opened and aborted", subject=self._subject)

    def tag(self) -> Line:
        """The same with tags."""
        tagged = Attributes(None, TAGS, "default", "Standard", None)
        self._upload("oss:PutObjectTagging", tagged, self._abort)
        return line("destination.tags", "ok", "an upload with tags was opened", subject=self._subject)

    def encrypt(self, encryption: Encryption) -> Line:
        """The same encrypted, as a rule asks."""
        asked = Attributes(None, {}, "default", "Standard", Encrypted.of(encryption))
        self._upload("oss:PutObject", asked, self._abort)
        text = f"an upload with {encryption.algorithm} was opened"
        return line("destination.encryption", "ok", text, subject=self._subject)

    def delete(self) -> Line:
        """Whether an object could be deleted again, found out on a key that does not exist: not needed."""
        if self.why_not is None:
            self.why_not = "whether it could be deleted again is unknown"
            try:
                self._ask("oss:DeleteObject", lambda: self._world.buckets.delete(self._bucket, self._key))
                self.why_not = None
            except Unanswered as error:
                if error.error.status != 403:
                    raise
                self.why_not = "the role may not delete there, nor needs to"
        how = f"without writing an object: {self.why_not}" if self.why_not else "for real, and deleted again"
        return line("destination.trial", "ok", f"copies are tried {how}", subject=self._subject)

    # --- trials of a copy -------------------------------------------------------------------------------

    def acl(self, sample: Sample) -> Line:
        """A CopyObject with an ACL, refused by its condition."""
        self._refused_copy(sample, "private", "oss:PutObjectAcl (only copies with `acl` need it)", "warning")
        return line("destination.acl", "ok", "copies with `acl` are admitted", subject=self._subject)

    def simple(self, sample: Sample) -> Line:
        """CopyObject: refused by its condition, and then for real."""
        needs = "oss:PutObject (and on the source oss:GetObject)"
        self._refused_copy(sample, "default", needs, "failed")
        if (why_not := self._why_no_object(sample)) is not None:
            text = f"CopyObject is admitted; no object was written: {why_not}"
            return line("copy.simple", "ok", text, subject=self._subject)
        request, pin = self._of(sample), plan.pin_of(sample.head)
        attributes = plan.attributes(request, sample.head, {}, "default", carried=False)
        try:
            with _unless("FileAlreadyExists"):
                self._ask(needs, lambda: self._store.copy(request, pin, attributes))
            return self._compared("copy.simple", sample, "CopyObject made it")
        finally:
            self._delete()

    def multipart(self, sample: Sample) -> Line:
        """A copy in parts: up to a Complete that OSS refuses, or for real."""
        why_not = self._why_no_object(sample)
        attributes = plan.attributes(self._of(sample), sample.head, {}, "default", carried=True)
        needs = "oss:PutObject and oss:PutObjectTagging"
        if why_not is not None:
            self._upload(needs, attributes, lambda upload: self._copy_a_part(sample, upload))
            text = f"a part was copied, listed and aborted; no object was written: {why_not}"
            return line("copy.multipart", "ok", text, subject=self._subject)
        try:
            self._upload(needs, attributes, lambda upload: self._copy_all_parts(sample, upload))
            return self._compared("copy.multipart", sample, "UploadPartCopy made it")
        finally:
            self._delete()

    def _copy_a_part(self, sample: Sample, upload: str) -> None:
        self._copy_parts(sample, upload, (Part(1, 0, min(sample.head.size, PART) - 1),))
        if self.is_shared:
            return
        never_uploaded = (ListedPart(plan.MAX_PARTS, NO_ETAG, 1),)
        with _unless("InvalidPart"):
            self._complete(sample, upload, never_uploaded)

    def _copy_all_parts(self, sample: Sample, upload: str) -> None:
        parts = plan.split(sample.head.size, max(PART, -(-sample.head.size // 2)))
        listed = self._copy_parts(sample, upload, parts)
        with _unless("NoSuchUpload"):
            self._complete(sample, upload, listed)

    def _copy_parts(self, sample: Sample, upload: str, parts: Sequence[Part]) -> tuple[ListedPart, ...]:
        request, pin = self._of(sample), plan.pin_of(sample.head)
        needs = "oss:PutObject (and on the source oss:GetObject)"
        for part in parts:
            self._ask(needs, lambda: self._store.copy_part(request, pin, upload, part))  # noqa: B023 - called before the loop goes on
        listed = self._ask("oss:ListParts", lambda: self._store.list_parts(request, upload, 0)).parts
        if [part.size for part in listed] != [part.size for part in parts]:
            raise Unanswered("oss:ListParts", Failed("WrongParts", "ListParts shows other parts"), "failed")
        return listed

    def _complete(self, sample: Sample, upload: str, parts: tuple[ListedPart, ...]) -> None:
        request = self._of(sample)
        self._ask("oss:PutObject", lambda: self._store.complete(request, upload, parts, "default"))

    def _refused_copy(self, sample: Sample, acl: Acl, needs: str, denied: Grade) -> None:
        request = msgspec.structs.replace(self._of(sample), acl=acl)
        pin = msgspec.structs.replace(plan.pin_of(sample.head), etag=NO_ETAG)
        attributes = plan.attributes(request, sample.head, {}, acl, carried=False)
        try:
            self._ask(needs, lambda: self._store.copy(request, pin, attributes), denied)
        except Unanswered as error:
            if not isinstance(error.error, SourceChanged):
                raise
        else:
            self._delete()
            text = "OSS copied although the source does not have the ETag that was asked for"
            raise Unanswered(needs, Failed("ConditionIgnored", text), "failed")

    # --- how --------------------------------------------------------------------------------------------

    def _ask(
        self, needs: str, request: Callable[[], T], denied: Grade = "failed", *, once: bool = False
    ) -> T:
        return self._world.ask(f"{needs} {self._where}", request, denied, once=once)

    def _of(self, sample: Sample) -> CopyRequest:
        return msgspec.structs.replace(
            self._request, source=sample.source, request_payer=sample.pays or self._request.request_payer
        )

    def _why_no_object(self, sample: Sample) -> str | None:
        if self.why_not is None and sample.head.size > WHOLE:
            return "there is no object of at most 16 MiB to copy"
        return self.why_not

    def _upload(self, needs: str, attributes: Attributes, use: Callable[[str], None]) -> None:
        """Open an upload and use it; it is aborted whatever happens."""

        def initiate() -> str:
            self.begun = True
            return self._store.initiate(self._request, attributes)

        try:
            upload = self._ask(needs, initiate, once=self.is_shared)
        except Unanswered as error:
            if self.is_shared and isinstance(error.error, Transient) and error.error.in_doubt:
                self.left.append(f"perhaps an upload of {self._bucket}/{self._key}")
            raise
        try:
            use(upload)
        finally:
            try:
                self._abort(upload)
            except Unanswered:
                self.left.append(f"upload {upload} of {self._bucket}/{self._key}")

    def _abort(self, upload: str) -> None:
        needs = f"oss:AbortMultipartUpload {self._where}"
        with _unless("NoSuchUpload"):
            self._world.ask_at_last(needs, lambda: self._store.abort(self._request, upload))

    def _compared(self, check: str, sample: Sample, what: str) -> Line:
        pin = plan.bind(self._of(sample), sample.head)
        seen = self._ask("oss:GetObject", lambda: self._store.find(self._request, self._request.source))
        wrong = plan.differences(pin, seen, 0, None)
        if wrong or seen is None:
            text = f"{what}, and it is not what was promised: {', '.join(wrong)}"
            advice = "do not copy there before this is understood: report it"
            return line(check, "failed", text, advice, self._subject)
        text = f"{what}; proved by {plan.verified_by(pin, seen)}, and deleted again"
        return line(check, "ok", text, subject=self._subject)

    def _delete(self) -> None:
        """Delete our object, of which `clear` names what is left."""
        needs, buckets = f"oss:DeleteObject {self._where}", self._world.buckets
        with contextlib.suppress(Unanswered):
            seen = self._world.ask_at_last(
                needs, lambda: self._store.find(self._request, self._request.source)
            )
            version = seen.version_id if seen else None
            self._world.ask_at_last(needs, lambda: buckets.delete(self._bucket, self._key, version))


@contextlib.contextmanager
def _unless(code: str) -> Iterator[None]:
    """An answer with this code is as good: it was expected, or says that an attempt unheard of succeeded."""
    try:
        yield
    except Unanswered as error:
        if error.error.code != code:
            raise


# --- afterwards --------------------------------------------------------------------------------------------


def clear(world: World, bucket: str, prefix: str, nonce: str, kinds: Kinds) -> tuple[list[str], int]:
    """Take away what checks have left under `prefix`: this one all, an earlier one if it must be over.

    Answers the names of what stays, and how much of earlier checks went.
    """
    left: list[str] = []
    ended = 0
    for name, key, written, seen, remove in _remains(world, bucket, prefix, kinds):
        ours = nonce in key
        if not ours and seen - written < OLD:
            continue
        try:
            world.ask_at_last("the right to take it away", remove)
        except Unanswered as error:
            if error.error.code != "NoSuchUpload":
                left.append(name)
                continue
        ended += not ours
    return left, ended


def _remains(
    world: World, bucket: str, prefix: str, kinds: Kinds
) -> Iterator[tuple[str, str, int, int, Callable[[], None]]]:
    """Name, key, time of writing, time of looking and removal of each."""
    buckets, store = world.buckets, world.store
    if kinds != "objects":
        needs = f"oss:ListMultipartUploads on {bucket}"
        page = world.ask_at_last(needs, lambda: buckets.uploads(bucket, prefix))
        for upload in page.uploads:
            place = Destination(bucket, upload.key)
            request = CopyRequest(source=Source(bucket, upload.key), destination=place)
            name = f"upload {upload.id} of {bucket}/{upload.key}"
            yield name, upload.key, upload.initiated, page.seen_at, partial(store.abort, request, upload.id)
    if kinds != "uploads":
        needs = f"oss:ListObjects on {bucket}"
        listed = world.ask_at_last(needs, lambda: buckets.objects(bucket, prefix, PAGE))
        for each in listed.objects:
            removal = partial(buckets.delete, bucket, each.key)
            yield f"{bucket}/{each.key}", each.key, each.modified, listed.seen_at, removal


# --- submissions -------------------------------------------------------------------------------------------


def try_invocations(world: World, invoker: Invoker, nonce: str) -> Line:
    """Submit an invocation that does nothing twice, under one task id."""
    needs = "fc:InvokeFunction on the function itself"
    payload = events.encode(Ping())
    first, second = (
        world.ask(needs, lambda: invoker.submit(f"check-{nonce}", payload, 0), once=True) for _ in range(2)
    )
    return answers.invocations(first, second)
