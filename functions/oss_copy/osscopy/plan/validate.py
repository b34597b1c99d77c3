"""The checks of a request: one that OSS or this function could not serve is refused.

Asks nothing of OSS: a request refused here has had no effect. The OpenAPI document is made of the same
patterns and limits.
"""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from osscopy.model import KIB, ContentHeaders, CopyRequest, Encryption, Head, Refused, Source
from osscopy.plan.keys import BULK_JOB, COPY_JOB, JOB, LIST, check_bucket, check_key
from osscopy.plan.parts import MAX_PART, MIN_PART, byte_size
from osscopy.plan.templates import render

# Patterns are of the whole text, without anchors.
HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}"  # a header's name
USER_NAME = r"[A-Za-z0-9-]{1,200}"  # what OSS takes as a name of user metadata
META, HEADERS = "x-oss-meta-", "x-oss-"  # how names of headers begin, in any case: no names of user metadata
ELSEWHERE = {  # names of headers, in any case, and the field that is meant
    "cache-control": "metadata.cacheControl",
    "content-disposition": "metadata.contentDisposition",
    "content-encoding": "metadata.contentEncoding",
    "content-language": "metadata.contentLanguage",
    "content-type": "metadata.contentType",
    "expires": "metadata.expires",
    "x-oss-object-acl": "acl",
    "x-oss-server-side-data-encryption": "encryption",
    "x-oss-server-side-encryption": "encryption",
    "x-oss-server-side-encryption-key-id": "encryption",
    "x-oss-storage-class": "storageClass",
    "x-oss-tagging": "tags",
}
LINE = r"(?:[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?)?"  # a header's value, spaces inside only
VISIBLE = r"[!-~](?:[ -~]*[!-~])?"  # the same in ASCII, for headers that are no user's text
VERSION_ID = r"[A-Za-z0-9._~-]{1,1024}"  # it becomes part of a query string
HTTP_DATE = (
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?:0[1-9]|[12][0-9]|3[01]) "
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] GMT"
)
MAX_LINE = 8192  # characters of a header's value
MAX_REQUEST = 40 * KIB  # of one copy, as JSON: its records are small, too
MAX_USER = 8 * KIB  # bytes of names and values of user metadata
MAX_TAGS, MAX_TAG_KEY, MAX_TAG_VALUE = 10, 128, 256
MAX_PARALLEL, MAX_LANES = 512, 100
MIN_TRAFFIC, MAX_TRAFFIC = 819_200, 838_860_800  # bit/s; OSS takes 100 KB/s to 100 MB/s
FORMS = {
    LINE: "a header's value has no control characters and no space at its ends",
    VISIBLE: "visible ASCII characters, with spaces between them at most",
    HTTP_DATE: "a date looks like Sun, 22 Nov 2026 10:00:00 GMT",
    VERSION_ID: "a version id has letters, digits and . _ ~ - only",
    LIST: "a list looks like l-0123456789abcdef0123456789abcdef",
    JOB: "a job looks like c-0123456789abcdef0123456789abcdef, or b-… for many objects",
    COPY_JOB: "a copy looks like c-0123456789abcdef0123456789abcdef",
    BULK_JOB: "a job of many objects looks like b-0123456789abcdef0123456789abcdef",
}
_CONTROL = r"[\x00-\x1f\x7f]"


def prepare(request: CopyRequest, moment: datetime) -> CopyRequest:
    """Return the request with its destination key made; refuse what can be refused without asking OSS.

    `check_request` judges continuations too. A copy that was begun under looser rules has to be finished, so
    the rules for names of metadata and folder markers stand here.
    """
    check_bucket(request.source.bucket, "source.bucket")
    check_key(request.source.key, "source.key")
    key = render(request.destination.key, request.source.key, moment)
    final = msgspec.structs.replace(
        request,
        destination=msgspec.structs.replace(request.destination, key=key),
        encryption="keep" if request.encryption is None else request.encryption,
    )
    check_request(final)
    if isinstance(final.metadata, ContentHeaders):
        _check_user_size(final.metadata.user)
        for name in final.metadata.user:
            _check_user_name(name)
    if (size := len(msgspec.json.encode(final))) > MAX_REQUEST:
        text = f"the request has {size} bytes with its final key; {MAX_REQUEST} are taken"
        raise Refused("RequestTooLarge", text)
    if key.endswith("/") and not final.source.key.endswith("/"):
        text = f"{key[-80:]!r} ends with a slash, which is how folder markers are named: add {{name}}"
        raise Refused("InvalidKey", text, field="destination.key")
    return final


def _check_user_size(user: dict[str, str]) -> None:
    """Refuse more user metadata than OSS takes for one object (OSS documentation, PutObject: 8 KB)."""
    size = sum(len(name.encode()) + len(value.encode("utf-8", "replace")) for name, value in user.items())
    if size > MAX_USER:
        raise Refused("InvalidMetadata", f"{size} bytes; OSS takes {MAX_USER}", field="metadata.user")


def _check_user_name(name: str) -> None:
    """Refuse a name of user metadata that OSS does not take, or that means another field."""
    field, known = f"metadata.user.{name[:40]}", name.lower()
    if not re.fullmatch(USER_NAME, name):
        text = f"{name[:40]!r} is no name of user metadata: letters, digits and - only, 200 at most"
        raise Refused("InvalidMetadata", text, field=field)
    if known.startswith(META):
        text = f"names are written without {META}: write {name[len(META) :]!r}"
        raise Refused("InvalidMetadata", text, field=field)
    if known in ELSEWHERE or known.startswith(HEADERS):
        there = f": that is the field {ELSEWHERE[known]}" if known in ELSEWHERE else ""
        text = f"{name[:40]} is a header of its own and no user metadata{there}"
        raise Refused("InvalidMetadata", text, field=field)


