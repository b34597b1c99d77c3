"""The store: OSS through oss2, and the one table from OSS's error codes to ours.

The only module that imports oss2. Each method is one request. What oss2 2.19.1 does differently from what one
expects is dealt with here: copy and complete calls leave the answer's body unread, so that the connection is
lost for reuse and a 200 that carries an `<Error>` looks like success; header values come latin-1 decoded;
`params` are mutated; Content-Type is guessed from the key unless given.
"""

from __future__ import annotations

import logging
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from email.utils import mktime_tz, parsedate_tz
from typing import Any, Literal
from urllib.parse import quote, urlencode

import msgspec
import oss2
import requests

from osscopy.model import (
    Acl,
    Attributes,
    BucketInfo,
    Conditions,
    Conflict,
    ContentHeaders,
    CopyRequest,
    Encryption,
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
    Skipped,
    Source,
    SourceChanged,
    Transient,
    UploadGone,
    UploadPage,
    Written,
)

CONNECT_TIMEOUT = 5.0
PAGE = 1000  # parts a listing; OSS gives no more

# Expired credentials and skewed clocks are no verdict on the copy: raising lets FC retry with new ones.
_PASSING = frozenset(
    {
        "InvalidAccessKeyId",
        "InvalidSecurityToken",
        "SecurityTokenExpired",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "InternalError",
    }
)
_THROTTLED = frozenset(
    {
        "TotalQpsLimitExceeded",
        "QpsLimitExceeded",
        "DownloadTrafficRateLimitExceeded",
        "UploadTrafficRateLimitExceeded",
        "ActiveRequestLimitExceeded",
        "ServiceUnavailable",
        "SlowDown",
    }
)
_OTHER_REGION = "reside in the same data center"

