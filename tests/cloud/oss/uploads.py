"""Finding uploads and parts: what the multipart operations share."""

from __future__ import annotations

from .errors import OssError
from .protocol import Call
from .state import Bucket, Upload

MOST_PARTS = 10_000


def find_upload(bucket: Bucket, call: Call) -> Upload:
    """The upload named by `uploadId`; it belongs to one key."""
    upload = bucket.uploads.get(call.params.get("uploadId", ""))
    if upload is None or upload.key != call.key:
        raise OssError("NoSuchUpload", UploadId=call.params.get("uploadId", ""))
    return upload


def check_part_number(call: Call) -> int:
    value = call.params.get("partNumber", "")
    if not value.isdecimal() or not 1 <= int(value) <= MOST_PARTS:
        message = f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive."
        raise OssError("InvalidArgument", message, ArgumentName="partNumber", ArgumentValue=value)
    return int(value)
