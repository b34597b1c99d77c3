"""The store: OSS through oss2; `wire` reads and writes its headers and bodies, `refusals` names its errors.

The only module that imports oss2. Each method is one request. What oss2 2.19.1 does differently from what
one expects is dealt with here and in `wire`: copy and complete calls leave the answer's body unread, so that
the connection is lost for reuse and a 200 that carries an `<Error>` looks like success; header values come
latin-1 decoded; `params` are mutated; Content-Type is guessed from the key unless given.
"""

from __future__ import annotations

import http.client
import logging
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import oss2
import requests

from osscopy.aliyun import oss_headers
from osscopy.aliyun.oss_errors import KMS_KEY, Place, located, right, translate
from osscopy.model import (
    Acl,
    Attributes,
    BucketInfo,
    Conditions,
    Conflict,
    CopyRequest,
    Failed,
    Head,
    LifecycleRule,
    ListedObject,
    ListedPart,
    Misconfigured,
    ObjectPage,
    OpenUpload,
    OssCopyError,
    Part,
    PartPage,
    Pin,
    RecordPage,
    Retention,
    Source,
    SourceChanged,
    Transient,
    UploadGone,
    UploadPage,
    Written,
)

CONNECT_TIMEOUT = 5.0
PAGE = 1000  # parts a listing; OSS gives no more
_ENCODED = {"encoding-type": "url"}  # of the key in the answer: it may hold characters that XML cannot

http.client._MAXHEADERS = 1000  # type: ignore[attr-defined]  # noqa: SLF001 - it refuses more than 100, and user metadata may be more


