"""The FC host: what is deployed, and every way to invoke it.

`FcHost` puts the parts together and is what the triggers, the admin API and the OSS server's faults talk to.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from functions.cli.template.props import Destination, Function
from tests.cloud.accounts import Accounts
from tests.cloud.conditions import Fault, Weather
from tests.cloud.fc import errors
from tests.cloud.fc.api import Api
from tests.cloud.fc.control import Control
from tests.cloud.fc.invocation import Invocation, Journal, Request, new_request_id
from tests.cloud.fc.packages import Depot, Packages
from tests.cloud.fc.queue import LATE, Queue
from tests.cloud.fc.runner import Runner
from tests.cloud.fc.signature import Verifier
from tests.cloud.serving import Listener


class FcHost:
    """`service` is what functions find in their context: empty as on FC 3.0, or an FC 2.0 service's name.

    `depot` is the object storage that code packages may come from.
    """

    def __init__(
        self,
        *,
        accounts: Accounts,
        weather: Weather,
        region: str = "cn-hangzhou",
        depot: Depot | None = None,
        service: str = "",
        retry_pause: float = 0.2,
        refuse_fc_signature: bool = False,
    ) -> None:
        self.weather = weather
        self.verifier = Verifier(accounts)
        self._policies = accounts.policies
        self.account_id = accounts.account_id
        self.service = service
        self.refuse_fc_signature = refuse_fc_signature
        self.journal = Journal()
        self.runner = Runner(accounts, service)
        self.queue = Queue(self.runner, self.journal, weather, self._pass_on, retry_pause)
        self._packages = Packages(depot, region)
        self.control = Control(
            self.runner, self.queue, self._packages, region=region, account_id=accounts.account_id
        )
        self.sent: list[tuple[Destination, bytes]] = []  # results for destinations that are not here
        self._api = Listener(Api(self).app)
        self._runtime_api = Listener(self.runner.runtime_api.app)

    async def start(self, port: int = 0) -> str:
        """Listen; the URL of the API."""
        self.runner.address = (await self._runtime_api.start()).removeprefix("http://")
        return await self._api.start(port)

    async def stop(self) -> None:
        """End every instance and forget what is queued."""
        await self.queue.stop()
        await self.runner.stop()
        await self._api.stop()
        await self.runner.stop()  # what was asked for while the others ended
        await self._runtime_api.stop()
        self._packages.close()

    def deploy(self, function: Function, root: Path) -> None:
        """Deploy after `start`; code and layers are relative to `root`. ValueError if FC would refuse it."""
        self.runner.deploy(function, root)

    def strike(self, function: str) -> Fault | None:
        """The fault that strikes an invocation of this function, asked once per submission."""
        return self.weather.strike("invocation", function)

    def authorize(self, principal: str, action: str, resource: str) -> None:
        """FcError 403 if the caller's policy leaves out this action on this resource, an ARN."""
        if not self._policies.allow(principal, action, resource):
            raise errors.not_authorized(action, resource)

    def arn(self, function: Function, path: str = "") -> str:
        """The ARN of a function, or of another path (`services/S/functions/F`) in its region."""
        return f"acs:fc:{function.region}:{self.account_id}:{path or f'functions/{function.function_name}'}"

    async def invoke(self, request: Request, fault: Fault | None = None) -> Invocation:
        """Run synchronously; FcError 404 or 429."""
        self.runner.function(request.function)
        answer = fault.answer if fault else None
        if answer == "delay":
            await asyncio.sleep(LATE)
        if answer == "duplicate":
            again = asyncio.create_task(self._run(request, killed=False))
            invocation = await self._run(request, killed=False)
            await again
            return invocation
        return await self._run(request, killed=answer == "kill")

    def submit(self, request: Request, fault: Fault | None = None) -> Invocation:
        """Queue an asynchronous invocation; FcError 404 or 409."""
        return self.queue.submit(request, fault)

    def deliver(self, function: str, trigger: str, event: bytes) -> Invocation:
        """What an event source does: an asynchronous invocation that nobody waits for."""
        return self.submit(self.request(function, trigger, event), self.strike(function))

    def request(self, function: str, trigger: str, event: bytes, *, asynchronous: bool = True) -> Request:
        """A request with a new id."""
        return Request(
            request_id=new_request_id(),
            function=function,
            event=event,
            trigger=trigger,
            asynchronous=asynchronous,
        )

    def kill_holder(self, access_key_id: str) -> None:
        """SIGKILL the instance that works with these temporary credentials."""
        self.runner.kill(lambda invocation: invocation.access_key_id == access_key_id)

    def kill_request(self, request_id: str) -> int:
        """SIGKILL the instance that runs this request; how many there were."""
        return self.runner.kill(lambda invocation: invocation.request.request_id == request_id)

    async def quiet(self, timeout: float) -> bool:
        """Wait until nothing is queued, delayed or running; False if that took too long."""
        try:
            await asyncio.wait_for(self.journal.quiet(), timeout)
        except asyncio.TimeoutError:
            return False
        return True

    async def _run(self, request: Request, killed: bool) -> Invocation:
        invocation = self.journal.open(request)
        outcome = invocation.outcome
        try:
            attempt = await self.runner.attempt(invocation, wait=None, killed=killed)
            outcome = attempt.outcome if attempt else outcome
        finally:
            self.journal.close(invocation, "throttled" if outcome == "queued" else outcome)
        return invocation

    def _pass_on(self, destination: Destination, event: bytes) -> None:
        name = destination.function_name
        if name is None or not self.runner.knows(name):
            self.sent.append((destination, event))
            return
        self.submit(self.request(name, "destination", event))
