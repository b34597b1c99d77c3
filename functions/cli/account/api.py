"""Asks the function's HTTP trigger for a copy and follows it.

Knows the HTTP API (osscopy/web/openapi.json) and how a trigger of `authType: function` wants requests signed.
It must not know how a copy is shown.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest

from functions.cli.account.credentials import Account
from functions.cli.account.sdk_errors import asking_fc, body_of
from functions.cli.errors import Misused, NoAnswer, ReportedFailure, ServiceRefused

ATTEMPTS = 5  # of one request that fails for the moment
PATIENCE = 60.0  # seconds for one answer: the function answers within 30
_JSON = "application/json"


def read_url(text: str) -> tuple[str, str]:
    """Return bucket and key of oss://bucket/key; the key may be empty."""
    bucket, _, key = text.removeprefix("oss://").partition("/")
    if not text.startswith("oss://") or not bucket:
        raise Misused(f"{text!r} is not of the form oss://bucket/key")
    return bucket, key


def find_trigger(client: Client, function: str, trigger: str) -> str:
    """Return the URL of the function's HTTP trigger, the public one if there is one."""
    with asking_fc(f"trigger {trigger} of {function}"):
        found: models.Trigger = body_of(client.get_trigger, function, trigger)
    web = found.http_trigger
    url = web and (web.url_internet or web.url_intranet)
    if not url:
        raise ServiceRefused(f"trigger {trigger} of {function} has no URL")
    return str(url)


class Api:
    """The HTTP API at one URL."""

    def __init__(self, url: str, account: Account, http: httpx.Client) -> None:
        self._url = url.rstrip("/")
        self._account = account
        self._http = http

    def follow(self, request: Mapping[str, object], pause: float) -> Iterator[dict[str, Any]]:
        """Ask for a copy, and yield its result so far every `pause` seconds; the last one is final.

        Raise ReportedFailure if the copy is refused or fails. The request carries an Idempotency-Key, so that
        asking again after a lost answer joins the same copy.
        """
        key = {"idempotency-key": str(uuid.uuid4())}
        result = self._call("POST", "/copies", request, key)
        yield result
        while result["status"] == "running":
            time.sleep(pause)
            result = self._call("GET", f"/copies/{result['job']}")
            yield result
        if problem := result["error"]:
            raise ReportedFailure(_rendered(problem))
        if result["status"] == "cancelled":
            raise ReportedFailure("the copy was cancelled")

    def _call(
        self,
        method: str,
        path: str,
        content: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return one answer; ask again after a lost or throttled one. Raise ReportedFailure for an error."""
        last = ""
        for attempt in range(ATTEMPTS):
            try:
                sent = {**(headers or {}), **self._authorize(method, path)}
                answer = self._http.request(
                    method, self._url + path, json=content, headers=sent, timeout=PATIENCE
                )
            except httpx.HTTPError as error:
                last = f"{type(error).__name__}: {error}"
                time.sleep(2**attempt * 0.1)
                continue
            if answer.status_code not in {429, 503}:
                return _read(answer)
            last = f"{answer.status_code}: {answer.text[:300]}"
            after = answer.headers.get("retry-after", "")
            time.sleep(int(after) if after.isdecimal() else 2**attempt)
        raise NoAnswer(f"{method} {path}: no answer after {ATTEMPTS} attempts; the last one: {last}")

    def _authorize(self, method: str, path: str) -> dict[str, str]:
        """Return the bearer token of an anonymous trigger if there is one, else an ACS3 signature.

        FC's example for HTTP triggers signs no body: its line for the payload's hash is empty.
        """
        if self._account.api_token:
            return {"authorization": f"Bearer {self._account.api_token}"}
        request = DaraRequest()
        request.method, request.pathname, request.query = method, urlsplit(self._url + path).path, {}
        request.headers = {"x-acs-date": Utils.get_timestamp(), "x-acs-signature-nonce": Utils.get_nonce()}
        if self._account.security_token:
            request.headers["x-acs-security-token"] = self._account.security_token
        signed: dict[str, str] = dict(request.headers)
        signed["authorization"] = Utils.get_authorization(
            request, "ACS3-HMAC-SHA256", "", self._account.access_key_id, self._account.access_key_secret
        )
        return signed


def _read(answer: httpx.Response) -> dict[str, Any]:
    if _JSON not in answer.headers.get("content-type", ""):
        raise ReportedFailure(f"{answer.status_code}: {answer.text[:300]}")
    body: dict[str, Any] = answer.json()
    if answer.is_success:
        return body
    raise ReportedFailure(_rendered(body.get("error", body)))


def _rendered(problem: Mapping[str, Any]) -> str:
    """Return an error of the API, or of FC's gateway, in one line."""
    code = problem.get("code") or problem.get("Code") or "Error"
    message = problem.get("message") or problem.get("Message") or ""
    field = f" (field: {problem['field']})" if problem.get("field") else ""
    request = problem.get("requestId") or problem.get("RequestId")
    return f"{code}: {message}{field}" + (f" [request {request}]" if request else "")
