"""The deployer's credentials, and every client that is made of them. Knows no request.

Endpoints are the public ones of the region, unless `FC_CLIENT_CUSTOM_ENDPOINT` (which the `s` tool obeys too)
or `OSS_ENDPOINT` names others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec
import oss2
from alibabacloud_fc20230330.client import Client as FcClient
from alibabacloud_ram20150501.client import Client as RamClient
from alibabacloud_tea_openapi.utils_models import Config

from functions.cli.errors import Unprepared
from functions.cli.template.endpoints import is_in_clear

# The variable that `s -a` names: it may hold temporary credentials, too (3.1.10). Beside the variables
# AccountID, AccessKeyID and AccessKeySecret `s` takes no token, and it prefers these three.
TOOL_KEY = "default_serverless_devs_key"
TOOL_PAIR = ("AccessKeyID", "AccessKeySecret")
_RAM_TIMEOUT = 10_000  # milliseconds


class Account(msgspec.Struct, frozen=True):
    """Credentials and endpoints of one command. No part in `secrets` is ever printed."""

    access_key_id: str
    access_key_secret: str
    security_token: str | None = None
    api_token: str | None = None  # of an anonymous HTTP trigger
    fc_endpoint: str | None = None
    oss_endpoint: str | None = None
    ram_endpoint: str = "https://ram.aliyuncs.com"

    def fc(self, region: str, account_id: str) -> FcClient:
        """Return a client of FC 3.0."""
        return FcClient(self._config(self.fc_url(region, account_id), region))

    def fc_url(self, region: str, account_id: str) -> str:
        """Return the endpoint of FC."""
        return self.fc_endpoint or f"https://{account_id}.{region}.fc.aliyuncs.com"

    def ram(self, region: str) -> RamClient:
        """Return a client of RAM."""
        config = self._config(self.ram_endpoint, region)
        config.connect_timeout = config.read_timeout = _RAM_TIMEOUT
        return RamClient(config)

    def bucket(self, region: str, name: str) -> oss2.Bucket:
        """Return a client of a bucket of that region, with V4 signatures."""
        endpoint = self.oss_endpoint or f"https://oss-{region}.aliyuncs.com"
        if self.security_token:
            auth = oss2.StsAuth(
                self.access_key_id, self.access_key_secret, self.security_token, auth_version="v4"
            )
        else:
            auth = oss2.AuthV4(self.access_key_id, self.access_key_secret)
        return oss2.Bucket(auth, endpoint, name, region=region)

    def tool_environment(self, account_id: str) -> dict[str, str]:
        """Return the variable that holds the credentials for the `s` tool; `s -a` names it."""
        given = {
            "AccountID": account_id,
            "AccessKeyID": self.access_key_id,
            "AccessKeySecret": self.access_key_secret,
        }
        token = {"SecurityToken": self.security_token} if self.security_token else {}
        return {TOOL_KEY: json.dumps({**given, **token})}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The parts that must not be shown. The id of the key is not secret: OSS names it in its errors."""
        return tuple(filter(None, (self.access_key_secret, self.security_token, self.api_token)))

    def _config(self, endpoint: str, region: str) -> Config:
        scheme, _, host = endpoint.rpartition("://")
        return Config(
            access_key_id=self.access_key_id,
            access_key_secret=self.access_key_secret,
            security_token=self.security_token,
            region_id=region,
            endpoint=host.rstrip("/"),
            protocol=scheme or "https",
        )


def read(environ: Mapping[str, str]) -> Account:
    """Return the account that this environment names.

    Raise Unprepared if it names none, or an endpoint to which signed requests would go unencrypted.
    """
    identity = environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID")
    secret = environ.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    if not identity or not secret:
        raise Unprepared(
            "no credentials: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"
        )
    return Account(
        identity,
        secret,
        environ.get("ALIBABA_CLOUD_SECURITY_TOKEN") or None,
        environ.get("API_TOKEN") or None,
        _endpoint("FC_CLIENT_CUSTOM_ENDPOINT", environ),
        _endpoint("OSS_ENDPOINT", environ),
    )


def _endpoint(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the endpoint with its scheme: without one, oss2 would take http."""
    given = environ.get(name)
    if not given:
        return None
    endpoint = given if "://" in given else f"https://{given}"
    if is_in_clear(endpoint):
        raise Unprepared(f"{name}: {given} is not https, and what is sent there is signed in your name")
    return endpoint
