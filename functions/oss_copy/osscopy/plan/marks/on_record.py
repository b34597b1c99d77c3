"""The checks of what is read back: continuations, and the records of copies.

Asks nothing: what no invocation has written is refused before anything is done for it. Bounds of numbers and
times stand in the types (`model.values`). Here is what one field says of another, and what becomes a part of
a request to OSS.
"""

from __future__ import annotations

import msgspec

from osscopy.model import Continue, Copy, Done, Encrypted, Entered, Opened, Pin, Refused, Upload, Waiting
from osscopy.plan.keys import COPY_JOB, LIST, check_key
from osscopy.plan.parts import MAX_PART, MAX_PARTS, MIN_PART
from osscopy.plan.validate import VERSION_ID, VISIBLE, check_request, check_text

_CODE = "InvalidContinuation"


def check_record(name: str, entry: msgspec.Struct) -> None:
    """Refuse a record that no invocation has written under this name."""
    match entry:
        case Opened():
            check_job(entry.job, "job")
            if name != f"open/{entry.job}":
                raise _invalid("the record of another job", "job")
            check_request(entry.request)
            check_pin(entry.pin, "pin")
        case Entered():
            check_upload(entry.upload, "upload")
        case Done():
            check_request(entry.request)
        case Waiting():
            for copy in entry.copies:
                check_copy(copy, "copies.")


def check_copy(copy: Copy, at: str) -> None:
    """Refuse a copy to begin whose job or one of whose requests is none; `at`: the place of its fields."""
    check_job(copy.job, f"{at}job")
    for each in (copy.request, *copy.alternatives):
        check_request(each)


def check_continue(task: Continue, at: str) -> None:
    """Refuse a hop whose numbers no hop writes, so that the arithmetic of later steps can rely on them."""
    check_job(task.job, f"{at}job")
    if not task.pin.etag:
        raise _invalid("no part is copied of what nobody has seen", f"{at}pin.etag")
    check_pin(task.pin, f"{at}pin")
    upload = task.upload
    check_upload(upload, f"{at}upload")
    if upload.parts != -(-task.pin.size // upload.part_size):
        raise _invalid("parts and sizes do not fit together", f"{at}upload")
    if not 1 <= task.lane <= upload.lanes:
        raise _invalid("no such lane", f"{at}lane")
    if task.hop < 1:
        raise _invalid("numbers start at one", f"{at}hop")
    if not all(1 <= first <= last <= upload.parts for first, last in task.in_flight):
        raise _invalid("no such parts", f"{at}inFlight")
    check_request(task.request)


def check_job(job: str, field: str) -> None:
    """Refuse what is no job of a copy."""
    check_text(COPY_JOB, job, _CODE, field)


def check_list(name: str, field: str) -> None:
    """Refuse what is no name of a list."""
    check_text(LIST, name, _CODE, field)


def check_pin(pin: Pin, field: str) -> None:
    """Refuse a version of a source whose texts are no headers, query or keys."""
    if pin.etag:  # of a source that nobody has seen there is none
        check_text(VISIBLE, pin.etag, _CODE, f"{field}.etag")
    if pin.version_id is not None:
        check_text(VERSION_ID, pin.version_id, _CODE, f"{field}.versionId")
    if pin.via is not None:
        check_key(pin.via, f"{field}.via")
    promised = None if pin.promise is None else pin.promise.encryption
    for encryption in (promised, pin.encryption):
        if encryption is not None:
            _check_encryption(encryption, f"{field}.encryption")


def _check_encryption(encryption: Encrypted, field: str) -> None:
    for text in (encryption.algorithm, encryption.key_id, encryption.data_encryption):
        if text is not None:
            check_text(VISIBLE, text, _CODE, field)


def check_upload(upload: Upload, field: str) -> None:
    """Refuse an upload whose parts OSS would not take."""
    check_text(VISIBLE, upload.id, _CODE, f"{field}.id")
    is_whole = MIN_PART <= upload.part_size <= MAX_PART and 1 <= upload.parts <= MAX_PARTS
    if not (is_whole and 1 <= upload.lanes <= upload.parts):
        raise _invalid("parts and sizes do not fit together", field)


def _invalid(text: str, field: str) -> Refused:
    return Refused(_CODE, text, field=field)
