"""The table from OSS's error codes to our errors, each with a word on what to do.

Knows codes, statuses and messages; no SDK, and not what was asked for: `oss_transport` and `oss_records`
judge the few answers that mean something else for one request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from osscopy.model import Conflict, Failed, OssCopyError, Skipped, Transient, UploadGone

# Expired credentials and skewed clocks are no verdict on the copy: raising lets FC retry with new ones.
_EXPIRED = ("InvalidAccessKeyId", "InvalidSecurityToken", "SecurityTokenExpired")
_PASSING = frozenset({*_EXPIRED, "RequestTimeTooSkewed", "RequestTimeout", "InternalError"})
_QUOTAS = frozenset(  # judged before anything is done
    {
        "TotalQpsLimitExceeded",
        "QpsLimitExceeded",
        "DownloadTrafficRateLimitExceeded",
        "UploadTrafficRateLimitExceeded",
        "ActiveRequestLimitExceeded",
        "SlowDown",
    }
)
_THROTTLED = _QUOTAS | {"ServiceUnavailable"}
_CONFLICTS = frozenset({"FileAlreadyExists", "FileImmutable", "PreconditionFailed"})
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_OTHER_REGION = "reside in the same data center"
_BY_KMS = "forbidden by kms"  # "This request is forbidden by kms" (EC 0003-00000801)
_REQUESTER_PAYS = "requester pay"  # "Access denied for requester pay bucket." (EC 0003-00000702 and -703)

_BUSY = (
    "OSS throttles: it is asked again by itself; if it lasts, lower tuning.parallel or MAX_PARALLEL, "
    "or have the quota raised"
)
_CREDENTIALS = (
    "the function's temporary credentials do not pass: FC gives new ones with the next invocation; if it "
    "lasts, look whether its role still exists"
)
ADVICE = {
    "NoSuchKey": "check bucket, key and versionId of the source",
    "NoSuchVersion": "check the versionId of the source",
    "NoSuchBucket": "check the bucket's name and region",
    "AccessDenied": (
        "grant the function's role the missing action on this bucket (functions/OPERATING.md: The role); a "
        "bucket of another account must grant it to the role in its bucket policy as well"
    ),
    "OtherRegion": "OSS copies within one region only: use buckets of the function's region",
    "ForbiddenByKms": (
        "source or destination is encrypted with KMS: grant the function's role kms:GenerateDataKey and "
        "kms:Decrypt on the key (oss-copy policy --with kms); `encryption` as `bucket` or AES256 does "
        "without the source's key at the destination"
    ),
    "RequesterPays": (
        "the requester pays for what is asked of this bucket: ask with `requestPayer` as true, in a rule too"
    ),
    "FileImmutable": "a retention policy protects the destination: choose another key or wait until it ends",
    "FileAlreadyExists": "the destination exists: choose another key or another `overwrite`",
    "PreconditionFailed": "a condition of the request does not hold",
    "InvalidObjectState": "the source is archived: restore it first, or ask with `archive` as `restore`",
    "EntityTooLarge": "CopyObject does not take this size: leave tuning.method at auto",
    "EntityTooSmall": "OSS found a part too small: leave tuning.partSize out",
    "InvalidArgument": "OSS does not take a value of the request, or not with an object of this type",
    "InvalidPartOrder": "report it: parts are always listed in order",
    "InvalidStorageClass": "choose a storage class that the region has",
    "SymlinkTargetNotExist": "the symlink points to nothing: leave `symlinks` at copy, or mend the link",
    "InvalidTargetType": "the symlink points to a symlink: leave `symlinks` at copy, or name the object",
    "OperationNotSupported": "OSS cannot do this with an object of this type",
    "KmsServiceNotEnabled": "enable KMS in this region or choose AES256 or `bucket`",
    "InvalidEncryptionAlgorithmError": "choose KMS, AES256 or SM4",
    "InvalidObjectName": "OSS does not take this key",
    "InvalidTag": "check the tags: allowed are letters, digits, spaces and + - = . _ : /",
    "SignatureDoesNotMatch": "check OSS_ENDPOINT and the region of the function",
    "RequestTimeTooSkewed": "the function's clock differs from OSS's: it is asked again by another instance",
    "InternalError": "OSS failed: it is asked again; if it lasts, ask Alibaba Cloud with the request id",
    **dict.fromkeys(_EXPIRED, _CREDENTIALS),
    **dict.fromkeys(sorted(_THROTTLED), _BUSY),
}


def cause_of(code: str, message: str) -> str:
    """Return the key of `ADVICE`: the code, or the cause of an AccessDenied that only words tell apart."""
    if _OTHER_REGION in message:
        return "OtherRegion"
    if _BY_KMS in message:
        return "ForbiddenByKms"
    return "RequesterPays" if _REQUESTER_PAYS in message else code


def _pause(given: str) -> float:
    """Return the seconds that OSS asks to wait, 30 at most; it says milliseconds. 0 if it says no number."""
    return min(30.0, float(given) / 1000) if _NUMBER.fullmatch(given) else 0.0


def translate(
    status: int, code: str, message: str, request_id: str, headers: Mapping[str, str]
) -> OssCopyError:
    """Return the error for an OSS answer, with its code and request id and a word on what to do.

    `status` 200 is an error in the body: OSS sends 200 early for what takes long, and may fail later. Like a
    5xx it may come after the effect; then the code alone tells what kind of refusal it is.
    """

    def error(kind: Callable[..., OssCopyError], code: str, text: str, **more: float) -> OssCopyError:
        return kind(code, text, request_id=request_id, status=status, **more)

    in_doubt = (status == 200 or status >= 500) and code not in _QUOTAS
    text = advised(message, ADVICE.get(cause_of(code, message), "")) or f"OSS answered {status}"
    if code == "NoSuchUpload":
        return error(UploadGone, code, message)
    if status in {429, 503} or code in _THROTTLED:
        pause = _pause(headers.get("x-oss-qos-delay-time", ""))
        return error(Transient, code, text, in_doubt=in_doubt, throttled=True, pause=pause)
    if status >= 500 or status == 408 or code in _PASSING:
        return error(Transient, code, text, in_doubt=in_doubt)
    if status == 304 or code == "NotModified":
        return error(Skipped, "NotModified", "the source was not modified")
    return error(Conflict if status in {409, 412} or code in _CONFLICTS else Failed, code, text)


def advised(message: str, advice: str) -> str:
    """Return what a platform says and a word on what to do as one sentence, however the first one ends."""
    return f"{unfinished(message)}: {advice}" if message and advice else message or advice


def unfinished(message: str) -> str:
    """Return `message` without what ends a sentence, so that it can go on."""
    return message.rstrip(" \t\r\n.:;,")
