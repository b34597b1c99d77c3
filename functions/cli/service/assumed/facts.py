"""The assumptions: what is asked, what the code does whatever the answer is, and where. Asks nobody."""

from __future__ import annotations

from typing import Literal

import msgspec

Asks = Literal["oss", "function", "nobody"]
_PRODUCT = "functions/oss_copy/osscopy"


class Assumption(msgspec.Struct, frozen=True):
    """One fact about the platform on which sources disagree or are silent.

    `depends`: where the code takes it either way, as `module.py:name` below the product's folder. `asks`: who
    answers its probe; "nobody": `unasked` says why there is none.
    """

    name: str
    question: str
    either: str
    depends: tuple[str, ...]
    asks: Asks
    unasked: str = ""

    @property
    def places(self) -> tuple[str, ...]:
        """Return where the code depends on it, as paths in the tree."""
        return tuple(f"{_PRODUCT}/{each}" for each in self.depends)


def _oss(name: str, question: str, either: str, *depends: str) -> Assumption:
    return Assumption(name, question, either, depends, "oss")


def _function(name: str, question: str, either: str, *depends: str) -> Assumption:
    return Assumption(name, question, either, depends, "function")


def _unasked(name: str, question: str, either: str, why: str, *depends: str) -> Assumption:
    return Assumption(name, question, either, depends, "nobody", why)


ASSUMPTIONS: tuple[Assumption, ...] = (
    _oss(
        "head-tag-count",
        "Does HEAD show the number of tags of an object?",
        "Where it does not, the tags are read and counted.",
        "plan/promises.py:promise_of",
        "copying/invocation/source.py:tags",
    ),
    _oss(
        "copy-crc64",
        "Does the answer of CopyObject show the CRC64?",
        "The copy is proved by HEAD of the destination; of many objects each takes one more request.",
        "copying/verify.py:look",
        "copying/simple.py:SimpleCopy",
    ),
    _oss(
        "copied-part-crc64",
        "Does ListParts show the CRC64 of parts that were copied?",
        "Where it does, the parts are compared with the source before Complete; else the copy is, after it.",
        "plan/evidence.py:combined_crc64",
    ),
    _oss(
        "multipart-crc64",
        "Does HEAD of an object made of copied parts show the CRC64 of the whole?",
        "Where it does not, the copy is verified by its size, and the result says so.",
        "plan/evidence.py:differences",
    ),
    _oss(
        "multipart-etag",
        "Is the ETag of an object made of parts the MD5 of the parts' ETags as text?",
        "An ETag that differs with equal size and CRC64 is no failure.",
        "plan/evidence.py:multipart_etag",
    ),
    _oss(
        "part-range-past-end",
        "Does a range past the end of the source copy what is there, without an error?",
        "The size of each part is compared before the upload is completed.",
        "aliyun/oss.py:copy_part",
    ),
    _oss(
        "part-copy-conditions",
        "Does UploadPartCopy refuse a source whose ETag is another one?",
        "The source is looked at once more before the upload is completed.",
        "aliyun/oss_headers.py:pinned",
    ),
    _oss(
        "second-complete",
        "Is a second CompleteMultipartUpload refused as NoSuchUpload?",
        "The destination is looked at: what it shows decides.",
        "copying/finish.py:_complete",
    ),
    _oss(
        "forbid-overwrite",
        "Does x-oss-forbid-overwrite keep CopyObject from an existing object?",
        "The destination is looked at before; under versioning OSS ignores the header.",
        "aliyun/oss_headers.py:forbid",
    ),
    _oss(
        "self-copy-metadata",
        "What becomes of metadata that a copy onto itself does not name?",
        "Such a copy names all metadata.",
        "plan/promises.py:names_all",
    ),
    _oss(
        "self-copy-acl",
        "What becomes of the ACL that a copy onto itself with REPLACE does not name?",
        "Such a copy names the ACL.",
        "copying/invocation/source.py:acl",
    ),
    _oss(
        "self-copy-encryption",
        "What becomes of the encryption that a copy onto itself does not name?",
        "Such a copy names the encryption.",
        "plan/promises.py:attributes",
    ),
    _oss(
        "copy-storage-class",
        "Which storage class has a copy that names none: the source's, or the bucket's?",
        "Every copy names the class.",
        "plan/promises.py:attributes",
    ),
    _oss(
        "appendable-part-copy",
        "Can an appendable object be copied in parts?",
        "Up to the limit of CopyObject it is copied as a whole; else OSS's refusal fails the copy.",
        "check/sources.py:choose",
    ),
    _oss(
        "list-order",
        "Does a listing come in the order of the UTF-8 bytes of the keys, and begin after `start-after`?",
        "Texts are compared by code points, and two listings are merged in that order.",
        "jobs/bulk/pages/both.py:_order",
    ),
    _function(
        "task-id-twice",
        "How is a task id refused that was used before: 409, or 400?",
        "409 counts, and 400 where the code says so.",
        "aliyun/fc_sdks.py:FcRefusal",
    ),
    _function(
        "payload-too-large",
        "How is an event refused that is too large: 413, or 400?",
        "No event of ours comes near the limit: requests above 40 KiB are refused before.",
        "events/continuation.py:encode",
    ),
    _function(
        "fc2-signature",
        "Does the FC 3.0 gateway take the signature of fc2?",
        "The first refusal makes the instance use the FC 3.0 SDK.",
        "aliyun/fc.py:FcInvoker",
    ),
    _unasked(
        "copy-limit",
        "Does CopyObject move up to 5 GB, or 1 GB?",
        "A refusal for the size makes the copy go on in parts.",
        "it takes an object of more than 1 GB",
        "copying/simple.py:SimpleCopy",
    ),
    _unasked(
        "event-key",
        "Is the key in the event of an OSS trigger URL-encoded?",
        "Both readings are looked for; the ETag of the event decides.",
        "it takes a trigger: put `a%20b+c` under the watched prefix, and see that it is copied",
        "events/oss.py:copies_of",
        "copying/start.py:_find_reading",
    ),
    _unasked(
        "cloud-event",
        "Does an event through EventBridge hold bucket and object in `data`, or in `data.oss`?",
        "Both are read.",
        "it takes a bus and a rule",
        "events/eventbridge.py:_object_in",
    ),
    _unasked(
        "late-effects",
        "How long after a time-out may a request still take effect?",
        "Records are deleted only after a settle time that is longer than any request.",
        "nobody can wait for what may not happen",
        "plan/timing.py:settle_time",
    ),
    _unasked(
        "task-id-retention",
        "How long does FC remember a task id?",
        "Chains are kept apart by generations and records too.",
        "it takes days",
        "plan/keys.py:task_id",
    ),
    _unasked(
        "retry-count",
        "Does the context of the Python 3.12 runtime show the number of retries?",
        "Where it does not, the event's own record tells that it has begun before.",
        "only the function sees it: `retryCount` in its log",
        "aliyun/fc_context.py:read_context",
    ),
    _unasked(
        "list-triggers",
        "May a function's role list its triggers?",
        "Where it may not, the check says which lines it could not judge.",
        "only the function's role can tell: `oss-copy check`",
        "check/run.py:_triggers",
    ),
)
