"""Every error of OSS says in the result what it means and what to do, and has its row in ERRORS.md."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

from osscopy.aliyun.oss_errors import ADVICE
from osscopy.web.responses import STATUS
from tests.cloud.client import ROOT, LocalCloud
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
GIVEN = {"Refused", "Failed", "Transient", "Misconfigured", "Skipped", "Problem"}
GIVEN |= {"Conflict", "SourceChanged", "End"}
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


def told_codes() -> list[str]:
    """The codes in the first cells of ERRORS.md."""
    return [
        code for row in documents.rows(documents.read(documents.ERRORS)) for code in documents.spans(row[0])
    ]


def given_codes() -> set[str]:
    """The codes that the product gives to errors of its own; those of the check stay inside it."""
    found: set[str] = set(STATUS)
    for path in (ROOT / "functions/oss_copy/osscopy").rglob("*.py"):
        if path.parent.name == "check":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in GIVEN:
                words = [str(each.value) for each in node.args[:2] if isinstance(each, ast.Constant)]
                found |= {each for each in words if re.fullmatch(r"[A-Z][A-Za-z]+", each)}
    return found


def test_every_code_that_the_product_gives_has_one_row_in_the_document() -> None:
    codes = told_codes()
    assert len(codes) == len(set(codes))
    given = given_codes()
    assert len(given) > 80
    assert given - set(codes) == set()


def test_every_code_has_a_row_in_the_document() -> None:
    told = set(told_codes())
    wanted = (set(ADVICE) - {"OtherRegion", "RequesterPays", "ForbiddenByKms"}) | {
        "InvalidPart",
        "NotModified",
        "DestinationChanged",
        "NetworkError",
    }
    assert wanted <= told
