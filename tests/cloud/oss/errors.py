"""Every error the OSS server answers: code → status, EC and message, in one table.

Codes, statuses and messages as documented by OSS ("Error responses" of each operation, "EC error codes").
The ECs of NoSuchUpload, NoSuchKey and the signing region are asserted by Alibaba's SDK tests, others may
differ in the digits.
"""

from __future__ import annotations

import base64
from typing import NamedTuple
from xml.sax.saxutils import escape


class Meaning(NamedTuple):
    status: int
    ec: str
    message: str


TABLE: dict[str, Meaning] = {
    "AccessDenied": Meaning(
        403, "0003-00000001", "You have no right to access this object because of bucket acl."
    ),
    "BadRequest": Meaning(400, "0002-00000227", "The request is not valid."),
    "BucketAlreadyExists": Meaning(
        409,
        "0015-00000104",
        "The requested bucket name is not available. The bucket namespace is shared by all users of the "
        "system. Please select a different name and try again.",
    ),
    "BucketNotEmpty": Meaning(409, "0015-00000301", "The bucket has objects. Please delete them first."),
    "EntityTooLarge": Meaning(400, "0016-00000501", "Your proposed upload exceeds the maximum allowed size."),
    "EntityTooSmall": Meaning(
        400, "0042-00000205", "Your proposed upload is smaller than the minimum allowed size."
    ),
    "FileAlreadyExists": Meaning(
        409, "0026-00000005", "The object you specified already exists and can not be overwritten."
    ),
    "FileImmutable": Meaning(409, "0055-00000001", "The object you specified is immutable."),
    "InternalError": Meaning(500, "0001-00000001", "We encountered an internal error. Please try again."),
    "InvalidAccessKeyId": Meaning(
        403, "0002-00000902", "The OSS Access Key Id you provided does not exist in our records."
    ),
    "InvalidArgument": Meaning(400, "0002-00000223", "The argument you provided is invalid."),
    "InvalidBucketName": Meaning(400, "0015-00000001", "The specified bucket is not valid."),
    "InvalidDigest": Meaning(400, "0016-00000503", "The Content-MD5 you specified was invalid."),
    "InvalidEncryptionAlgorithmError": Meaning(
        400,
        "0016-00000301",
        "The Encryption request you specified is not valid. Supported value: AES256/KMS/SM4.",
    ),
    "InvalidObjectName": Meaning(400, "0026-00000101", "The specified object is not valid."),
    "InvalidObjectState": Meaning(403, "0017-00000804", "The operation is not valid for the object's state"),
    "InvalidPart": Meaning(
        400,
        "0042-00000202",
        "One or more of the specified parts could not be found or the specified entity tag might not have "
        "matched the part's entity tag.",
    ),
    "InvalidPartOrder": Meaning(
        400,
        "0042-00000204",
        "The list of parts was not in ascending order. Parts list must specified in order by part number.",
    ),
    "InvalidPolicyDocument": Meaning(400, "0007-00000101", "The policy of the form is not valid."),
    "InvalidRange": Meaning(416, "0017-00000901", "The requested range cannot be satisfied"),
    "InvalidRequest": Meaning(400, "0031-00000202", "The request is not valid."),
    "InvalidSecurityToken": Meaning(403, "0002-00000904", "The security token you provided is invalid."),
    "InvalidStorageClass": Meaning(400, "0016-00000401", "The storage class you specified is invalid."),
    "InvalidTag": Meaning(400, "0037-00000001", "The tag provided is invalid."),
    "InvalidTargetType": Meaning(400, "0018-00000403", "The symbolic's target file type is invalid."),
    "InvalidWORMConfiguration": Meaning(400, "0055-00000302", "The worm configuration is invalid."),
    "KmsServiceNotEnabled": Meaning(403, "0043-00000001", "KMS service is not enabled."),
    "MalformedXML": Meaning(
        400,
        "0002-00000307",
        "The XML you provided was not well-formed or did not validate against our published schema.",
    ),
    "MethodNotAllowed": Meaning(
        405, "0002-00000226", "The specified method is not allowed against this resource."
    ),
    "MissingArgument": Meaning(411, "0002-00000224", "A required argument is missing."),
    "MissingContentLength": Meaning(411, "0002-00000225", "You must provide the Content-Length HTTP header."),
    "NoSuchBucket": Meaning(404, "0015-00000101", "The specified bucket does not exist."),
    "NoSuchKey": Meaning(404, "0026-00000001", "The specified key does not exist."),
    "NoSuchLifecycle": Meaning(404, "0031-00000201", "No Row found in Lifecycle Table."),
    "NoSuchServerSideEncryptionRule": Meaning(
        404, "0043-00000201", "The server side encryption configuration does not exist."
    ),
    "NoSuchUpload": Meaning(
        404,
        "0042-00000002",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
        "aborted or completed.",
    ),
    "NoSuchVersion": Meaning(404, "0026-00000021", "The specified version does not exist."),
    "NoSuchWORMConfiguration": Meaning(404, "0055-00000201", "The worm configuration does not exist."),
    "NotImplemented": Meaning(
        501, "0002-00000301", "A header or query you provided implies functionality that is not implemented."
    ),
    "NotModified": Meaning(304, "0026-00000002", "Not Modified"),
    "NotSymlink": Meaning(400, "0026-00000010", "The object is not symlink object"),
    "ObjectNotAppendable": Meaning(409, "0026-00000207", "The object is not appendable"),
    "OperationNotSupported": Meaning(
        400, "0016-00000701", "The operation is not supported for this resource"
    ),
    "PartNotSequential": Meaning(
        400,
        "0042-00000106",
        "For sequential multipart upload, you must upload or complete parts sequentially.",
    ),
    "PositionNotEqualToLength": Meaning(409, "0026-00000208", "Position is not equal to file length"),
    "PreconditionFailed": Meaning(
        412, "0026-00000003", "At least one of the pre-conditions you specified did not hold."
    ),
    "RequestTimeTooSkewed": Meaning(
        403, "0002-00000504", "The difference between the request time and the current time is too large."
    ),
    "RestoreAlreadyInProgress": Meaning(409, "0016-00000703", "The restore operation is in progress."),
    "SecurityTokenExpired": Meaning(403, "0002-00000903", "The security token you provided has expired."),
    "SignatureDoesNotMatch": Meaning(
        403,
        "0002-00000040",
        "The request signature we calculated does not match the signature you provided. Check your key and "
        "signing method.",
    ),
    "SymlinkTargetNotExist": Meaning(404, "0026-00000011", "The symlink target object does not exist"),
    "TooManyBuckets": Meaning(
        400, "0015-00000401", "You have attempted to create more buckets than allowed."
    ),
    "WORMConfigurationLocked": Meaning(403, "0055-00000301", "The worm configuration is locked."),
    # throttling: never raised by an operation, struck by the weather
    "ActiveRequestLimitExceeded": Meaning(503, "0050-00000105", "Active request limit exceeded."),
    "DownloadTrafficRateLimitExceeded": Meaning(
        503, "0050-00000103", "Download traffic rate limit exceeded."
    ),
    "QpsLimitExceeded": Meaning(503, "0050-00000102", "Qps limit exceeded."),
    "RequestTimeout": Meaning(
        400, "0016-00000801", "Your socket connection to the server was not read from or written to in time."
    ),
    "ServiceUnavailable": Meaning(503, "0001-00000003", "Please reduce your request rate."),
    "TotalQpsLimitExceeded": Meaning(503, "0050-00000101", "Total qps limit exceeded."),
    "UploadTrafficRateLimitExceeded": Meaning(503, "0050-00000104", "Upload traffic rate limit exceeded."),
}

