"""Who signed a request: signatures V1 and V4, in headers or in the URL, with access keys or STS tokens.

Rules: OSS documentation "Include a signature in the Authorization header" and "Include a signature in a URL",
for V1 and V4. It must not know what is asked for, nor whether it is allowed.
"""

from __future__ import annotations

import base64
import calendar
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote

from tests.cloud.accounts import Accounts, Credentials

from .errors import OssError
from .protocol import Request, iso, read_date, text

SKEW = 15 * 60  # seconds a request's date may be off
_LONGEST = 7 * 24 * 3600  # of a V4 URL
# Query parameters that V1 signs (documentation of V1, and what the SDKs sign: `seal` and the like by SDK v2).
_SIGNED_V1 = frozenset({
    "accessPoint", "accessPointPolicy", "acl", "append", "asyncFetch", "bucketArchiveDirectRead",
    "bucketInfo", "callback", "callback-var", "cleanRestoredObject", "cloudboxes", "cname", "comp",
    "continuation-token", "cors", "delete", "encryption", "endTime", "group", "httpsConfig", "inventory",
    "inventoryId", "lifecycle", "link", "live", "location", "logging", "metaQuery", "objectInfo",
    "objectMeta", "partNumber", "policy", "policyStatus", "position", "processConf", "publicAccessBlock",
    "qos", "qosInfo", "qosRequester", "redundancyTransition", "referer", "regionList", "replication",
    "replicationLocation", "replicationProgress", "requesterQosInfo", "requestPayment", "resourceGroup",
    "resourcePool", "resourcePoolBuckets", "resourcePoolInfo", "response-cache-control",
    "response-content-disposition", "response-content-encoding", "response-content-language",
    "response-content-type", "response-expires", "restore", "rtc", "seal", "security-token",
    "sequential", "startTime", "stat", "status", "style", "styleName", "symlink", "tagging",
    "transferAcceleration", "uploadId", "uploads", "versionId", "versioning", "versions", "vod",
    "website", "worm", "wormExtend", "wormId", "x-oss-ac-forward-allow", "x-oss-ac-source-ip",
    "x-oss-ac-subnet-mask", "x-oss-ac-vpc-id", "x-oss-access-point-name", "x-oss-async-process",
    "x-oss-process", "x-oss-redundancy-transition-taskid", "x-oss-request-payer",
    "x-oss-target-redundancy-type", "x-oss-traffic-limit", "x-oss-write-get-object-response",
})  # fmt: skip
_V1 = re.compile(r"^OSS ([^:]+):(\S+)$")
_V4_FIELD = re.compile(r"(Credential|AdditionalHeaders|Signature)=([^,\s]+)")
_V4_DATE = "%Y%m%dT%H%M%SZ"
_HEADER = "Authorization header"
_ALWAYS_SIGNED = (b"content-type", b"content-md5")


