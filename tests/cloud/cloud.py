"""The whole local cloud in one event loop: the OSS server, the FC host, the triggers and the admin API.

It deploys what a template says, or nothing: then a client of the FC API does. It wires the parts: object
events go to the triggers, faults of the OSS server reach the instance that asked, code comes from OSS.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from functions.cli import template
from functions.cli.template.props import Function, check_environment
from tests.cloud import ram
from tests.cloud.accounts import ACCOUNT_ID, AccessKey, Accounts
from tests.cloud.admin import Admin
from tests.cloud.conditions import Weather
from tests.cloud.events import ObjectEvent
from tests.cloud.fc.host import FcHost
from tests.cloud.fc.packages import Grant
from tests.cloud.fc.sources import Sources
from tests.cloud.oss.server import OssServer
from tests.cloud.readings import Choice
from tests.cloud.serving import Listener

CODE_BUCKET = "fc-code-packages"


class Settings(msgspec.Struct, frozen=True):
    """What the command line says. Port 0 means any free one, pauses are in seconds.

    Without a template nothing is deployed, and `buckets` are made in `region`, by `account`. `oss_host` is a
    name under `.localhost` by which functions reach OSS, which makes them address buckets as virtual hosts.
    """

    template: Path | None
    buckets: tuple[str, ...] = ()
    region: str = "cn-hangzhou"
    account: str = ACCOUNT_ID
    variables: Mapping[str, str] = {}
    environment: Mapping[str, str] = {}
    data: Path | None = None
    oss_port: int = 0
    fc_port: int = 0
    service: str = ""
    retry_pause: float = 0.2
    batch_seconds: float = 0.0
    refuse_fc_signature: bool = False
    strict_destinations: bool = False
    policies: Mapping[str, Path] = {}
    oss_host: str = ""
    readings: Mapping[str, Choice] = {}


class Ready(msgspec.Struct, frozen=True):
    """The line of JSON that says where everything is (design §4); `function` is empty if none is deployed."""

    oss: str
    fc: str
    http_trigger: str | None
    admin: str
    region: str
    account_id: str
    access_key_id: str
    access_key_secret: str
    function: str


class Depot:
    """Code packages in the local OSS. On FC the bucket is FC's own, and the credentials allow one upload."""

    def __init__(self, oss: OssServer, accounts: Accounts) -> None:
        self._oss = oss
        self._accounts = accounts

    def read(self, bucket: str, key: str) -> bytes:
        """The object's bytes; ValueError if it cannot be read."""
        return self._oss.read(bucket, key)

    def grant(self) -> Grant:
        """A new key in the bucket for packages."""
        if CODE_BUCKET not in self._oss.store.buckets:
            self._oss.create_bucket(CODE_BUCKET)
        key = f"{self._accounts.account_id}/{secrets.token_hex(16)}"
        return Grant(CODE_BUCKET, key, self._accounts.issue(self._accounts.owner.principal))


