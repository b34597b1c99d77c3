"""The whole local cloud in one event loop: the OSS server, the FC host, the triggers and the admin API.

It deploys what a template says and wires the parts: object events go to the triggers, faults of the OSS
server reach the instance that asked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from functions.deploy import template
from functions.deploy.props import Function, check_environment
from tests.cloud.accounts import Accounts
from tests.cloud.admin import Admin
from tests.cloud.conditions import Weather
from tests.cloud.events import ObjectEvent
from tests.cloud.fc.host import FcHost
from tests.cloud.fc.sources import Sources
from tests.cloud.oss.server import OssServer
from tests.cloud.serving import Listener


class Settings(msgspec.Struct, frozen=True):
    """What the command line says. Port 0 means any free one, pauses are in seconds."""

    template: Path
    variables: Mapping[str, str] = {}
    environment: Mapping[str, str] = {}
    data: Path | None = None
    oss_port: int = 0
    fc_port: int = 0
    service: str = ""
    retry_pause: float = 0.2
    batch_seconds: float = 0.0
    refuse_fc_signature: bool = False


class Ready(msgspec.Struct, frozen=True):
    """The line of JSON that says where everything is (design §4)."""

    oss: str
    fc: str
    http_trigger: str | None
    admin: str
    region: str
    account_id: str
    access_key_id: str
    access_key_secret: str
    function: str


class Cloud:
    def __init__(self, settings: Settings) -> None:
        """TemplateError if the template cannot be deployed."""
        self._settings = settings
        self.accounts = Accounts()
        owner = self.accounts.owner
        self._deployment = template.load(
            settings.template,
            variables=settings.variables,
            environment=settings.environment,
            config={
                "AccountID": self.accounts.account_id,
                "AccessKeyID": owner.access_key_id,
                "AccessKeySecret": owner.access_key_secret,
            },
            process_environment=os.environ,
        )
        self._region = self._deployment.functions[0].region
        self.weather = Weather()
        self.oss = OssServer(
            accounts=self.accounts,
            weather=self.weather,
            region=self._region,
            data=settings.data,
            notify=self._notify,
            kill=self._kill,
        )
        self.host = FcHost(
            accounts=self.accounts,
            weather=self.weather,
            service=settings.service,
            retry_pause=settings.retry_pause,
            refuse_fc_signature=settings.refuse_fc_signature,
        )
        self.sources = Sources(self.host, self._region, settings.batch_seconds)
        self._admin = Listener(Admin(self.weather, self.oss, self.host, self.sources).app)

    async def start(self) -> Ready:
        """Start everything, create the buckets, deploy. ValueError or OSError if that cannot be done."""
        oss = await self.oss.start(self._settings.oss_port)
        fc = await self.host.start(self._settings.fc_port)
        admin = await self._admin.start()
        for bucket in self._deployment.buckets:
            self.oss.create_bucket(bucket)
        for function in self._deployment.functions:
            local = self._with_endpoints(function, {"OSS_ENDPOINT": oss, "INVOKE_ENDPOINT": fc})
            self.host.deploy(local, self._deployment.root)
            await self.sources.add(local)
        main = self._deployment.functions[0].function_name
        owner = self.accounts.owner
        return Ready(
            oss=oss,
            fc=fc,
            http_trigger=self.sources.urls.get(main),
            admin=admin,
            region=self._region,
            account_id=self.accounts.account_id,
            access_key_id=owner.access_key_id,
            access_key_secret=owner.access_key_secret,
            function=main,
        )

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
