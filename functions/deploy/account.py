"""Whose account is deployed to: the deployer's credentials, and the clients made of them.

Endpoints are the public ones of the region
unless `FC_CLIENT_CUSTOM_ENDPOINT` (which the `s` tool obeys too) or `OSS_ENDPOINT` names others.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import oss2
from alibabacloud_fc20230330.client import Client
from alibabacloud_tea_openapi.utils_models import Config


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
        endpoint = self.fc_endpoint or f"https://{account_id}.{region}.fc.aliyuncs.com"
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
        """What the `s` tool takes its credentials from."""
        given = {
            "AccountID": account_id,
            "AccessKeyID": self.access_key_id,
            "AccessKeySecret": self.access_key_secret,
        }
        return {**given, "SecurityToken": self.security_token} if self.security_token else given


def read(environ: Mapping[str, str]) -> Account:
    """The account that this environment names; Refusal if it names none."""
    identity = environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID")
    secret = environ.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    if not identity or not secret:
        raise Refusal("set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    return Account(
        identity,
        secret,
        environ.get("ALIBABA_CLOUD_SECURITY_TOKEN") or None,
        environ.get("API_TOKEN") or None,
        environ.get("FC_CLIENT_CUSTOM_ENDPOINT") or None,
        environ.get("OSS_ENDPOINT") or None,
    )