# "How long to wait" comes with the throttles that a bucket's or account's own quota causes.
QOS_DELAY = {
    "TotalQpsLimitExceeded",
    "QpsLimitExceeded",
    "DownloadTrafficRateLimitExceeded",
    "UploadTrafficRateLimitExceeded",
}

# Where the EC tells the operation (asserted by Alibaba's SDK tests).
OF_OPERATION = {
    ("NoSuchUpload", "UploadPart"): "0042-00000104",
    ("NoSuchUpload", "UploadPartCopy"): "0042-00000311",
    ("NoSuchUpload", "CompleteMultipartUpload"): "0042-00000203",
}


# XML cannot hold control characters, not even escaped
_UNPRINTABLE = dict.fromkeys([*range(9), 11, 12, *range(14, 32)], "\ufffd")


class OssError(Exception):
    """Answered to the client as it is: `details` become elements of the XML, `headers` headers."""

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        ec: str | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        **details: str | int,
    ) -> None:
        super().__init__(code)
        meaning = TABLE.get(code) or Meaning(400, "0002-00000999", code)
        self.code = code
        self.status = meaning.status
        self.message = message or meaning.message
        self.ec = ec
        self.headers = headers
        self.details = details

    def ec_in(self, operation: str) -> str:
        """The EC, which may depend on the operation that failed."""
        meaning = TABLE.get(self.code)
        return (
            self.ec
            or OF_OPERATION.get((self.code, operation))
            or (meaning.ec if meaning else "0002-00000999")
        )

    def document(self, request_id: str, host: str, ec: str) -> bytes:
        """The XML body."""
        elements = {"Code": self.code, "Message": self.message, "RequestId": request_id, "HostId": host}
        elements |= {name: str(value) for name, value in self.details.items()}
        elements |= {"EC": ec, "RecommendDoc": f"https://api.aliyun.com/troubleshoot?q={ec}"}
        lines = "".join(
            f"  <{name}>{escape(value.translate(_UNPRINTABLE))}</{name}>\n"
            for name, value in elements.items()
        )
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n{lines}</Error>\n'.encode()


def in_header(document: bytes) -> bytes:
    """What stands in `x-oss-err` where a body cannot: HEAD."""
    return base64.b64encode(document)