class OssStore:
    """One invocation's connections to OSS, shared by its threads. `threads` of them are kept alive."""

    def __init__(
        self,
        auth: Any,  # noqa: ANN401 - oss2 carries no types
        endpoint: str,
        region: str,
        *,
        threads: int,
        read_timeout: float,
        connect_timeout: float,
        seconds_left: Callable[[], float],
    ) -> None:
        self._auth = auth
        self._seconds_left = seconds_left
        self._endpoint = endpoint
        self._region = region
        self._timeout = (connect_timeout, read_timeout)
        self._session = oss2.Session(pool_size=threads)
        # requests would look through the environment for proxies and a .netrc at every single request: a
        # sixth of a part's CPU time, and neither has a say in what the platform signs and where it goes.
        self._session.session.trust_env = False
        self._buckets: dict[tuple[str, tuple[float, float], bool], Any] = {}

    @classmethod
    def connect(
        cls,
        access_key: tuple[str, str, str | None],
        endpoint: str,
        region: str,
        *,
        threads: int,
        read_timeout: float,
        connect_timeout: float = CONNECT_TIMEOUT,
        seconds_left: Callable[[], float],
    ) -> OssStore:
        """A store that signs with V4; `access_key` is (id, secret, security token or None).

        No answer is waited for longer than `seconds_left` says, or a second.
        """
        logging.getLogger("oss2").setLevel(logging.WARNING)  # its debug lines hold signed headers
        identity, secret, token = access_key
        if token:
            auth = oss2.StsAuth(identity, secret, token, auth_version=oss2.AUTH_VERSION_4)
        else:
            auth = oss2.AuthV4(identity, secret)
        return cls(
            auth,
            endpoint,
            region,
            threads=threads,
            read_timeout=read_timeout,
            connect_timeout=connect_timeout,
            seconds_left=seconds_left,
        )

    # --- looking ---------------------------------------------------------------------------------------

    def head(self, request: CopyRequest, source: Source, conditions: Conditions) -> Head:
        headers = oss_headers.named(
            {
                "If-Match": conditions.if_match,
                "If-None-Match": conditions.if_none_match,
                "If-Modified-Since": conditions.if_modified_since,
                "If-Unmodified-Since": conditions.if_unmodified_since,
            }
        )
        with _translated("source", _of("source", source, "GetObject")):
            return oss_headers.head(
                self._of(request, source.bucket).head_object(source.key, headers, oss_headers.version(source))
            )

    def find(self, request: CopyRequest, place: Source) -> Head | None:
        try:
            with _translated("destination", _of("destination", place, "GetObject")):
                bucket = self._of(request, place.bucket)
                return oss_headers.head(bucket.head_object(place.key, params=oss_headers.version(place)))
        except Failed as error:
            if error.code in {"NoSuchKey", "NoSuchVersion"}:
                return None
            raise

    def link(self, request: CopyRequest, place: Source) -> Head | None:
        try:
            with _translated("symlink", _of(_side(request, place), place, "GetObject")):
                answer = self._of(request, place.bucket).get_symlink(place.key, oss_headers.version(place))
                return oss_headers.link(answer)
        except Failed as error:
            if error.code in {"NoSuchKey", "NoSuchVersion", "NotSymlink"}:
                return None
            raise

    def restore(self, request: CopyRequest, source: Source) -> None:
        try:
            with _translated("source", _of("source", source, "RestoreObject")):
                bucket = self._of(request, source.bucket)
                bucket.restore_object(source.key, oss_headers.version(source)).resp.read()
        except Conflict as error:
            if error.code != "RestoreAlreadyInProgress":
                raise

    def tags(self, request: CopyRequest, source: Source) -> dict[str, str]:
        with _translated("source", _of("source", source, "GetObjectTagging")):
            name, params = source.bucket, {"tagging": "", **oss_headers.version(source)}
            # not `get_object_tagging`, which finds no tags in a document that is none of theirs
            answer = self._of(request, name)._do("GET", name, source.key, params=params)  # noqa: SLF001 - there is no public way to it
            return oss_headers.tags(answer)

    def acl(self, request: CopyRequest, source: Source) -> Acl:
        with _translated("source", _of("source", source, "GetObjectAcl")):
            bucket = self._of(request, source.bucket)
            answer = bucket.get_object_acl(source.key, params=oss_headers.version(source))
            acl: Acl = answer.acl
            return acl

    # --- copying ---------------------------------------------------------------------------------------

    def copy(
        self, request: CopyRequest, pin: Pin, attributes: Attributes, timeout: float | None = None
    ) -> Written:
        source, destination = request.source, request.destination
        headers = oss_headers.pinned(request, pin) | oss_headers.attributes(attributes)
        headers["x-oss-metadata-directive"] = "COPY" if attributes.content is None else "REPLACE"
        headers["x-oss-tagging-directive"] = "Copy" if attributes.tags is None else "Replace"
        headers |= oss_headers.named({"x-oss-forbid-overwrite": oss_headers.forbid(request)})
        if attributes.acl != "default":
            headers["x-oss-object-acl"] = attributes.acl
        with _translated("copy", _copying(request, pin, attributes), source):
            bucket = self._of(request, destination.bucket, timeout)
            answer = bucket.copy_object(
                source.bucket, source.key, destination.key, headers, oss_headers.version(source, pin)
            )
            return oss_headers.written(answer, "CopyObjectResult")

    def initiate(self, request: CopyRequest, attributes: Attributes) -> str:
        headers = oss_headers.attributes(attributes) | oss_headers.named(
            {"x-oss-forbid-overwrite": oss_headers.forbid(request)}
        )
        headers.setdefault("Content-Type", "application/octet-stream")  # else oss2 guesses from the key
        with _translated("destination", _onto(request, *_writing(attributes))):
            bucket = self._of(request, request.destination.bucket)
            answer = bucket.init_multipart_upload(request.destination.key, headers, dict(_ENCODED))
            upload_id: str = answer.upload_id
            return upload_id

    def copy_part(
        self, request: CopyRequest, pin: Pin, upload_id: str, part: Part, timeout: float | None = None
    ) -> None:
        source, destination = request.source, request.destination
        with _translated("copy", _copying(request, pin, None), source):
            answer = self._of(request, destination.bucket, timeout).upload_part_copy(
                source.bucket,
                source.key,
                (part.first, part.last),
                destination.key,
                upload_id,
                part.number,
                oss_headers.pinned(request, pin),
                oss_headers.version(source, pin),
            )
            oss_headers.read(answer, "CopyPartResult")
        # A range past the end makes OSS copy the whole object, answer 200 and leave this header out.
        wanted, got = f"bytes {part.first}-{part.last}/{pin.size}", answer.headers.get("Content-Range")
        if got != wanted:
            raise SourceChanged(
                "SourceChanged",
                f"part {part.number}: OSS copied range {got!r}, not {wanted!r}",
                request_id=answer.request_id,
            )

    def list_parts(self, request: CopyRequest, upload_id: str, after: int) -> PartPage:
        with _translated("destination", _onto(request, "oss:ListParts")):
            name, key = request.destination.bucket, request.destination.key
            params = {"uploadId": upload_id, "part-number-marker": str(after or ""), "max-parts": str(PAGE)}
            params |= _ENCODED
            # not `list_parts`, which reads the answer and drops the CRC64 of the parts
            answer = self._of(request, name)._do("GET", name, key, params=params)  # noqa: SLF001 - there is no public way to it
            return oss_headers.parts(answer)

    def uploads(self, request: CopyRequest) -> UploadPage:
        name = request.destination.bucket
        needed = (right("oss:ListMultipartUploads", name),)
        with _translated("destination", Place("destination", name, rights=needed)):
            key = request.destination.key
            bucket = self._of(request, name)
            page = _open_uploads(bucket, key)
            return UploadPage(tuple(each for each in page.uploads if each.key == key), page.seen_at)

    def complete(
        self, request: CopyRequest, upload_id: str, parts: Sequence[ListedPart], acl: Acl
    ) -> Written:
        headers = oss_headers.named(
            {
                "x-oss-forbid-overwrite": oss_headers.forbid(request),
                "x-oss-object-acl": acl if acl != "default" else None,
            }
        )
        wanted = [oss2.models.PartInfo(part.number, part.etag) for part in parts]
        needed = ("oss:PutObject", "oss:PutObjectAcl") if acl != "default" else ("oss:PutObject",)
        with _translated("destination", _onto(request, *needed)):
            bucket = self._of(request, request.destination.bucket)
            answer = bucket.complete_multipart_upload(request.destination.key, upload_id, wanted, headers)
            return oss_headers.written(answer, "CompleteMultipartUploadResult")

    def delete_version(self, request: CopyRequest, version_id: str) -> None:
        with _translated("destination", _onto(request, "oss:DeleteObjectVersion")):
            bucket = self._of(request, request.destination.bucket)
            answer = bucket.delete_object(request.destination.key, params={"versionId": version_id})
            answer.resp.read()

    def abort(self, request: CopyRequest, upload_id: str) -> None:
        with _translated("destination", _onto(request, "oss:AbortMultipartUpload")):
            bucket = self._of(request, request.destination.bucket)
            bucket.abort_multipart_upload(request.destination.key, upload_id).resp.read()

    def read(self, bucket: str, key: str) -> str:
        """A small text, such as the rules; Misconfigured if it cannot be read."""
        try:
            with _translated("state", _of("", Source(bucket, key), "GetObject")):
                body: bytes = self.bucket(bucket).get_object(key).read()
                return body.decode()
        except (Failed, UnicodeDecodeError) as error:
            raise Misconfigured("UnreadableRules", f"COPY_RULES: oss://{bucket}/{key}: {error}") from error

    def _of(self, request: CopyRequest, name: str, timeout: float | None = None) -> Any:  # noqa: ANN401 - oss2 carries no types
        """A bucket of this request: what holds for all of its requests to OSS is said here."""
        return self.bucket(name, timeout, pays=request.request_payer)

    def bucket(self, name: str, timeout: float | None = None, *, pays: bool = False) -> Any:  # noqa: ANN401 - oss2 carries no types
        """The oss2 bucket of this name, on the shared connections; `timeout` seconds for answers if given.

        `pays`: whoever asks pays for it, and says so with every request.
        """
        connect, answer = self._timeout if timeout is None else (CONNECT_TIMEOUT, timeout)
        if (left := self._seconds_left()) < answer:
            answer = _rounded(left)
            connect = min(connect, answer)
        waits = (connect, answer)
        known = self._buckets.get((name, waits, pays))
        if known is None:
            known = self._buckets[name, waits, pays] = self._bucket(
                name, waits, _Paying if pays else oss2.Bucket
            )
        return known

    def _bucket(self, name: str, timeout: tuple[float, float], kind: Any) -> Any:  # noqa: ANN401 - oss2 carries no types
        return kind(
            self._auth,
            self._endpoint,
            name,
            session=self._session,
            connect_timeout=timeout,
            region=self._region,
            enable_crc=False,  # oss2 would combine part CRCs it does not have
        )


