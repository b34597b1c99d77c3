"""The store: what a copy asks of OSS, one request a method.

Knows oss2's calls, not their headers, bodies and errors. Where oss2 2.19.1 does not do what one expects, it
is dealt with here, in `oss_headers` and in `oss_bodies`: copy and complete calls do not look at the answer's
body, so that a 200 that carries an `<Error>` looks like success; header values come latin-1 decoded; `params`
are mutated; Content-Type is guessed from the key unless given.
"""

from __future__ import annotations

from collections.abc import Sequence

from osscopy.aliyun import oss_bodies, oss_headers, oss_places
from osscopy.aliyun.oss_headers import version
from osscopy.aliyun.oss_places import on_bucket, on_destination, on_object
from osscopy.aliyun.oss_transport import Connection, Unless, translated
from osscopy.model import (
    Acl,
    Attributes,
    Conditions,
    CopyRequest,
    Head,
    ListedPart,
    Part,
    PartPage,
    Pin,
    Source,
    SourceChanged,
    UploadPage,
    Written,
)

PAGE = 1000  # parts a listing; OSS gives no more
_ENCODED = {"encoding-type": "url"}  # of the key in the answer: it may hold characters that XML cannot


class OssStore:
    """OSS, as far as a copy goes: the port `Store` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._of = connection.of

    def head(self, request: CopyRequest, source: Source, conditions: Conditions) -> Head:
        headers = oss_headers.conditions(conditions)
        with translated(on_object("source", source, "GetObject")):
            bucket = self._of(request, source.bucket)
            return oss_headers.head(bucket.head_object(source.key, headers, version(source)))

    def find(self, request: CopyRequest, place: Source) -> Head | None:
        about = on_object("destination", place, "GetObject")
        with Unless("NoSuchKey", "NoSuchVersion"), translated(about):
            bucket = self._of(request, place.bucket)
            return oss_headers.head(bucket.head_object(place.key, params=version(place)))
        return None

    def link(self, request: CopyRequest, place: Source) -> Head | None:
        about = oss_places.on_symlink(request, place)
        with Unless("NoSuchKey", "NoSuchVersion", "NotSymlink"), translated(about, is_link=True):
            bucket = self._of(request, place.bucket)
            return oss_headers.link(bucket.get_symlink(place.key, version(place)))
        return None

    def restore(self, request: CopyRequest, source: Source) -> None:
        about = on_object("source", source, "RestoreObject")
        with Unless("RestoreAlreadyInProgress"), translated(about):
            self._of(request, source.bucket).restore_object(source.key, version(source)).resp.read()

    def tags(self, request: CopyRequest, source: Source) -> dict[str, str]:
        with translated(on_object("source", source, "GetObjectTagging")):
            # not `get_object_tagging`, which finds no tags in a document that is none of theirs
            params = {"tagging": "", **version(source)}
            return oss_bodies.tags(self._of(request, source.bucket).fetch(source.key, params))

    def acl(self, request: CopyRequest, source: Source) -> Acl:
        with translated(on_object("source", source, "GetObjectAcl")):
            bucket = self._of(request, source.bucket)
            acl: Acl = bucket.get_object_acl(source.key, params=version(source)).acl
            return acl

    def copy(
        self, request: CopyRequest, pin: Pin, attributes: Attributes, timeout: float | None = None
    ) -> Written:
        source, destination = request.source, request.destination
        headers = oss_headers.copied(request, pin, attributes)
        with translated(oss_places.copied(request, pin, attributes), source):
            bucket = self._of(request, destination.bucket, timeout)
            answer = bucket.copy_object(
                source.bucket, source.key, destination.key, headers, version(source, pin)
            )
            return oss_bodies.written(answer, "CopyObjectResult")

    def initiate(self, request: CopyRequest, attributes: Attributes) -> str:
        headers = oss_headers.attributes(attributes) | oss_headers.forbid(request)
        headers.setdefault("Content-Type", "application/octet-stream")  # else oss2 guesses from the key
        with translated(oss_places.written(request, attributes)):
            bucket = self._of(request, request.destination.bucket)
            answer = bucket.init_multipart_upload(request.destination.key, headers, dict(_ENCODED))
            upload_id: str = answer.upload_id
            return upload_id

    def copy_part(
        self, request: CopyRequest, pin: Pin, upload_id: str, part: Part, timeout: float | None = None
    ) -> None:
        source, destination = request.source, request.destination
        with translated(oss_places.copied(request, pin, None), source):
            answer = self._of(request, destination.bucket, timeout).upload_part_copy(
                source.bucket,
                source.key,
                (part.first, part.last),
                destination.key,
                upload_id,
                part.number,
                oss_headers.pinned(request, pin),
                version(source, pin),
            )
            oss_bodies.read(answer.resp, "CopyPartResult")
        # A range past the end makes OSS copy the whole object, answer 200 and leave this header out.
        wanted, got = f"bytes {part.first}-{part.last}/{pin.size}", answer.headers.get("Content-Range")
        if got != wanted:
            text = f"part {part.number}: OSS copied range {got!r}, not {wanted!r}"
            raise SourceChanged("SourceChanged", text, request_id=answer.request_id)

    def list_parts(self, request: CopyRequest, upload_id: str, after: int) -> PartPage:
        with translated(on_destination(request, "oss:ListParts")):
            # not `list_parts`, which reads the answer and drops the CRC64 of the parts
            params = {"uploadId": upload_id, "part-number-marker": str(after or ""), "max-parts": str(PAGE)}
            bucket = self._of(request, request.destination.bucket)
            return oss_bodies.parts(bucket.fetch(request.destination.key, params | _ENCODED))

    def uploads(self, request: CopyRequest) -> UploadPage:
        name, key = request.destination.bucket, request.destination.key
        with translated(on_bucket(name, "oss:ListMultipartUploads", "destination")):
            bucket = self._of(request, name)
            page = oss_bodies.uploads(bucket.list_multipart_uploads(prefix=key, max_uploads=PAGE))
            return UploadPage(tuple(each for each in page.uploads if each.key == key), page.seen_at)

    def complete(
        self, request: CopyRequest, upload_id: str, parts: Sequence[ListedPart], acl: Acl
    ) -> Written:
        headers = oss_headers.forbid(request)
        needed = ["oss:PutObject"]
        if acl != "default":
            headers["x-oss-object-acl"] = acl
            needed += ["oss:PutObjectAcl"]
        body = oss_bodies.complete(parts)
        with translated(on_destination(request, *needed)):
            bucket = self._of(request, request.destination.bucket)
            answer = bucket.complete(request.destination.key, upload_id, body, headers)
            return oss_bodies.written(answer, "CompleteMultipartUploadResult")

    def delete_version(self, request: CopyRequest, version_id: str) -> None:
        with translated(on_destination(request, "oss:DeleteObjectVersion")):
            bucket = self._of(request, request.destination.bucket)
            bucket.remove(request.destination.key, version_id)

    def abort(self, request: CopyRequest, upload_id: str) -> None:
        with translated(on_destination(request, "oss:AbortMultipartUpload")):
            bucket = self._of(request, request.destination.bucket)
            bucket.abort_multipart_upload(request.destination.key, upload_id).resp.read()