def check_request(request: CopyRequest) -> None:
    """Refuse a request with a final key that OSS or this function could not serve."""
    check_bucket(request.source.bucket, "source.bucket")
    check_key(request.source.key, "source.key")
    check_bucket(request.destination.bucket, "destination.bucket")
    check_key(request.destination.key, "destination.key")
    _check_headers(request)
    _check_tuning(request)
    if _changes_nothing(request):
        raise Refused("SelfCopy", "the object would be copied onto itself unchanged", field="destination")


def check_found(request: CopyRequest, head: Head) -> None:
    """Refuse a copy onto itself of version `null`, if HEAD shows that its bucket has no versions.

    There `null` names the object itself; with versions it may be an older one that is to be the newest again.
    """
    itself = msgspec.structs.replace(request, source=Source(request.source.bucket, request.source.key))
    if request.source.version_id == "null" and head.version_id is None and _changes_nothing(itself):
        text = "the object would be copied onto itself unchanged: its bucket has no versions"
        raise Refused("SelfCopy", text, field="source.versionId")


def _check_headers(request: CopyRequest) -> None:
    """Refuse what could not be sent as one header line, or would start another."""
    for name, value in msgspec.to_builtins(request.conditions).items():
        if value is not None:
            pattern = HTTP_DATE if name.endswith("Since") else VISIBLE
            check_text(pattern, value, "InvalidHeader", f"conditions.{name}")
    if request.source.version_id is not None:
        check_text(VERSION_ID, request.source.version_id, "InvalidVersionId", "source.versionId")
    if isinstance(request.encryption, Encryption):
        _check_encryption(request.encryption)
    if isinstance(request.metadata, ContentHeaders):
        _check_metadata(request.metadata)
    if isinstance(request.tags, dict):
        _check_tags(request.tags)


def _check_encryption(asked: Encryption) -> None:
    """Refuse what OSS would drop without a word: it keeps a key and a data encryption with KMS alone."""
    for field, value in (("keyId", asked.key_id), ("dataEncryption", asked.data_encryption)):
        if value is not None and asked.algorithm != "KMS":
            text = (
                f"goes with the algorithm KMS only: leave it out, or choose KMS instead of {asked.algorithm}"
            )
            raise Refused("InvalidEncryption", text, field=f"encryption.{field}")
    if asked.key_id is not None:
        check_text(VISIBLE, asked.key_id, "InvalidHeader", "encryption.keyId")


def _check_metadata(metadata: ContentHeaders) -> None:
    for name, value in msgspec.to_builtins(metadata).items():
        if name != "user" and value is not None:
            check_text(LINE, value, "InvalidHeader", f"metadata.{name}")
    for name, value in metadata.user.items():
        if not re.fullmatch(HEADER_NAME, name):
            text = f"{name[:40]!r} is no name of user metadata: letters, digits and - only, 200 at most"
            raise Refused("InvalidMetadata", text, field=f"metadata.user.{name[:40]}")
        check_text(LINE, value, "InvalidHeader", f"metadata.user.{name}")
    if len({name.lower() for name in metadata.user}) < len(metadata.user):
        raise Refused("InvalidMetadata", "one name twice: OSS ignores their case", field="metadata.user")


def _check_tags(tags: dict[str, str]) -> None:
    if len(tags) > MAX_TAGS:
        raise Refused("InvalidTag", f"an object has at most {MAX_TAGS} tags", field="tags")
    for name, value in tags.items():
        if not 1 <= len(name) <= MAX_TAG_KEY or len(value) > MAX_TAG_VALUE:
            text = f"tag keys have 1 to {MAX_TAG_KEY} characters, values up to {MAX_TAG_VALUE}"
            raise Refused("InvalidTag", text, field="tags")
        if re.search(_CONTROL, name + value):
            raise Refused("InvalidTag", "control characters in a tag", field="tags")


def check_text(pattern: str, text: str, code: str, field: str) -> None:
    """Refuse a text that is too long or not of one of the `FORMS`, saying which form it should have."""
    if len(text) > MAX_LINE or not re.fullmatch(pattern, text):
        raise Refused(code, f"{FORMS[pattern]}, and {MAX_LINE} characters at most", field=field)


def _check_tuning(request: CopyRequest) -> None:
    tuning = request.tuning
    if tuning.part_size is not None:
        asked = byte_size(tuning.part_size)
        if not MIN_PART <= asked <= MAX_PART:
            raise Refused("InvalidPartSize", "a part has 100 KiB to 5 GiB", field="tuning.partSize")
    if tuning.parallel is not None and not 1 <= tuning.parallel <= MAX_PARALLEL:
        raise Refused("InvalidTuning", f"1 to {MAX_PARALLEL} threads", field="tuning.parallel")
    if tuning.lanes is not None and not 1 <= tuning.lanes <= MAX_LANES:
        raise Refused("InvalidTuning", f"1 to {MAX_LANES} lanes", field="tuning.lanes")
    limit = request.traffic_limit
    if limit and not MIN_TRAFFIC <= limit <= MAX_TRAFFIC:
        text = f"0, or {MIN_TRAFFIC} to {MAX_TRAFFIC} bit/s"
        raise Refused("InvalidTrafficLimit", text, field="trafficLimit")


def _changes_nothing(request: CopyRequest) -> bool:
    return (
        request.is_onto_itself
        and request.source.version_id is None
        and request.metadata == "copy"
        and request.tags == "copy"
        and request.storage_class == "keep"
        and request.acl == "default"
        and request.encryption in {"keep", None}
    )