class _Paying(oss2.Bucket):  # type: ignore[misc]  # oss2 carries no types
    """A bucket whose every request says that whoever asks pays for it: where the requester pays, OSS refuses
    all others, of the operations on uploads too.
    """

    def _do(self, method: str, bucket_name: str, key: str, **sent: Any) -> Any:  # noqa: ANN401 - as in oss2
        sent["headers"] = {**(sent.get("headers") or {}), "x-oss-request-payer": "requester"}
        return super()._do(method, bucket_name, key, **sent)


class OssRecords:
    """The records of the journal, as small objects under `prefix` of the state bucket."""

    def __init__(self, store: OssStore, bucket: str, prefix: str) -> None:
        self._store = store
        self._name = bucket
        self._prefix = prefix

    @property
    def _bucket(self) -> Any:  # noqa: ANN401 - oss2 carries no types
        return self._store.bucket(self._name)

    def _at(self, name: str, action: str) -> Place:
        key = self._prefix + name
        return Place("", self._name, key, (right(action, self._name, key),))

    def put_new(self, name: str, body: bytes) -> bool:
        headers = {"x-oss-forbid-overwrite": "true", "Content-Type": "application/json"}
        try:
            with _state(self._at(name, "oss:PutObject")):
                answer = self._bucket.put_object(self._prefix + name, body, headers)
                answer.resp.read()
        except Conflict:
            return False
        if answer.versionid:
            # Under versioning OSS does not honour forbid-overwrite (facts: CopyObject).
            raise Misconfigured(
                "VersionedStateBucket",
                "STATE_BUCKET is versioned, so that records could be overwritten: use one without versioning",
                field="STATE_BUCKET",
            )
        return True

    def get(self, name: str) -> bytes | None:
        try:
            with _state(self._at(name, "oss:GetObject")):
                body: bytes = self._bucket.get_object(self._prefix + name).read()
                return body
        except Failed as error:
            if error.code == "NoSuchKey":
                return None
            raise

    def page(self, prefix: str, after: str, limit: int) -> RecordPage:
        with _state(Place("", self._name, rights=(right("oss:ListObjects", self._name),))):
            page = self._bucket.list_objects_v2(
                prefix=self._prefix + prefix, start_after=self._prefix + after, max_keys=limit
            )
            entries = ((each.key.removeprefix(self._prefix), each.last_modified) for each in page.object_list)
            return RecordPage(tuple(entries), oss_headers.unix(page.headers.get("Date")))

    def delete(self, name: str) -> None:
        with _state(self._at(name, "oss:DeleteObject")):
            self._bucket.delete_object(self._prefix + name).resp.read()