class Cloud:
    def __init__(self, settings: Settings) -> None:
        """TemplateError if the template cannot be deployed, ValueError for a bad policy."""
        self._settings = settings
        key = AccessKey.draw()  # a template may name it
        self._deployment = self._load(settings.template, key) if settings.template else None
        self.accounts = Accounts(_account(self._deployment, settings.account), key=key)
        for role, path in settings.policies.items():
            self.accounts.policies.put(role, _read_policy(role, path))
        self._region = self._deployment.functions[0].region if self._deployment else settings.region
        self.weather = Weather(settings.readings)
        self.oss = OssServer(
            accounts=self.accounts,
            weather=self.weather,
            region=self._region,
            data=settings.data,
            notify=self._notify,
            kill=self._kill,
            public_host=settings.oss_host,
        )
        self.host = FcHost(
            accounts=self.accounts,
            weather=self.weather,
            region=self._region,
            depot=Depot(self.oss, self.accounts),
            service=settings.service,
            retry_pause=settings.retry_pause,
            refuse_fc_signature=settings.refuse_fc_signature,
        )
        self.sources = Sources(
            self.host, self._region, settings.batch_seconds, lambda name: name in self.oss.store.buckets
        )
        self.host.control.strict_destinations = settings.strict_destinations
        self._admin = Listener(Admin(self.accounts, self.weather, self.oss, self.host, self.sources).app)

    async def start(self) -> Ready:
        """Start everything, create the buckets, deploy. ValueError or OSError if that cannot be done."""
        oss = await self.oss.start(self._settings.oss_port)
        fc = await self.host.start(self._settings.fc_port)
        admin = await self._admin.start()
        name = self._settings.oss_host
        endpoint = f"http://{name}:{oss.rpartition(':')[2]}" if name else oss
        main = await self._deploy({"OSS_ENDPOINT": endpoint, "INVOKE_ENDPOINT": fc})
        owner = self.accounts.owner
        return Ready(
            oss=oss,
            fc=fc,
            http_trigger=self.sources.urls.get(self._web),
            admin=admin,
            region=self._region,
            account_id=self.accounts.account_id,
            access_key_id=owner.access_key_id,
            access_key_secret=owner.access_key_secret,
            function=main,
        )

    def _load(self, path: Path, key: AccessKey) -> template.Deployment:
        return template.load(
            path,
            new_vars=self._settings.variables,
            extra_variables=self._settings.environment,
            s_config={
                "AccountID": ACCOUNT_ID,
                "AccessKeyID": key.id,
                "AccessKeySecret": key.secret,
            },
            shell=os.environ,
        )

    async def _deploy(self, endpoints: Mapping[str, str]) -> str:
        """What the template says; the name of its first function.

        Functions that a client of the API deploys later find `endpoints` in their environment, as on FC they
        find the internal endpoints of their region: nothing in their configuration says so.
        """
        self.host.runner.environment = {**endpoints, **self._settings.environment}
        if self._deployment is None:
            self._create(self._settings.buckets)
            return ""
        self._create(self._deployment.buckets)
        for function in self._deployment.functions:
            local = self._with_endpoints(function, endpoints)
            self.host.deploy(local, self._deployment.root)
            await self.sources.add(local)
        return self._deployment.main.function_name

    def _create(self, buckets: Iterable[str]) -> None:
        """Create those that an earlier run has not left here."""
        for bucket in buckets:
            if bucket not in self.oss.store.buckets:
                self.oss.create_bucket(bucket)

    @property
    def _web(self) -> str:
        """The name of the function that HTTP requests come to; empty if there is none."""
        found = self._deployment.web if self._deployment else None
        return found[0].function_name if found else ""

    async def stop(self) -> None:
        """Stop everything; no instance is left."""
        await self.sources.stop()
        await self.host.stop()
        await self._admin.stop()
        await self.oss.stop()

    def _with_endpoints(self, function: Function, endpoints: Mapping[str, str]) -> Function:
        variables = {**function.environment_variables, **endpoints, **self._settings.environment}
        check_environment(variables)
        return msgspec.structs.replace(function, environment_variables=variables)

    def _notify(self, event: ObjectEvent) -> None:
        self.sources.notify(event)

    def _kill(self, access_key_id: str) -> None:
        self.host.kill_holder(access_key_id)


def _account(deployment: template.Deployment | None, otherwise: str) -> str:
    """The account that the template's role belongs to; another if no role names any."""
    if deployment is None or not deployment.main.role.startswith("acs:ram::"):
        return otherwise
    return deployment.account or otherwise


def _read_policy(role: str, path: Path) -> ram.Policy:
    """A policy document, or what a file of `oss-copy policy` says of this role, or else of the first."""
    try:
        content = msgspec.json.decode(path.read_bytes())
        of_role = [each for each in content.get("others", ()) if each["role"] == role]
        content = of_role[0] if of_role else content
        return ram.read(msgspec.json.encode(content.get("policy", content)))
    except (ValueError, AttributeError) as error:
        raise ValueError(f"--policy: {path}: {error}") from error