_BUSY = (
    "OSS throttles: it is asked again by itself; if it lasts, lower tuning.parallel or MAX_PARALLEL, "
    "or have the quota raised"
)
ADVICE = {
    "NoSuchKey": "check bucket, key and versionId of the source",
    "NoSuchVersion": "check the versionId of the source",
    "NoSuchBucket": "check the bucket's name and region",
    "AccessDenied": (
        "grant the function's role the missing action on this bucket (README: Deploy it); a bucket of "
        "another account must grant it to the role in its bucket policy as well"
    ),
    "OtherRegion": "OSS copies within one region only: use buckets of the function's region",
    "FileImmutable": "a retention policy protects the destination: choose another key or wait until it ends",
    "FileAlreadyExists": "the destination exists: choose another key or another `overwrite`",
    "PreconditionFailed": "a condition of the request does not hold",
    "InvalidObjectState": "the source is archived: restore it first, or ask with `archive` as `restore`",
    "EntityTooLarge": "CopyObject does not take this size: leave tuning.method at auto",
    "EntityTooSmall": "OSS found a part too small: leave tuning.partSize out",
    "InvalidArgument": "OSS does not take a value of the request, or not with an object of this type",
    "InvalidPartOrder": "report it: parts are always listed in order",
    "InvalidStorageClass": "choose a storage class that the region has",
    "OperationNotSupported": "OSS cannot do this with an object of this type",
    "KmsServiceNotEnabled": "enable KMS in this region or choose AES256",
    "InvalidEncryptionAlgorithmError": "choose KMS, AES256 or SM4",
    "InvalidObjectName": "OSS does not take this key",
    "InvalidTag": "check the tags: allowed are letters, digits, spaces and + - = . _ : /",
    "SignatureDoesNotMatch": "check OSS_ENDPOINT and the region of the function",
} | dict.fromkeys(sorted(_THROTTLED), _BUSY)


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
        connect_timeout: float = CONNECT_TIMEOUT,
    ) -> None:
        self._auth = auth
        self._endpoint = endpoint
        self._region = region
        self._timeout = (connect_timeout, read_timeout)
        self._session = oss2.Session(pool_size=threads)
        # requests would look through the environment for proxies and a .netrc at every single request: a
        # sixth of a part's CPU time, and neither has a say in what the platform signs and where it goes.
        self._session.session.trust_env = False
        self._buckets: dict[str, Any] = {}

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
    ) -> OssStore:
        """A store that signs with V4; `access_key` is (id, secret, security token or None)."""
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
        )

    # --- looking ---------------------------------------------------------------------------------------

    def head(self, request: CopyRequest, source: Source, conditions: Conditions) -> Head:
        headers = _named(
            {
                "If-Match": conditions.if_match,
                "If-None-Match": conditions.if_none_match,
                "If-Modified-Since": conditions.if_modified_since,
                "If-Unmodified-Since": conditions.if_unmodified_since,
                "x-oss-request-payer": _payer(request),
            }
        )
        with _translated("source"):
            return _head(self.bucket(source.bucket).head_object(source.key, headers, _version(source)))

    def find(self, bucket: str, key: str, version_id: str | None = None) -> Head | None:
        params = {"versionId": version_id} if version_id else None
        try:
            with _translated("destination"):
                return _head(self.bucket(bucket).head_object(key, params=params))
        except Failed as error:
            if error.code in {"NoSuchKey", "NoSuchVersion"}:
                return None
            raise

    def symlink(self, request: CopyRequest, source: Source) -> str:
        headers = _named({"x-oss-request-payer": _payer(request)})
        with _translated("source"):
            answer = self.bucket(source.bucket).get_symlink(source.key, _version(source), headers)
            answer.resp.read()
            target: str = answer.target_key
            return target

    def restore(self, request: CopyRequest, source: Source) -> None:
        headers = _named({"x-oss-request-payer": _payer(request)})
        try:
            with _translated("source"):
                bucket = self.bucket(source.bucket)
                bucket.restore_object(source.key, _version(source), headers).resp.read()
        except Conflict as error:
            if error.code != "RestoreAlreadyInProgress":
                raise

    def tags(self, request: CopyRequest, source: Source) -> dict[str, str]:
        headers = _named({"x-oss-request-payer": _payer(request)})
        with _translated("source"):
            bucket = self.bucket(source.bucket)
            answer = bucket.get_object_tagging(source.key, params=_version(source), headers=headers)
            return dict(answer.tag_set.tagging_rule)

    def acl(self, request: CopyRequest, source: Source) -> Acl:
        headers = _named({"x-oss-request-payer": _payer(request)})
        with _translated("source"):
            bucket = self.bucket(source.bucket)
            answer = bucket.get_object_acl(source.key, params=_version(source), headers=headers)
            acl: Acl = answer.acl
            return acl

    # --- copying ---------------------------------------------------------------------------------------

    def copy(
        self, request: CopyRequest, pin: Pin, attributes: Attributes, timeout: float | None = None
    ) -> Written:
        source, destination = request.source, request.destination
        headers = _pinned(request, pin) | _attributes(attributes)
        headers["x-oss-metadata-directive"] = "COPY" if attributes.content is None else "REPLACE"
        headers["x-oss-tagging-directive"] = "Copy" if attributes.tags is None else "Replace"
        headers |= _named({"x-oss-forbid-overwrite": _forbid(request)})
        if attributes.acl != "default":
            headers["x-oss-object-acl"] = attributes.acl
        with _translated("copy"):
            bucket = self.bucket(destination.bucket, timeout)
            answer = bucket.copy_object(
                source.bucket, source.key, destination.key, headers, _version(source, pin)
            )
            return _written(answer, "CopyObjectResult")

    def initiate(self, request: CopyRequest, attributes: Attributes) -> str:
        headers = _attributes(attributes) | _named({"x-oss-forbid-overwrite": _forbid(request)})
        headers.setdefault("Content-Type", "application/octet-stream")  # else oss2 guesses from the key
        with _translated("destination"):
            bucket = self.bucket(request.destination.bucket)
            upload_id: str = bucket.init_multipart_upload(request.destination.key, headers).upload_id
            return upload_id

    def copy_part(self, request: CopyRequest, pin: Pin, upload_id: str, part: Part) -> None:
        source, destination = request.source, request.destination
        with _translated("copy"):
            answer = self.bucket(destination.bucket).upload_part_copy(
                source.bucket,
                source.key,
                (part.first, part.last),
                destination.key,
                upload_id,
                part.number,
                _pinned(request, pin),
                _version(source, pin),
            )
            _read(answer, "CopyPartResult")
        # A range past the end makes OSS copy the whole object, answer 200 and leave this header out.
        wanted, got = f"bytes {part.first}-{part.last}/{pin.size}", answer.headers.get("Content-Range")
        if got != wanted:
            raise SourceChanged(
                "SourceChanged",
                f"part {part.number}: OSS copied range {got!r}, not {wanted!r}",
                request_id=answer.request_id,
            )

    def list_parts(self, request: CopyRequest, upload_id: str, after: int) -> PartPage:
        with _translated("destination"):
            name, key = request.destination.bucket, request.destination.key
            params = {"uploadId": upload_id, "part-number-marker": str(after or ""), "max-parts": str(PAGE)}
            # not `list_parts`, which reads the answer and drops the CRC64 of the parts
            answer = self.bucket(name)._do("GET", name, key, params=params)  # noqa: SLF001 - there is no public way to it
            return _parts(answer)

    def uploads(self, request: CopyRequest) -> UploadPage:
        with _translated("destination"):
            key = request.destination.key
            bucket = self.bucket(request.destination.bucket)
            answer = bucket.list_multipart_uploads(prefix=key, max_uploads=PAGE)
            found = (
                OpenUpload(each.upload_id, each.key, each.initiation_date)
                for each in answer.upload_list
                if each.key == key
            )
            return UploadPage(tuple(found), _unix(answer.headers["Date"]))

    def complete(
        self, request: CopyRequest, upload_id: str, parts: Sequence[ListedPart], acl: Acl
    ) -> Written:
        headers = _named(
            {
                "x-oss-forbid-overwrite": _forbid(request),
                "x-oss-object-acl": acl if acl != "default" else None,
            }
        )
        wanted = [oss2.models.PartInfo(part.number, part.etag) for part in parts]
        with _translated("destination"):
            bucket = self.bucket(request.destination.bucket)
            answer = bucket.complete_multipart_upload(request.destination.key, upload_id, wanted, headers)
            return _written(answer, "CompleteMultipartUploadResult")

    def delete_version(self, request: CopyRequest, version_id: str) -> None:
        with _translated("destination"):
            bucket = self.bucket(request.destination.bucket)
            answer = bucket.delete_object(request.destination.key, params={"versionId": version_id})
            answer.resp.read()

    def abort(self, request: CopyRequest, upload_id: str) -> None:
        with _translated("destination"):
            bucket = self.bucket(request.destination.bucket)
            bucket.abort_multipart_upload(request.destination.key, upload_id).resp.read()

    def read(self, bucket: str, key: str) -> str:
        """A small text, such as the rules; Misconfigured if it cannot be read."""
        try:
            with _translated("state"):
                body: bytes = self.bucket(bucket).get_object(key).read()
                return body.decode()
        except (Failed, UnicodeDecodeError) as error:
            raise Misconfigured("UnreadableRules", f"COPY_RULES: oss://{bucket}/{key}: {error}") from error

    def bucket(self, name: str, timeout: float | None = None) -> Any:  # noqa: ANN401 - oss2 carries no types
        """The oss2 bucket of this name, on the shared connections; `timeout` seconds for answers if given."""
        if timeout is not None:
            return self._bucket(name, (CONNECT_TIMEOUT, timeout))
        if name not in self._buckets:
            self._buckets[name] = self._bucket(name, self._timeout)
        return self._buckets[name]

    def _bucket(self, name: str, timeout: tuple[float, float]) -> Any:  # noqa: ANN401 - oss2 carries no types
        return oss2.Bucket(
            self._auth,
            self._endpoint,
            name,
            session=self._session,
            connect_timeout=timeout,
            region=self._region,
            enable_crc=False,  # oss2 would combine part CRCs it does not have
        )