class OssBuckets:
    """Buckets themselves, and small objects in them: what the check asks beyond a copy."""

    def __init__(self, store: OssStore) -> None:
        self._bucket = store.bucket

    def info(self, bucket: str) -> BucketInfo:
        with _translated("bucket"):
            told = self._bucket(bucket).get_bucket_info()
            region = told.location.removeprefix("oss-")
            return BucketInfo(region, told.versioning_status, oss_headers.unix(told.headers.get("Date")))

    def retention(self, bucket: str) -> Retention | None:
        try:
            with _translated("bucket"):
                told = self._bucket(bucket).get_bucket_worm()
                return Retention(told.state, told.retention_period_days)
        except Failed as error:
            if error.code == "NoSuchWORMConfiguration":
                return None
            raise

    def lifecycle(self, bucket: str) -> tuple[LifecycleRule, ...]:
        try:
            with _translated("bucket"):
                rules = self._bucket(bucket).get_bucket_lifecycle().rules
        except Failed as error:
            if error.code == "NoSuchLifecycle":
                return ()
            raise
        return tuple(_lifecycle_rule(rule) for rule in rules if rule.status == "Enabled")

    def objects(self, bucket: str, prefix: str, limit: int, *, pays: bool = False) -> ObjectPage:
        with _translated("bucket"):
            page = self._bucket(bucket, pays=pays).list_objects_v2(prefix=prefix, max_keys=limit)
            found = (
                ListedObject(each.key, each.size, each.storage_class, each.type, each.last_modified)
                for each in page.object_list
            )
            return ObjectPage(tuple(found), oss_headers.unix(page.headers.get("Date")))

    def uploads(self, bucket: str, prefix: str) -> UploadPage:
        with _translated("bucket"):
            return _open_uploads(self._bucket(bucket), prefix)

    def put_new(self, bucket: str, key: str, body: bytes) -> str | None:
        with _translated("bucket"):
            answer = self._bucket(bucket).put_object(key, body, {"x-oss-forbid-overwrite": "true"})
            answer.resp.read()
            version_id: str | None = answer.versionid
            return version_id

    def get(self, bucket: str, key: str) -> bytes:
        with _translated("bucket"):
            body: bytes = self._bucket(bucket).get_object(key).read()
            return body

    def delete(self, bucket: str, key: str, version_id: str | None = None) -> None:
        with _translated("bucket"):
            params = {"versionId": version_id} if version_id else None
            self._bucket(bucket).delete_object(key, params=params).resp.read()


