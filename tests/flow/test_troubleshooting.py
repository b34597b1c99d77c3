"""Every error of OSS says in the result what it means and what to do, and has its row in ERRORS.md."""

from __future__ import annotations

from typing import Any

import pytest

from osscopy.aliyun.oss_errors import ADVICE
from tests.cloud.client import LocalCloud
from tests.flow import documents
from tests.flow.conftest import exists, open_uploads, request_of

FINAL = {
    "CopyObject": (
        "NoSuchBucket",
        "AccessDenied",
        "FileImmutable",
        "FileAlreadyExists",
        "InvalidObjectState",
        "EntityTooLarge",
        "OperationNotSupported",
        "InvalidArgument",
        "InvalidTag",
        "InvalidStorageClass",
        "InvalidObjectName",
        "KmsServiceNotEnabled",
        "InvalidEncryptionAlgorithmError",
        "SignatureDoesNotMatch",
    ),
    "HeadObject": ("NoSuchKey", "NoSuchVersion", "PreconditionFailed"),
    "CompleteMultipartUpload": ("EntityTooSmall", "InvalidPartOrder", "FileImmutable", "FileAlreadyExists"),
    "UploadPartCopy": ("OperationNotSupported", "InvalidArgument", "AccessDenied", "InvalidObjectState"),
    "InitiateMultipartUpload": ("KmsServiceNotEnabled", "InvalidTag", "AccessDenied"),
}
PASSING = (
    "TotalQpsLimitExceeded",
    "QpsLimitExceeded",
    "DownloadTrafficRateLimitExceeded",
    "UploadTrafficRateLimitExceeded",
    "ActiveRequestLimitExceeded",
    "ServiceUnavailable",
    "InternalError",
    "RequestTimeTooSkewed",
    "InvalidAccessKeyId",
    "InvalidSecurityToken",
    "SecurityTokenExpired",
)


@pytest.mark.parametrize(
    ("operation", "code"), [(operation, code) for operation, codes in FINAL.items() for code in codes]
)
def test_a_refusal_of_oss_says_what_to_do(
    cloud: LocalCloud, source: Any, destination: Any, key: str, operation: str, code: str
) -> None:
    source.put_object(key, b"x")
    cloud.conditions([{"operation": operation, "error": code, "key": key}])
    method = "simple" if operation in {"CopyObject", "HeadObject"} else "multipart"
    result = cloud.invoke(request_of(key, tuning={"method": method}))
    cloud.conditions()
    assert (result["status"], result["error"]["code"]) == ("failed", code), result
    assert ADVICE[code] in result["error"]["message"]
    assert len(result["error"]["requestId"]) == 24
    assert not exists(destination, key)
    assert open_uploads(destination, key) == []


@pytest.mark.parametrize("code", PASSING)
def test_what_passes_and_yet_lasts_is_told_with_what_to_do(cloud: LocalCloud, key: str, code: str) -> None:
    cloud.conditions([{"operation": "HeadObject", "error": code, "key": key}])
    answer = cloud.http("POST", "/copies", json_body=request_of(key))
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == code
    assert ADVICE[code] in answer.json()["error"]["message"]


def test_a_part_list_that_is_refused_again_and_again_ends_the_copy(
    cloud: LocalCloud, source: Any, destination: Any, key: str
) -> None:
    source.put_object(key, b"x")
    cloud.conditions([{"operation": "CompleteMultipartUpload", "error": "InvalidPart", "key": key}])
    result = cloud.invoke(request_of(key, tuning={"method": "multipart"}))
    assert (result["status"], result["error"]["code"]) == ("failed", "InvalidPart"), result
    assert open_uploads(destination, key) == []


def test_every_code_has_a_row_in_the_document() -> None:
    section = documents.read(documents.ERRORS)
    cells = {row.split("|")[1] for row in section.splitlines() if row.startswith("| `")}
    told = {code.strip("` ") for cell in cells for code in cell.split(",")}
    wanted = (set(ADVICE) - {"OtherRegion", "RequesterPays", "ForbiddenByKms"}) | {
        "InvalidPart",
        "NotModified",
        "DestinationChanged",
        "NetworkError",
    }
    assert wanted <= told
