"""Whom a command asks: an account, the local cloud, or a URL; and in whose name.

In this order: what the command line says, `OSS_COPY_URL`, a local cloud that runs where no credentials are
set, and last what s.yaml and FC say. Knows no request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import msgspec

from functions.cli import template
from functions.cli.errors import Misused, TemplateError, Unprepared
from functions.cli.service import local
from functions.cli.service.api import Api, Authorize
from functions.cli.service.local import Local
from functions.cli.template import environment
from functions.cli.template.endpoints import is_here, is_in_clear

if TYPE_CHECKING:
    from functions.cli.account.credentials import Account
    from functions.cli.service.proxy import Proxy

_KEYS = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "API_TOKEN", "OSS_COPY_URL")
NONE = (
    "no credentials: set API_TOKEN and OSS_COPY_URL, or ALIBABA_CLOUD_ACCESS_KEY_ID and "
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET; or start a local cloud: oss-copy local"
)


class Target(msgspec.Struct, frozen=True):
    """The environment of a command, the template, and the local cloud if that is asked."""

    environ: Mapping[str, str]
    template: Path
    local: Local | None = None
    region: str | None = None

    def account(self) -> Account:
        """Return the account that is named; raise Unprepared if none is."""
        if not all(map(self.environ.get, ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"))):
            raise Unprepared(NONE)
        # The SDKs take half a second, which a token spares.
        from functions.cli.account import credentials  # noqa: PLC0415 - as said

        return credentials.read(self.environ)

    def its_region(self) -> str:
        """Return the region of the buckets."""
        named = self.region or self.environ.get("OSS_COPY_REGION")
        return named or template.read(self.template, self.environ).main.region

    @contextmanager
    def page(self, url: str | None, port: int = 0) -> Iterator[Proxy]:
        """Serve the page of this function on this machine."""
        from functions.cli.service.proxy import serving  # noqa: PLC0415 - what only two commands need

        with self.client(url) as (found, http), serving(found, self._authorize(), http, port) as server:
            yield server

    @contextmanager
    def api(self, url: str | None, sleep: Callable[[float], None]) -> Iterator[Api]:
        """Open the HTTP API that the command is to ask."""
        with self.client(url) as (found, http):
            yield Api(found, self._authorize(), http, sleep)

    @contextmanager
    def client(self, url: str | None) -> Iterator[tuple[str, httpx.Client]]:
        """Yield the URL of the HTTP trigger, and a client for it."""
        url = url or self.environ.get("OSS_COPY_URL") or self._find_trigger()
        _check(url)
        parts = urlsplit(url)
        is_near, has_tls = is_here(parts.hostname or ""), parts.scheme == "https"
        with httpx.Client(trust_env=not is_near, verify=has_tls) as http:  # certificates take time to read
            yield url, http

    def _authorize(self) -> Authorize:
        if token := self.environ.get("API_TOKEN"):
            if not (token.isascii() and token.isprintable()):
                raise Unprepared("API_TOKEN has characters that no HTTP header takes")
            return lambda _method, _url: {"authorization": f"Bearer {token}"}
        account = self.account()
        from functions.cli.service import signing  # noqa: PLC0415 - as in `account`

        return partial(signing.sign, account)

    def _find_trigger(self) -> str:
        account = self.account()
        from functions.cli.service import functions  # noqa: PLC0415 - as in `account`

        deployment = template.read(self.template, self.environ)
        if deployment.web is None:
            raise TemplateError(f"{self.template.name} has no HTTP trigger: give --url")
        function, trigger = deployment.web
        client = account.fc(function.region, deployment.account)
        return functions.find_trigger(client, function.function_name, trigger.trigger_name)


def find(path: Path, region: str | None = None) -> Target:
    """Return whom to ask: by the environment, the template's `.env` files, a local cloud that runs."""
    shell = environment.read()
    if shell.get("OSS_COPY_URL") and shell.get("API_TOKEN"):
        return Target(shell, path, None, region)  # all that is needed: a template takes time to read
    environ = template.environment_of(path, shell)
    if not any(map(environ.get, _KEYS)) and (running := local.find(environ)):
        return Target({**environ, **running.variables}, path, running, region)
    return Target(environ, path, None, region)


def _check(url: str) -> None:
    """Raise Misused for a URL that is none, or to which a token or a signature would go unencrypted."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and url.isprintable()
    except ValueError:
        is_whole = False
    if not is_whole:
        raise Misused(f"{url!r} is no URL of an HTTP trigger: it begins with https:// and names a host")
    if is_in_clear(url):
        raise Misused(f"{url} is not https, and what is sent there is signed in your name")
