"""Connections to OSS through oss2, and its exceptions as our errors.

Knows signing, time-outs and who pays; not which requests are made.
"""

from __future__ import annotations

import http.client
import logging
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from urllib3.exceptions import ConnectTimeoutError, HTTPError, ReadTimeoutError

from osscopy.aliyun.oss_errors import translate
from osscopy.aliyun.oss_places import Place, located
from osscopy.aliyun.wire.sdk import oss2
from osscopy.aliyun.wire.session import Answer, Request, Session
from osscopy.model import (
    KIB,
    CopyRequest,
    Failed,
    Mark,
    OssCopyError,
    Source,
    SourceChanged,
    Transient,
    UploadGone,
)

CONNECT_TIMEOUT = 5.0
SMALL = 64 * KIB  # bytes of an object that is read whole, unless more is expected
QUESTIONS = 18  # asked at once at most: ten pages of ListParts, and what goes with them

http.client._MAXHEADERS = 1000  # type: ignore[attr-defined]  # noqa: SLF001 - it refuses more than 100, and user metadata may be more


class Counted:
    """The requests that threads have had good answers to, by the classes of OSS's fees: a list is a PUT."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.put = 0
        self.get = 0

    def note(self, method: str, key: str) -> None:
        """Count a request; DELETE is free."""
        with self._lock:
            self.put += method in {"PUT", "POST"} or (method == "GET" and not key)
            self.get += method == "HEAD" or (method == "GET" and bool(key))


class Bucket(oss2.Bucket):  # type: ignore[misc]  # oss2 carries no types
    """A bucket of oss2. `pays`: every request says that whoever asks pays for it.

    Where the requester pays, OSS refuses all other requests, those on uploads too.
    """

    pays = False
    counted = Counted()  # that of the connection is put in its place

    def fetch(self, key: str, params: dict[str, str]) -> Answer:
        """GET what oss2's own methods read wrongly; return the answer unread."""
        return self._do("GET", self.bucket_name, key, params=params)

    def listing(self, prefix: str, after: str, limit: int) -> Answer:
        """GET a page of the objects under `prefix` behind `after`; return the answer unread."""
        params = {"list-type": "2", "encoding-type": "url", "max-keys": str(limit)}
        params |= {name: value for name, value in {"prefix": prefix, "start-after": after}.items() if value}
        return self.fetch("", params)

    def versions(self, prefix: str, after: Mark, limit: int) -> Answer:
        """GET a page of the versions under `prefix` from `after` on; return the answer unread."""
        params = {"versions": "", "encoding-type": "url", "max-keys": str(limit)}
        marks = {"prefix": prefix, "key-marker": after.key, "version-id-marker": after.version_id}
        return self.fetch("", params | {name: value for name, value in marks.items() if value})

    def small(self, key: str, most: int) -> Answer:
        """GET an object; Failed if it has more than `most` bytes."""
        answer = self._do("GET", self.bucket_name, key, most=most)
        if not answer.is_whole:
            text = f"it has more than {most} bytes"
            raise Failed("UnreadableRecord", text, request_id=answer.request_id)
        return answer

    def read(self, key: str, most: int = SMALL) -> bytes:
        """Return the bytes of an object as it was put; Failed if it is too large, or kept packed."""
        answer = self.small(key, most)
        if packed := answer.headers.get("Content-Encoding"):
            text = f"it has Content-Encoding {packed[:40]}, and is not unpacked"
            raise Failed("UnreadableRecord", text, request_id=answer.request_id)
        return answer.read()

    def create(self, key: str, body: bytes) -> str | None:
        """Put a JSON object unless it exists; return its version id where the bucket has versions."""
        headers = {"x-oss-forbid-overwrite": "true", "Content-Type": "application/json"}
        answer = self.put_object(key, body, headers)
        answer.resp.read()
        version_id: str | None = answer.versionid
        return version_id

    def complete(self, key: str, upload_id: str, body: bytes, headers: dict[str, str]) -> Any:  # noqa: ANN401 - oss2 carries no types
        """Complete an upload, as oss2 does, which makes the body itself; the answer is unread."""
        sent = self._do("POST", self.bucket_name, key, body, {"uploadId": upload_id}, headers)
        return oss2.models.RequestResult(sent)

    def remove(self, key: str, version_id: str | None = None) -> None:
        params = {"versionId": version_id} if version_id else None
        self.delete_object(key, params=params).resp.read()

    def _do(
        self,
        method: str,
        bucket_name: str,
        key: str,
        data: bytes | str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str | bytes] | None = None,
        *,
        most: int | None = None,
    ) -> Answer:
        """Sign and send as oss2 does, without its log, whose texts are made even where nobody reads them."""
        given = {"User-Agent": oss2.http.USER_AGENT, **(headers or {})}
        if self.pays:
            given["x-oss-request-payer"] = "requester"
        body, region = oss2.to_bytes(data), self.region
        request = Request(
            method, self._make_url(bucket_name, key), params or {}, given, body, region, most=most
        )
        self.auth._sign_request(request, bucket_name, key)  # noqa: SLF001 - there is no public one for headers
        answer: Answer = self.session.do_request(request, self.timeout)
        if answer.status // 100 != 2:
            raise oss2.exceptions.make_exception(answer)
        if not answer.request_id:  # http.client takes headers that break off for whole ones
            raise ValueError(
                f"an answer {answer.status} without x-oss-request-id is not OSS's, or not all of it"
            )
        self.counted.note(method, key)
        return answer


