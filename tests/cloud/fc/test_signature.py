"""Who may invoke: both signature schemes, as the SDKs make them and as nobody should."""

from __future__ import annotations

import time
from collections.abc import Callable

import fc2
import httpx
import pytest
from alibabacloud_tea_openapi.exceptions import ClientException

from tests.cloud.accounts import Accounts, Credentials
from tests.cloud.client import sign_acs3
from tests.cloud.fc.errors import FcError
from tests.cloud.fc.lab import Lab
from tests.cloud.fc.signature import Signed, Verifier

ECHO = "def handler(event, context): return event"


@pytest.fixture
def echo(lab: Lab) -> Lab:
    lab.deploy(ECHO)
    return lab


def test_fc2_is_let_in_on_the_fc_2_path(echo: Lab) -> None:
    assert echo.fc2().invoke_function("svc", "fn", b"1").data == b"1"


def test_fc2_is_let_in_on_the_fc_3_path(echo: Lab) -> None:
    assert _post_fc3(echo).data == b"1"


def test_the_native_sdk_is_let_in(echo: Lab) -> None:
    answer = echo.invoke_native(b"1")
    assert (answer.status_code, answer.body.read()) == (200, b"1")


def test_temporary_credentials_are_let_in_with_their_token(echo: Lab) -> None:
    temporary = echo.accounts.issue("acs:ram::1:role/r")
    assert echo.fc2(temporary).invoke_function("svc", "fn", b"1").data == b"1"
    assert echo.invoke_native(b"1", temporary).body.read() == b"1"


def _without_token(lab: Lab) -> Credentials:
    temporary = lab.accounts.issue("acs:ram::1:role/r")
    return Credentials(temporary.access_key_id, temporary.access_key_secret, "")


def _expired(lab: Lab) -> Credentials:
    return lab.accounts.issue("acs:ram::1:role/r", seconds=-1)


def _wrong_secret(lab: Lab) -> Credentials:
    return Credentials(lab.accounts.owner.access_key_id, "wrong", "")


def _unknown(_: Lab) -> Credentials:
    return Credentials("LTAIunknown", "secret", "")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (_without_token, "InvalidSecurityToken"),
        (_expired, "InvalidSecurityToken"),
        (_wrong_secret, "SignatureNotMatch"),
        (_unknown, "InvalidAccessKeyID"),
    ],
)
def test_bad_credentials_are_refused_with_403_in_both_schemes(
    echo: Lab, make: Callable[[Lab], Credentials], code: str
) -> None:
    with pytest.raises(fc2.fc_exceptions.FcError) as old:
        echo.fc2(make(echo)).invoke_function("svc", "fn", b"1")
    assert (old.value.status_code, old.value.err_code) == (403, code)
    with pytest.raises(ClientException) as new:
        echo.invoke_native(b"1", make(echo))
    assert (new.value.status_code, new.value.code) == (403, code)
    assert not echo.invocations


def test_a_gateway_that_knows_only_acs3_refuses_fc2_on_the_fc_3_path_alone(echo: Lab) -> None:
    echo.host.refuse_fc_signature = True
    with pytest.raises(fc2.fc_exceptions.FcError) as refused:
        _post_fc3(echo)
    assert refused.value.status_code == 403
    assert "SignatureNotMatch" in str(refused.value)
    assert echo.invoke(b"1").data == b"1"
    assert echo.invoke_native(b"1").status_code == 200


def test_an_unsigned_request_is_refused(echo: Lab) -> None:
    answer = httpx.post(f"{echo.url}/2023-03-30/functions/fn/invocations")
    assert answer.status_code == 400
    assert answer.json()["Code"] == "MissingRequiredHeader"


def test_a_body_other_than_the_signed_one_is_refused() -> None:
    accounts = Accounts()
    headers = sign_acs3("POST", "http://h/p", {}, b"", accounts.owner) | {"x-acs-content-sha256": "0" * 64}
    with pytest.raises(FcError, match="SignatureNotMatch"):
        Verifier(accounts).verify(Signed("POST", "/p", "", headers, b"other"))


def test_another_query_than_the_signed_one_is_refused() -> None:
    accounts = Accounts()
    headers = sign_acs3("POST", "http://h/p?a=1", {}, b"", accounts.owner)
    Verifier(accounts).verify(Signed("POST", "/p", "a=1", headers, b""))
    with pytest.raises(FcError, match="SignatureNotMatch"):
        Verifier(accounts).verify(Signed("POST", "/p", "a=2", headers, b""))


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_signature_is_good_for_fifteen_minutes(hours: int) -> None:
    accounts = Accounts()
    headers = sign_acs3("POST", "http://h/p", {}, b"", accounts.owner)
    with pytest.raises(FcError, match="AccessDenied"):
        Verifier(accounts, lambda: time.time() + hours * 3600).verify(Signed("POST", "/p", "", headers, b""))


def _fc_headers(accounts: Accounts, **more: str) -> dict[str, str]:
    owner = accounts.owner
    client = fc2.Client(
        endpoint="http://h", accessKeyID=owner.access_key_id, accessKeySecret=owner.access_key_secret
    )
    headers: dict[str, str] = client._build_common_headers("POST", "/p q", more)  # noqa: SLF001 - there is no public way to it
    return headers


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"x-fc-invocation-type": "Async"}, "/p%20q"),
        ({"content-type": "text/plain"}, "/p%20q"),
        ({"content-md5": "x"}, "/p%20q"),
        ({}, "/other"),
    ],
)
def test_what_fc2_has_signed_cannot_be_changed(change: dict[str, str], path: str) -> None:
    accounts = Accounts()
    headers = _fc_headers(accounts)
    verifier = Verifier(accounts)
    assert verifier.verify(Signed("POST", "/p%20q", "", headers, b"any")) == accounts.owner
    with pytest.raises(FcError, match="SignatureNotMatch"):
        verifier.verify(Signed("POST", path, "", headers | change, b"any"))


@pytest.mark.parametrize("hours", [-1, 1])
def test_the_date_of_an_fc2_request_is_good_for_fifteen_minutes(hours: int) -> None:
    accounts = Accounts()
    verifier = Verifier(accounts, lambda: time.time() + hours * 3600)
    with pytest.raises(FcError, match="AccessDenied"):
        verifier.verify(Signed("POST", "/p%20q", "", _fc_headers(accounts), b""))


def _post_fc3(lab: Lab) -> fc2.client.FcHttpResponse:
    """fc2 on the path of FC 3.0: it signs the decoded path, without the query."""
    client = lab.fc2(version="2023-03-30")
    path = "/2023-03-30/functions/fn/invocations"
    headers = client._build_common_headers("POST", path, {})  # noqa: SLF001 - there is no public way
    answer = client._do_request("POST", path, headers, body=b"1")  # noqa: SLF001 - there is no public way to it
    return fc2.client.FcHttpResponse(answer.headers, answer.content)