class Signatures:
    """Checks signatures against the accounts. `regions` are those whose names a V4 scope may carry."""

    def __init__(self, accounts: Accounts, clock: Callable[[], float] = time.time) -> None:
        self._accounts = accounts
        self._clock = clock

    def check(
        self, request: Request, regions: tuple[str, ...], readings: frozenset[str] = frozenset()
    ) -> Credentials | None:
        """The credentials that signed `request`; None if nobody did."""
        authorization = request.headers.get(b"authorization")
        params = request.params
        if authorization is not None:
            value = text(authorization)
            if value.startswith("OSS4-HMAC-SHA256 "):
                return self._header_v4(request, value, regions, readings)
            match = _V1.match(value)
            if match:
                return self._header_v1(request, match[1], match[2], readings)
            if value.startswith("OSS2 "):
                raise OssError("NotImplemented", "Signature version 2 is not implemented.")
            raise OssError("InvalidArgument", "Authorization header is invalid.")
        if "x-oss-signature-version" in params or "x-oss-signature" in params:
            if params.get("x-oss-signature-version") != "OSS4-HMAC-SHA256":
                raise OssError("NotImplemented", "Signature version 2 is not implemented.")
            return self._url_v4(request, regions, readings)
        if "Signature" in params or "OSSAccessKeyId" in params:
            return self._url_v1(request, readings)
        return None

    # -- V1 ------------------------------------------------------------------------------------------------

    def _header_v1(
        self, request: Request, access_key_id: str, signature: str, readings: frozenset[str]
    ) -> Credentials:
        headers = request.headers
        date = headers.get(b"x-oss-date") or headers.get(b"date", b"")
        self._check_date(read_date(text(date)))
        credentials = self._find(access_key_id, text(headers.get(b"x-oss-security-token", b"")), readings)
        self._compare(credentials, _sign_v1(request, date, credentials), signature)
        return credentials

    def _url_v1(self, request: Request, readings: frozenset[str]) -> Credentials:
        params = request.params
        expires = params.get("Expires", "")
        if not expires.isdecimal() or "Signature" not in params or "OSSAccessKeyId" not in params:
            raise OssError("AccessDenied", "Query-string authentication requires the Signature, Expires and "
                           "OSSAccessKeyId parameters", ec="0002-00000069")  # fmt: skip
        credentials = self._find(params["OSSAccessKeyId"], params.get("security-token", ""), readings)
        if int(expires) < self._clock():
            raise OssError("AccessDenied", "Request has expired.", ec="0002-00000069", Expires=expires)
        signature = params["Signature"]
        self._compare(credentials, _sign_v1(request, expires.encode(), credentials), signature)
        return credentials

    # -- V4 ------------------------------------------------------------------------------------------------

    def _header_v4(
        self, request: Request, authorization: str, regions: tuple[str, ...], readings: frozenset[str]
    ) -> Credentials:
        fields = dict(_V4_FIELD.findall(authorization))
        if "Credential" not in fields or "Signature" not in fields:
            raise OssError("InvalidArgument", "Authorization header is invalid.")
        headers = request.headers
        stamp = headers.get(b"x-oss-date")
        when = _v4_time(text(stamp)) if stamp else read_date(text(headers.get(b"date", b"")))
        self._check_date(when)
        assert when is not None  # _check_date refuses a missing date
        access_key_id, scope = _scope(fields["Credential"], when, regions, _HEADER)
        credentials = self._find(access_key_id, text(headers.get(b"x-oss-security-token", b"")), readings)
        payload = headers.get(b"x-oss-content-sha256", b"")
        if payload != b"UNSIGNED-PAYLOAD":
            raise OssError("InvalidArgument", "x-oss-content-sha256 must be UNSIGNED-PAYLOAD.")
        additional = fields.get("AdditionalHeaders", "").lower()
        # without x-oss-date the raw text of Date is signed (ossutil does so)
        told = None if stamp else text(headers.get(b"date", b""))
        expected = _sign_v4(request, credentials, when, scope, additional, told)
        self._compare(credentials, expected, fields["Signature"])
        return credentials

    def _url_v4(self, request: Request, regions: tuple[str, ...], readings: frozenset[str]) -> Credentials:
        params = request.params
        try:
            when = _v4_time(params["x-oss-date"])
            expires = int(params["x-oss-expires"])
            credential, signature = params["x-oss-credential"], params["x-oss-signature"]
        except (KeyError, ValueError):
            when, expires, credential, signature = None, 0, "", ""
        if when is None or not 0 < expires <= _LONGEST:
            raise OssError("InvalidArgument", "Invalid query-string authentication parameters.")
        access_key_id, scope = _scope(credential, when, regions, "query parameters")
        credentials = self._find(access_key_id, params.get("x-oss-security-token", ""), readings)
        if when > self._clock() + SKEW:
            raise OssError("AccessDenied", "Request is not valid yet.", ec="0002-00000069")
        if when + expires < self._clock():
            raise OssError("AccessDenied", "Request has expired.", ec="0002-00000069")
        additional = params.get("x-oss-additional-headers", "").lower()
        missing = [name for name in additional.split(";") if name and name.encode() not in request.headers]
        if missing and "url-missing-header" not in readings:
            raise OssError("InvalidArgument", f"Signed headers are missing: {'; '.join(missing)}.")
        self._compare(credentials, _sign_v4(request, credentials, when, scope, additional), signature)
        return credentials

    # -- both ----------------------------------------------------------------------------------------------

    def _check_date(self, when: float | None) -> None:
        if when is None:
            raise OssError("AccessDenied", "OSS authentication requires a valid Date.", ec="0002-00000502")
        if abs(when - self._clock()) > SKEW:
            raise OssError(
                "RequestTimeTooSkewed",
                MaxAllowedSkewMilliseconds=SKEW * 1000,
                RequestTime=iso(when),
                ServerTime=iso(self._clock()),
            )

    def _find(self, access_key_id: str, token: str, readings: frozenset[str]) -> Credentials:
        credentials = self._accounts.find(access_key_id)
        if (
            credentials is not None
            and token
            and not credentials.security_token
            and "foreign-token" in readings
        ):
            raise OssError("InvalidSecurityToken")
        if credentials is None or bool(credentials.security_token) != bool(token):
            raise OssError("InvalidAccessKeyId", OSSAccessKeyId=access_key_id)
        if token != (credentials.security_token or ""):
            raise OssError("InvalidSecurityToken")
        if credentials.expires is not None and credentials.expires <= self._clock():
            raise OssError("SecurityTokenExpired")
        return credentials

    def _compare(self, credentials: Credentials, expected: str, signature: str) -> None:
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise OssError(
                "SignatureDoesNotMatch",
                OSSAccessKeyId=credentials.access_key_id,
                SignatureProvided=signature,
            )