class OssRecords:
    """The records of the journal, as small objects under `prefix` of the state bucket."""

    def __init__(self, store: OssStore, bucket: str, prefix: str) -> None:
        self._bucket = store.bucket(bucket)
        self._prefix = prefix

    def put_new(self, name: str, body: bytes) -> bool:
        headers = {"x-oss-forbid-overwrite": "true", "Content-Type": "application/json"}
        try:
            with _state():
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
            with _state():
                body: bytes = self._bucket.get_object(self._prefix + name).read()
                return body
        except Failed as error:
            if error.code == "NoSuchKey":
                return None
            raise

    def page(self, prefix: str, after: str, limit: int) -> RecordPage:
        with _state():
            page = self._bucket.list_objects_v2(
                prefix=self._prefix + prefix, start_after=self._prefix + after, max_keys=limit
            )
            entries = ((each.key.removeprefix(self._prefix), each.last_modified) for each in page.object_list)
            return RecordPage(tuple(entries), _unix(page.headers["Date"]))

    def delete(self, name: str) -> None:
        with _state():
            self._bucket.delete_object(self._prefix + name).resp.read()


class OssBuckets:
    """Buckets themselves, and small objects in them: what the check asks beyond a copy."""

    def __init__(self, store: OssStore) -> None:
        self._bucket = store.bucket

    def info(self, bucket: str) -> BucketInfo:
        with _translated("bucket"):
            told = self._bucket(bucket).get_bucket_info()
            region = told.location.removeprefix("oss-")
            return BucketInfo(region, told.versioning_status, _unix(told.headers["Date"]))

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

    def objects(self, bucket: str, prefix: str, limit: int) -> ObjectPage:
        with _translated("bucket"):
            page = self._bucket(bucket).list_objects_v2(prefix=prefix, max_keys=limit)
            found = (
                ListedObject(each.key, each.size, each.storage_class, each.type, each.last_modified)
                for each in page.object_list
            )
            return ObjectPage(tuple(found), _unix(page.headers["Date"]))

    def uploads(self, bucket: str, prefix: str) -> UploadPage:
        with _translated("bucket"):
            page = self._bucket(bucket).list_multipart_uploads(prefix=prefix, max_uploads=PAGE)
            found = (OpenUpload(each.upload_id, each.key, each.initiation_date) for each in page.upload_list)
            return UploadPage(tuple(found), _unix(page.headers["Date"]))

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
def _state() -> Iterator[None]:
    """Errors of the state bucket are not the copy's: a refusal there is a wrong configuration."""
    try:
        with _translated("state"):
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