def _rounded(seconds: float) -> float:
    """One of few values, since each has buckets of its own: tenths of the last ten seconds; 1 at least."""
    return max(1.0, float(int(seconds)) if seconds > 10 else int(seconds * 10) / 10)


def _open_uploads(bucket: Any, prefix: str) -> UploadPage:  # noqa: ANN401 - oss2 carries no types
    page = bucket.list_multipart_uploads(prefix=prefix, max_uploads=PAGE)
    found = (OpenUpload(each.upload_id, each.key, each.initiation_date) for each in page.upload_list)
    return UploadPage(tuple(found), oss_headers.unix(page.headers.get("Date")))


def _lifecycle_rule(rule: Any) -> LifecycleRule:  # noqa: ANN401 - oss2 carries no types
    expiry, abort = rule.expiration, rule.abort_multipart_upload
    # one that only removes delete markers expires nothing
    expires = expiry is not None and (expiry.days or expiry.date or expiry.created_before_date)
    return LifecycleRule(
        rule.id,
        rule.prefix,
        rule.tagging is not None,
        (expiry.days or 0) if expires else None,
        None if abort is None else abort.days or 0,
    )


@contextmanager
def _state(place: Place) -> Iterator[None]:
    """Errors of the state bucket are not the copy's: a refusal there is a wrong configuration."""
    try:
        with _translated("state", place):
            yield
    except Conflict:
        raise
    except Failed as error:
        if error.code == "NoSuchKey":
            raise
        raise Misconfigured(
            error.code,
            f"STATE_BUCKET: {error.message}",
            field="STATE_BUCKET",
            request_id=error.request_id,
            status=error.status,
        ) from error


# --- errors -------------------------------------------------------------------------------------------------

_UNREADABLE = (ET.ParseError, RuntimeError, ValueError, TypeError, KeyError, AttributeError)


def _of(side: str, place: Source, action: str) -> Place:
    """An object and the action on it; for a version that is named, the action for versions is needed, too."""
    actions = [action, action.replace("Object", "ObjectVersion", 1)][: 2 if place.version_id else 1]
    rights = (right(f"oss:{each}", place.bucket, place.key) for each in actions)
    return Place(side, place.bucket, place.key, tuple(rights))


