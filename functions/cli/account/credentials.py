"""Whose account is deployed to: the deployer's credentials, and the clients made of them.

Endpoints are the public ones of the region
unless `FC_CLIENT_CUSTOM_ENDPOINT` (which the `s` tool obeys too) or `OSS_ENDPOINT` names others.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec
import oss2
from alibabacloud_fc20230330.client import Client
from alibabacloud_tea_openapi.utils_models import Config

# By which `s` (3.1.10) takes temporary credentials, too: an alias that is a variable, chosen by `-a`. Of the
# variables AccountID, AccessKeyID and AccessKeySecret it takes no token, and all three of them come first.
TOOL_KEY = "default_serverless_devs_key"
TOOL_PAIR = ("AccessKeyID", "AccessKeySecret")


class Refusal(Exception):
    """A command cannot be carried out; the message says what to do."""


class Account(msgspec.Struct, frozen=True):
    """Credentials and endpoints of one command. Nothing of it is ever printed."""

    access_key_id: str
    access_key_secret: str
    security_token: str | None = None
    api_token: str | None = None  # of an anonymous HTTP trigger
    fc_endpoint: str | None = None
    oss_endpoint: str | None = None

    def fc(self, region: str, account_id: str) -> Client:
        """A client of FC 3.0."""
        endpoint = self.fc_url(region, account_id)
        scheme, _, host = endpoint.rpartition("://")
        config = Config(
            access_key_id=self.access_key_id,
            access_key_secret=self.access_key_secret,
            security_token=self.security_token,
            region_id=region,
            endpoint=host.rstrip("/"),
            protocol=scheme or "https",
        )
        return Client(config)

    def fc_url(self, region: str, account_id: str) -> str:
        """The endpoint of FC."""
        return self.fc_endpoint or f"https://{account_id}.{region}.fc.aliyuncs.com"

    def bucket(self, region: str, name: str) -> oss2.Bucket:
        """A bucket of that region, with V4 signatures."""
        endpoint = self.oss_endpoint or f"https://oss-{region}.aliyuncs.com"
        if self.security_token:
            auth = oss2.StsAuth(
                self.access_key_id, self.access_key_secret, self.security_token, auth_version="v4"
            )
        else:
            auth = oss2.AuthV4(self.access_key_id, self.access_key_secret)
        return oss2.Bucket(auth, endpoint, name, region=region)

    def tool_environment(self, account_id: str) -> dict[str, str]:
        """What the `s` tool takes its credentials from, where `-a` names TOOL_KEY."""
        given = {
            "AccountID": account_id,
            "AccessKeyID": self.access_key_id,
            "AccessKeySecret": self.access_key_secret,
        }
        token = {"SecurityToken": self.security_token} if self.security_token else {}
        return {TOOL_KEY: json.dumps({**given, **token})}


def read(environ: Mapping[str, str]) -> Account:
    """The account that this environment names; Refusal if it names none, or sends what is signed in clear."""
    identity = environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID")
    secret = environ.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    if not identity or not secret:
        raise Refusal("set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    return Account(
        identity,
        secret,
        environ.get("ALIBABA_CLOUD_SECURITY_TOKEN") or None,
        environ.get("API_TOKEN") or None,
        _endpoint("FC_CLIENT_CUSTOM_ENDPOINT", environ),
        _endpoint("OSS_ENDPOINT", environ),
    )


def is_in_clear(endpoint: str) -> bool:
    """Whether requests to it could be read on their way: no TLS, and not on this machine."""
    parts = urlsplit(endpoint)
    return parts.scheme == "http" and not _is_here(parts.hostname or "")


def _is_here(host: str) -> bool:
    """Whether a host, by its name or address, is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _endpoint(name: str, environ: Mapping[str, str]) -> str | None:
    """With its scheme: without one, oss2 would take http."""
    given = environ.get(name)
    if not given:
        return None
    endpoint = given if "://" in given else f"https://{given}"
    if is_in_clear(endpoint):
        raise Refusal(f"{name}: {given} is not https, and what is sent there is signed in your name")
    return endpoint