# --- headers -----------------------------------------------------------------------------------------------


def _named(headers: dict[str, str | None]) -> dict[str, Any]:
    return {name: value for name, value in headers.items() if value is not None}


def _payer(request: CopyRequest) -> str | None:
    return "requester" if request.request_payer else None


def _forbid(request: CopyRequest) -> str | None:
    return "true" if request.overwrite == "never" else None


def _version(source: Source, pin: Pin | None = None) -> dict[str, str]:
    """A fresh dict each time: oss2 writes into it."""
    version = pin.version_id if pin is not None and pin.version_id else source.version_id
    return {"versionId": version} if version else {}


def _pinned(request: CopyRequest, pin: Pin) -> dict[str, Any]:
    limit = str(request.traffic_limit) if request.traffic_limit else None
    return {"x-oss-copy-source-if-match": pin.etag} | _named(
        {"x-oss-traffic-limit": limit, "x-oss-request-payer": _payer(request)}
    )


_CONTENT = {
    "content_type": "Content-Type",
    "cache_control": "Cache-Control",
    "content_disposition": "Content-Disposition",
    "content_encoding": "Content-Encoding",
    "content_language": "Content-Language",
    "expires": "Expires",
}


def _attributes(attributes: Attributes) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if attributes.content is not None:
        for field, name in _CONTENT.items():
            value = getattr(attributes.content, field)
            if value is not None:
                headers[name] = _to_wire(value)
        for name, value in attributes.content.user.items():
            headers[f"x-oss-meta-{name}"] = _to_wire(value)  # as bytes: a str would break the V1 signature
    if attributes.tags:
        headers["x-oss-tagging"] = urlencode(attributes.tags, quote_via=quote, safe="")
    if attributes.storage_class:
        headers["x-oss-storage-class"] = attributes.storage_class
    if attributes.encryption is not None:
        headers |= _named(
            {
                "x-oss-server-side-encryption": attributes.encryption.algorithm,
                "x-oss-server-side-encryption-key-id": attributes.encryption.key_id,
                "x-oss-server-side-data-encryption": attributes.encryption.data_encryption,
            }
        )
    return headers