def _sign_v1(request: Request, date: bytes, credentials: Credentials) -> str:
    headers = request.headers
    own = sorted(item for item in headers.items() if item[0].startswith(b"x-oss-"))
    resource = f"/{request.bucket}/{request.key}" if request.bucket else "/"
    signed = sorted(item for item in request.params.items() if item[0] in _SIGNED_V1)
    if signed:
        resource += "?" + "&".join(f"{name}={value}" if value else name for name, value in signed)
    lines = [
        request.method.encode(),
        headers.get(b"content-md5", b""),
        headers.get(b"content-type", b""),
        date,
        b"".join(name + b":" + value.strip() + b"\n" for name, value in own) + resource.encode(),
    ]
    digest = hmac.digest(credentials.access_key_secret.encode(), b"\n".join(lines), "sha1")
    return base64.b64encode(digest).decode()


def _sign_v4(
    request: Request,
    credentials: Credentials,
    when: float,
    scope: str,
    additional: str,
    told: str | None = None,
) -> str:
    """The signature of a request; `told` is its date as it stands there, if not in OSS's own form."""
    path = f"/{request.bucket}/{request.key}" if request.bucket else "/"
    params = sorted(
        (_quoted(name), _quoted(value)) for name, value in request.params.items() if name != "x-oss-signature"
    )
    extra = {name.encode() for name in additional.split(";")} if additional else ()
    headers = sorted(
        (name, value)
        for name, value in request.headers.items()
        if name.startswith(b"x-oss-") or name in _ALWAYS_SIGNED or name in extra
    )
    canonical = b"\n".join(
        (
            request.method.encode(),
            quote(path, safe="/").encode(),
            "&".join(f"{name}={value}" if value else name for name, value in params).encode(),
            b"".join(name + b":" + value.strip() + b"\n" for name, value in headers),
            additional.encode(),
            request.headers.get(b"x-oss-content-sha256", b"UNSIGNED-PAYLOAD"),
        )
    )
    stamp = told or _v4_stamp(int(when))
    to_sign = f"OSS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}"
    return hmac.digest(signing_key(credentials.access_key_secret, scope), to_sign.encode(), "sha256").hex()


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    """Percent-encoded; names and upload ids come again and again."""
    return quote(text, safe="")


@lru_cache(maxsize=1024)
def signing_key(secret: str, scope: str) -> bytes:
    """The key V4 derives for `date/region/oss/aliyun_v4_request`."""
    key = b"aliyun_v4" + secret.encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def _scope(credential: str, when: float, regions: tuple[str, ...], where: str) -> tuple[str, str]:
    """The access key id and the rest of `id/date/region/oss/aliyun_v4_request`."""
    access_key_id, _, scope = credential.partition("/")
    steps = scope.split("/")
    if len(steps) != 4 or steps[2:] != ["oss", "aliyun_v4_request"]:
        raise OssError("InvalidArgument", f"Invalid signing product in {where}.", ec="0002-00000227")
    if steps[0] != _v4_stamp(int(when))[:8]:
        raise OssError("InvalidArgument", f"Invalid signing date in {where}.", ec="0002-00000225")
    if steps[1] not in regions:
        message = "The signing region in credential is invalid."
        if where == _HEADER:
            message = "Invalid signing region in Authorization header."
        raise OssError("InvalidArgument", message, ec="0002-00000226")
    return access_key_id, scope


@lru_cache(maxsize=1024)
def _v4_time(stamp: str) -> float | None:
    try:
        return float(calendar.timegm(time.strptime(stamp, _V4_DATE)))
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _v4_stamp(second: int) -> str:
    return time.strftime(_V4_DATE, time.gmtime(second))
