"""Who signed a request: the two signature schemes that FC knows, checked against the local accounts.

It knows nothing of functions. `FC`: the scheme of fc2, over method, content-md5, content-type, date, the
`x-fc-` headers and the decoded path. `ACS3-HMAC-SHA256`: over exactly the headers that SignedHeaders names.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from tests.cloud.accounts import Accounts, Credentials
from tests.cloud.fc import errors

MAX_SKEW = 15 * 60  # seconds a signature is good for (FC: "only valid for 15 minutes")
_ACS3 = re.compile(
    r"ACS3-HMAC-SHA256 Credential=(?P<id>[^,]+),\s*SignedHeaders=(?P<headers>[^,]+),"
    r"\s*Signature=(?P<signature>[0-9a-f]+)\Z"
)
_FC = re.compile(r"FC (?P<id>[^:]+):(?P<signature>[A-Za-z0-9+/=]+)\Z")


class Signed(msgspec.Struct, frozen=True):
    """A request as it came over the wire; header names are lower case."""

    method: str
    raw_path: str  # still percent-encoded, without the query
    query: str
    headers: Mapping[str, str]
    body: bytes


class Verifier:
    def __init__(self, accounts: Accounts, clock: Callable[[], float] = time.time) -> None:
        self._accounts = accounts
        self._clock = clock

    def verify(self, request: Signed, refuse_fc: bool = False) -> Credentials:
        """The credentials that signed this request; FcError 400 or 403 if nobody did.

        `refuse_fc` refuses the `FC` scheme as a gateway does that only knows ACS3.
        """
        authorization = request.headers.get("authorization")
        if not authorization:
            raise errors.missing_header("authorization")
        if match := _FC.match(authorization):
            if refuse_fc:
                raise errors.signature_not_match()
            return self._verify_fc(request, match["id"], match["signature"])
        if match := _ACS3.match(authorization):
            return self._verify_acs3(request, match["id"], match["headers"].split(";"), match["signature"])
        raise errors.invalid_argument("the authorization header is malformed")

    def _verify_fc(self, request: Signed, access_key_id: str, signature: str) -> Credentials:
        date = request.headers.get("date")
        if not date:
            raise errors.missing_header("date")
        self._check_age(_http_date(date))
        credentials = self._find(access_key_id, request.headers.get("x-fc-security-token"))
        fc_headers = sorted(
            (name, value) for name, value in request.headers.items() if name.startswith("x-fc-")
        )
        string = "\n".join(
            [
                request.method,
                request.headers.get("content-md5", ""),
                request.headers.get("content-type", ""),
                date,
                *(f"{name}:{value}" for name, value in fc_headers),
                unquote(request.raw_path),
            ]
        )
        wanted = base64.b64encode(_hmac(credentials, string)).decode()
        if not hmac.compare_digest(wanted, signature):
            raise errors.signature_not_match()
        return credentials

    def _verify_acs3(
        self, request: Signed, access_key_id: str, signed: Sequence[str], signature: str
    ) -> Credentials:
        date = request.headers.get("x-acs-date")
        if not date:
            raise errors.missing_header("x-acs-date")
        self._check_age(_iso_date(date))
        credentials = self._find(access_key_id, request.headers.get("x-acs-security-token"))
        for name in signed:
            if name not in request.headers:
                raise errors.missing_header(name)
        if not set(signed) >= {name for name in request.headers if name in _MUST_BE_SIGNED}:
            raise errors.signature_not_match()
        if not any(
            hmac.compare_digest(acs3_signature(request, signed, payload, credentials), signature)
            for payload in _payload_hashes(request)
        ):
            raise errors.signature_not_match()
        return credentials

    def _check_age(self, signed_at: float) -> None:
        if abs(self._clock() - signed_at) > MAX_SKEW:
            raise errors.FcError(
                403,
                "AccessDenied",
                "the difference between the request time and the current time is too large",
            )

    def _find(self, access_key_id: str, token: str | None) -> Credentials:
        credentials = self._accounts.find(access_key_id)
        if credentials is None:
            raise errors.unknown_access_key(access_key_id)
        if credentials.expires is not None and credentials.expires <= self._clock():
            raise errors.bad_token("the security token has expired")
        if (credentials.security_token or "") != (token or ""):
            raise errors.bad_token("the security token does not belong to this access key")
        return credentials


_MUST_BE_SIGNED = {"x-acs-date", "x-acs-security-token", "x-acs-content-sha256"}


def acs3_signature(
    request: Signed, signed: Sequence[str], payload_hash: str, credentials: Credentials
) -> str:
    """The ACS3-HMAC-SHA256 signature in lower-case hex over the headers `signed`."""
    pairs = sorted(parse_qsl(request.query, keep_blank_values=True))
    query = "&".join(f"{_encode(name)}={_encode(value)}" for name, value in pairs)
    headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in signed)
    canonical = "\n".join(
        [request.method, request.raw_path or "/", query, headers, ";".join(signed), payload_hash]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return _hmac(credentials, f"ACS3-HMAC-SHA256\n{digest}").hex()


def _payload_hashes(request: Signed) -> tuple[str, ...]:
    """FC's example for HTTP triggers signs an empty payload line; the SDK signs the hash it sends along."""
    actual = hashlib.sha256(request.body).hexdigest()
    claimed = request.headers.get("x-acs-content-sha256")
    if claimed is None:
        return (actual, "")
    if claimed != actual:
        raise errors.signature_not_match()
    return (actual,)


def _hmac(credentials: Credentials, string: str) -> bytes:
    return hmac.new(credentials.access_key_secret.encode(), string.encode(), hashlib.sha256).digest()


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")


def _http_date(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError as exc:
        raise errors.invalid_argument(f"the date header '{text}' is malformed") from exc


def _iso_date(text: str) -> float:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    except ValueError as exc:
        raise errors.invalid_argument(f"the x-acs-date header '{text}' is malformed") from exc
