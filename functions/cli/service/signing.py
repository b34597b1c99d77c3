"""Signs requests to an HTTP trigger of `authType: function`, by ACS3 as FC's example does."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest

from functions.cli.account.credentials import Account


def sign(account: Account, method: str, url: str) -> Mapping[str, str]:
    """Return the headers that sign this request in the name of the account."""
    parts = urlsplit(url)
    request = DaraRequest()
    request.method, request.pathname = method, parts.path
    request.query = dict(parse_qsl(parts.query, keep_blank_values=True))
    request.headers = {"x-acs-date": Utils.get_timestamp(), "x-acs-signature-nonce": Utils.get_nonce()}
    if account.security_token:
        request.headers["x-acs-security-token"] = account.security_token
    signed: dict[str, str] = dict(request.headers)
    signed["authorization"] = Utils.get_authorization(
        request, "ACS3-HMAC-SHA256", "", account.access_key_id, account.access_key_secret
    )
    return signed