class Connection:
    """One invocation's connections to OSS, shared by its threads: `threads` that copy, and those that ask.

    Requests are signed with V4; `access_key` is (id, secret, security token or None). No answer is waited for
    longer than `seconds_left` says, or a second.
    """

    def __init__(
        self,
        access_key: tuple[str, str, str | None],
        endpoint: str,
        region: str,
        *,
        threads: int,
        read_timeout: float,
        connect_timeout: float = CONNECT_TIMEOUT,
        seconds_left: Callable[[], float],
    ) -> None:
        logging.getLogger("oss2").setLevel(logging.WARNING)  # its debug lines hold signed headers
        identity, secret, token = access_key
        self._auth = (
            oss2.StsAuth(identity, secret, token, auth_version=oss2.AUTH_VERSION_4)
            if token
            else oss2.AuthV4(identity, secret)
        )
        self._endpoint = endpoint
        self._region = region
        self._timeout = (connect_timeout, read_timeout)
        self._seconds_left = seconds_left
        self.counted = Counted()
        self._session = Session(max(threads + 2, QUESTIONS))
        self._buckets: dict[tuple[str, tuple[float, float], bool], Bucket] = {}

    def of(self, request: CopyRequest, name: str, timeout: float | None = None) -> Bucket:
        """Return a bucket of this request: what holds for all of its requests to OSS is said here."""
        return self.bucket(name, timeout, pays=request.request_payer)

    def bucket(self, name: str, timeout: float | None = None, *, pays: bool = False) -> Bucket:
        """Return the bucket of this name, which waits `timeout` seconds for answers if that is given."""
        connect, answer = self._timeout if timeout is None else (CONNECT_TIMEOUT, timeout)
        if (left := self._seconds_left()) < answer:
            answer = _rounded(left)
            connect = min(connect, answer)
        known = name, (connect, answer), pays
        if known not in self._buckets:
            bucket = Bucket(
                self._auth,
                self._endpoint,
                name,
                session=self._session,
                connect_timeout=(connect, answer),
                region=self._region,
                enable_crc=False,  # oss2 would combine part CRCs it does not have
            )
            bucket.pays, bucket.counted = pays, self.counted
            self._buckets[known] = bucket
        return self._buckets[known]


def _rounded(seconds: float) -> float:
    """Return one of few values, each with buckets of its own: tenths of the last ten seconds; 1 at least."""
    return max(1.0, float(int(seconds)) if seconds > 10 else int(seconds * 10) / 10)


class Unless:
    """Pass over a refusal with one of these codes: what was asked for is so already, or is not there."""

    def __init__(self, *codes: str) -> None:
        self._codes = codes

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        return isinstance(error, Failed) and error.code in self._codes


_UNREADABLE = (ET.ParseError, RuntimeError, ValueError, TypeError, KeyError, AttributeError)
_BY_STATUS = {304: "NotModified", 404: "NoSuchKey", 412: "PreconditionFailed"}


@contextmanager
def translated(
    place: Place | None = None, source: Source | None = None, *, is_link: bool = False
) -> Iterator[None]:
    """Turn oss2's errors into ours, which name `place`, or `source` of a copy if it is that."""
    try:
        yield
    except oss2.exceptions.RequestError as error:
        refused = isinstance(error.exception, ConnectTimeoutError)  # or no connection at all
        late = isinstance(error.exception, ReadTimeoutError)
        text = str(error.exception)[:300]
        raise Transient("NetworkError", text, in_doubt=not refused, outlasted=late) from error
    except HTTPError as error:  # in the body
        raise Transient("NetworkError", str(error)[:300], in_doubt=True) from error
    except _UNREADABLE as error:  # by oss2, which reads headers and bodies as if they were always whole
        raise Transient("BadAnswer", f"unreadable: {error!r}"[:300], in_doubt=True) from error
    except oss2.exceptions.OssError as error:
        code = error.code or _BY_STATUS.get(error.status, f"HTTP{error.status}")
        reads = source is not None or (place is not None and place.side == "source" and not is_link)
        if error.status == 405 and reads:  # a delete marker
            code = "NoSuchVersion"
        ours = translate(error.status, code, error.message, error.request_id, error.headers)
        raise _named(ours, place, source, error.details.get("BucketName")) from error
    except Failed as error:  # in the body of a 200
        raise _named(error, place, source, None) from error.__cause__


_OF_SOURCE = {"InvalidObjectState", "EntityTooLarge", "SymlinkTargetNotExist", "OperationNotSupported"}


def _named(
    error: OssCopyError, place: Place | None, source: Source | None, bucket: str | None
) -> OssCopyError:
    """Return the error with the place it is about; `bucket`: the one that OSS has named."""
    if source is not None and error.code in {"PreconditionFailed", "NoSuchKey", "NoSuchVersion"}:
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