def _to_wire(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _from_wire(value: str) -> str:
    """A header value as its writer meant it: requests decodes latin-1, OSS stores UTF-8 or any bytes."""
    return value.encode("latin-1").decode("utf-8", "surrogateescape")


def _head(answer: Any) -> Head:  # noqa: ANN401 - oss2 carries no types
    answer.resp.read()
    headers = answer.headers
    content = {field: _from_wire(headers[name]) for field, name in _CONTENT.items() if name in headers}
    user = {
        name.lower().removeprefix("x-oss-meta-"): _from_wire(value)
        for name, value in headers.items()
        if name.lower().startswith("x-oss-meta-")
    }
    return Head(
        size=int(headers["Content-Length"]),
        etag=headers["ETag"].strip('"'),
        version_id=headers.get("x-oss-version-id"),
        last_modified=_unix(headers["Last-Modified"]),
        seen_at=_unix(headers["Date"]),
        crc64=headers.get("x-oss-hash-crc64ecma"),
        storage_class=headers.get("x-oss-storage-class", ""),
        kind=headers.get("x-oss-object-type", "Normal"),
        content=ContentHeaders(**content, user=user),
        tag_count=int(headers.get("x-oss-tagging-count", 0)),
        encryption=_encryption(headers),
        restoration=_restoration(headers.get("x-oss-restore", "")),
    )


def _restoration(told: str) -> Literal["none", "ongoing", "done"]:
    if not told:
        return "none"
    return "ongoing" if 'ongoing-request="true"' in told else "done"


def _encryption(headers: Mapping[str, str]) -> Encryption | None:
    algorithm = headers.get("x-oss-server-side-encryption")
    if algorithm is None:
        return None
    return msgspec.convert(
        {
            "algorithm": algorithm,
            "keyId": headers.get("x-oss-server-side-encryption-key-id"),
            "dataEncryption": headers.get("x-oss-server-side-data-encryption"),
        },
        Encryption,
    )


def _unix(http_date: str) -> int:
    parsed = parsedate_tz(http_date)
    if parsed is None:
        raise Transient("BadAnswer", f"OSS sent the date {http_date!r}")
    return int(mktime_tz(parsed))


# --- answers and errors ------------------------------------------------------------------------------------


def _written(answer: Any, root: str) -> Written:  # noqa: ANN401 - oss2 carries no types
    tree = _read(answer, root)
    etag = answer.headers.get("ETag") or next(
        (each.text for each in tree.iter() if _name(each) == "ETag"), ""
    )
    return Written((etag or "").strip('"'), answer.headers.get("x-oss-version-id"))


def _parts(answer: Any) -> PartPage:  # noqa: ANN401 - oss2 carries no types
    tree = _tree(answer, "ListPartsResult")
    told = ({_name(field): field.text or "" for field in each} for each in tree if _name(each) == "Part")
    parts = [
        ListedPart(
            int(part["PartNumber"]),
            part["ETag"].strip('"'),
            int(part["Size"]),
            int(part["HashCrc64ecma"]) if part.get("HashCrc64ecma") else None,
            int(datetime.fromisoformat(part["LastModified"].replace("Z", "+00:00")).timestamp()),
        )
        for part in told
    ]
    fields = {_name(field): field.text for field in tree}
    more = (fields.get("IsTruncated") or "").lower() == "true"
    following = int(fields.get("NextPartNumberMarker") or 0) if more else None
    return PartPage(tuple(parts), following, _unix(answer.headers["Date"]))


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _read(answer: Any, root: str) -> ET.Element:  # noqa: ANN401 - oss2 carries no types
    return _tree(answer.resp, root)


def _tree(answer: Any, root: str) -> ET.Element:  # noqa: ANN401 - oss2 carries no types
    """Read the body, which frees the connection, and see that it is the `root` element and no error."""
    body = answer.read()
    try:
        tree = ET.fromstring(body)  # noqa: S314 - see the import
    except ET.ParseError:
        text = f"OSS answered {answer.status} with a body that is no XML"
        raise Transient("BadAnswer", text, request_id=answer.request_id, in_doubt=True) from None
    if tree.tag == "Error":
        code, message = tree.findtext("Code", "Unknown"), tree.findtext("Message", "")
        raise translate(answer.status, code, message, answer.request_id, {})
    if _name(tree) != root:
        text = f"OSS answered {answer.status} with <{tree.tag}>, not <{root}>"
        raise Transient("BadAnswer", text, request_id=answer.request_id, in_doubt=True)
    return tree


@contextmanager
def _translated(about: str) -> Iterator[None]:
    """Turn oss2's errors into ours. `about`: source, destination, state, bucket, copy (of a pinned one)."""
    try:
        yield
    except oss2.exceptions.RequestError as error:
        refused = isinstance(error.exception, requests.exceptions.ConnectTimeout)
        raise Transient("NetworkError", str(error.exception)[:300], in_doubt=not refused) from error
    except requests.RequestException as error:
        raise Transient("NetworkError", str(error)[:300], in_doubt=True) from error
    except oss2.exceptions.OssError as error:
        code = error.code or {304: "NotModified", 404: "NoSuchKey", 412: "PreconditionFailed"}.get(
            error.status, f"HTTP{error.status}"
        )
        ours = translate(error.status, code, error.message, error.request_id, error.headers)
        if about == "copy" and ours.code in {"PreconditionFailed", "NoSuchKey", "NoSuchVersion"}:
            text = f"the source is no longer the version the copy began with (OSS: {ours.code})"
            ours = SourceChanged("SourceChanged", text, request_id=error.request_id, status=error.status)
        raise ours from error


def translate(
    status: int,
    code: str,
    message: str,
    request_id: str,
    headers: Mapping[str, str],
) -> OssCopyError:
    """The error for an OSS answer, with its code and request id and a word on what to do."""
    known = "OtherRegion" if _OTHER_REGION in message else code
    text = ": ".join(filter(None, (message, ADVICE.get(known)))) or f"OSS answered {status}"
    if code == "NoSuchUpload":
        return UploadGone(code, message, request_id=request_id, status=status)
    if status in {429, 503} or code in _THROTTLED:
        pause = float(headers.get("x-oss-qos-delay-time", 0)) / 1000  # milliseconds
        return Transient(
            code, text, request_id=request_id, status=status, throttled=True, pause=min(pause, 30.0)
        )
    if status >= 500 or status == 408 or code in _PASSING:
        return Transient(code, text, request_id=request_id, status=status, in_doubt=status >= 500)
    if status == 304:
        return Skipped("NotModified", "the source was not modified", request_id=request_id, status=status)
    kind: Callable[..., OssCopyError] = Conflict if status in {409, 412} else Failed
    return kind(code, text, request_id=request_id, status=status)