def _side(request: CopyRequest, place: Source) -> str:
    """Whether a symlink is that of the destination, or one that leads to the source."""
    target = request.destination
    return "destination" if (place.bucket, place.key) == (target.bucket, target.key) else "source"


def _onto(request: CopyRequest, *actions: str) -> Place:
    """The destination and the actions on it."""
    bucket, key = request.destination.bucket, request.destination.key
    rights = (right(each, bucket, key) if each.startswith("oss:") else each + KMS_KEY for each in actions)
    return Place("destination", bucket, key, tuple(rights))


def _writing(attributes: Attributes | None) -> list[str]:
    """The actions on the destination that writing it with these attributes takes."""
    actions = ["oss:PutObject"]
    if attributes is not None:
        actions += ["oss:PutObjectTagging"] * (attributes.tags != {})
        actions += ["oss:PutObjectAcl"] * (attributes.acl != "default")
        if attributes.encryption is not None and attributes.encryption.algorithm == "KMS":
            actions += ["kms:GenerateDataKey and kms:Decrypt"]
    return actions


def _copying(request: CopyRequest, pin: Pin, attributes: Attributes | None) -> Place:
    """The destination, and what is needed to write it and to read the source, tags that OSS copies too."""
    source = msgspec.structs.replace(request.source, version_id=pin.version_id or request.source.version_id)
    there = _onto(request, *_writing(attributes))
    here = _of("source", source, "GetObject").rights
    if attributes is not None and attributes.tags is None:
        here += _of("source", source, "GetObjectTagging").rights
    return msgspec.structs.replace(there, rights=(*there.rights, *here))


_OF_SOURCE = {"InvalidObjectState", "EntityTooLarge", "SymlinkTargetNotExist", "OperationNotSupported"}


@contextmanager
def _translated(about: str, place: Place | None = None, source: Source | None = None) -> Iterator[None]:
    """Turn oss2's errors into ours. `about`: source, destination, symlink, bucket, state or copy (pinned).

    They name `place`, or `source`, which a copy is made of, where it is that one.
    """
    try:
        yield
    except oss2.exceptions.RequestError as error:
        refused = isinstance(error.exception, requests.exceptions.ConnectTimeout)
        late = isinstance(error.exception, requests.exceptions.ReadTimeout)
        text = str(error.exception)[:300]
        raise Transient("NetworkError", text, in_doubt=not refused, outlasted=late) from error
    except requests.RequestException as error:
        raise Transient("NetworkError", str(error)[:300], in_doubt=True) from error
    except _UNREADABLE as error:  # by oss2, which reads headers and bodies as if they were always whole
        raise Transient("BadAnswer", f"unreadable: {error!r}"[:300], in_doubt=True) from error
    except oss2.exceptions.OssError as error:
        code = error.code or {304: "NotModified", 404: "NoSuchKey", 412: "PreconditionFailed"}.get(
            error.status, f"HTTP{error.status}"
        )
        if error.status == 405 and about in {"source", "copy"}:  # HEAD and copy of a delete marker
            code = "NoSuchVersion"
        ours = translate(error.status, code, error.message, error.request_id, error.headers)
        raise _named(ours, about, place, source, error.details.get("BucketName")) from error
    except Failed as error:  # told in a 200
        raise _named(error, about, place, source, None) from error.__cause__


def _named(
    error: OssCopyError, about: str, place: Place | None, source: Source | None, bucket: str | None
) -> OssCopyError:
    """The error with what it is about; `bucket`: the one that OSS has named."""
    if about == "copy" and error.code in {"PreconditionFailed", "NoSuchKey", "NoSuchVersion"}:
        text = f"the source is no longer the version the copy began with (OSS: {error.code})"
        error = SourceChanged("SourceChanged", text, request_id=error.request_id, status=error.status)
    if place is None or not isinstance(error, Failed) or isinstance(error, UploadGone):
        return error
    if source is not None and (
        error.code in _OF_SOURCE
        or isinstance(error, SourceChanged)
        or place.bucket != bucket == source.bucket
    ):
        place = Place("source", source.bucket, source.key, place.rights)
    return located(error, place)
