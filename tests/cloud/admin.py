"""The admin API of the local cloud: for tests, the demo and benchmarks; the real cloud has nothing like it.

It sets the weather, shows what happened, and makes things happen that a client cannot: fire a timer, kill an
instance, make an object of any size, change what a role may do. On `POST /` it answers as RAM does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.cloud import ram
from tests.cloud.accounts import Accounts
from tests.cloud.conditions import Conditions, Weather
from tests.cloud.fc.host import FcHost
from tests.cloud.fc.sources import Sources
from tests.cloud.oss.errors import OssError
from tests.cloud.oss.multipart import LARGEST_OBJECT
from tests.cloud.oss.protocol import check_bucket_name, check_key
from tests.cloud.ram_api import RamApi

if TYPE_CHECKING:
    from tests.cloud.oss.server import OssServer

_T = TypeVar("_T")


class Seed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An object to make; ValueError names the field that no object of OSS can have."""

    bucket: str
    key: str
    size: int
    seed: int = 0

    def __post_init__(self) -> None:
        _check_key(self.key)
        if not 0 <= self.size <= LARGEST_OBJECT:
            raise ValueError(f"`size` is {self.size}, an object has 0 to {LARGEST_OBJECT} bytes")
        if not 0 <= self.seed < 1 << 63:
            raise ValueError(f"`seed` is {self.seed}, it must be 0 or more, and below 2^63")


def _check_key(key: str) -> None:
    try:
        check_key(key)
    except OssError as error:
        text = "`key` has 1 to 1023 bytes of UTF-8, and begins neither with a slash nor with a backslash"
        raise ValueError(text) from error


class Foreign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bucket of another account, with an object to read, so that access across accounts can be tried."""

    bucket: str
    key: str
    owner: str = "6543210987654321"
    acl: Literal["private", "public-read", "public-read-write"] = "private"
    payer: Literal["BucketOwner", "Requester"] = "BucketOwner"
    granted: bool = False  # a policy of the bucket lets this account do everything with it

    def __post_init__(self) -> None:
        _check_key(self.key)
        try:
            check_bucket_name(self.bucket)
        except OssError as error:
            raise ValueError("`bucket` has 3 to 63 lower-case letters, digits and hyphens") from error


class Kill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    request_id: str


class Fire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`payload` replaces the timer's own."""

    payload: str | None = None


class Switches(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`refuse_fc_signature`: the 2023-03-30 path takes ACS3 signatures only."""

    refuse_fc_signature: bool


class Assume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: str
    seconds: float = 3600


class Admin:
    def __init__(
        self, accounts: Accounts, weather: Weather, oss: OssServer, host: FcHost, sources: Sources
    ) -> None:
        self._accounts = accounts
        self._weather = weather
        self._oss = oss
        self._host = host
        self._sources = sources
        self.ram = RamApi(accounts)
        self.app = Starlette(
            routes=[
                Route("/", self.ram.handle, methods=["POST"]),
                Route("/policies", self._set_policies, methods=["PUT"]),
                Route("/credentials", self._assume, methods=["POST"]),
                Route("/conditions", self._set_conditions, methods=["PUT"]),
                Route("/conditions", self._show_conditions, methods=["GET"]),
                Route("/switches", self._set_switches, methods=["PUT"]),
                Route("/requests", self._requests, methods=["GET"]),
                Route("/requests/log", self._request_log, methods=["GET"]),
                Route("/ram", self._ram_requests, methods=["GET"]),
                Route("/invocations", self._invocations, methods=["GET"]),
                Route("/triggers/{name}", self._fire, methods=["POST"]),
                Route("/seed", self._seed, methods=["POST"]),
                Route("/foreign", self._foreign, methods=["POST"]),
                Route("/kill", self._kill, methods=["POST"]),
                Route("/instances", self._instances, methods=["GET"]),
                Route("/tasks", self._tasks, methods=["GET"]),
                Route("/destinations", self._destinations, methods=["GET"]),
                Route("/hurry", self._hurry, methods=["POST"]),
                Route("/idle", self._idle, methods=["GET"]),
            ]
        )

    async def _set_conditions(self, request: Request) -> Response:
        self._weather.set(_decode(await request.body(), Conditions))
        return _json(msgspec.to_builtins(self._weather.conditions))

    async def _show_conditions(self, _: Request) -> Response:
        """The weather, and under `struck` how often each fault has struck."""
        return _json({**msgspec.to_builtins(self._weather.conditions), "struck": self._weather.struck})

    async def _set_switches(self, request: Request) -> Response:
        switches = _decode(await request.body(), Switches)
        self._host.refuse_fc_signature = switches.refuse_fc_signature
        return _json(msgspec.to_builtins(switches))

    async def _set_policies(self, request: Request) -> Response:
        """`{role: document}`; null lets the role do everything again. All of them or none."""
        said = _decode(await request.body(), dict[str, msgspec.Raw])
        try:
            policies = {
                role: None if bytes(raw) == b"null" else ram.read(bytes(raw)) for role, raw in said.items()
            }
        except ram.PolicyError as exc:
            raise HTTPException(400, str(exc)) from exc
        for role, policy in policies.items():
            self._accounts.policies.put(role, policy)
        return _json(sorted(policies))

    async def _assume(self, request: Request) -> Response:
        """Temporary credentials of a role, as STS gives them."""
        asked = _decode(await request.body(), Assume)
        arn = f"acs:ram::{self._accounts.account_id}:role/{asked.role}"
        return _json(msgspec.to_builtins(self._accounts.issue(arn, asked.seconds)))

    async def _ram_requests(self, _: Request) -> Response:
        return _json(self.ram.counts)

    async def _requests(self, _: Request) -> Response:
        return _json(self._oss.requests())

    async def _request_log(self, _: Request) -> Response:
        return _json(self._oss.log())

    async def _invocations(self, request: Request) -> Response:
        """All, oldest first; `?since=N` leaves out the first N."""
        since = _parameter(request, "since", "0")
        return _json([invocation.view() for invocation in self._host.journal.invocations[int(since) :]])

    async def _fire(self, request: Request) -> Response:
        name = request.path_params["name"]
        body = await request.body()
        payload = _decode(body, Fire).payload if body else None
        try:
            invocation = self._sources.fire(name, payload)
        except KeyError as exc:
            raise HTTPException(404, f"no timer trigger {name!r}") from exc
        return _json({"request_id": invocation.request.request_id}, 202)

    async def _seed(self, request: Request) -> Response:
        seed = _decode(await request.body(), Seed)
        with _refusals():
            self._oss.seed(seed.bucket, seed.key, seed.size, seed.seed)
        return _json({})

    async def _foreign(self, request: Request) -> Response:
        asked = _decode(await request.body(), Foreign)
        bucket = self._oss.create_bucket(asked.bucket, owner=asked.owner)
        bucket.acl, bucket.payer, bucket.granted = asked.acl, asked.payer, asked.granted
        self._oss.seed(asked.bucket, asked.key, 1000, 1)
        return _json({})

    async def _kill(self, request: Request) -> Response:
        return _json({"killed": self._host.kill_request(_decode(await request.body(), Kill).request_id)})

    async def _instances(self, _: Request) -> Response:
        return _json(
            [
                {
                    "instance_id": instance.id,
                    "function": instance.function.function_name,
                    "python": instance.python,
                    "pid": instance.pid,
                    "alive": instance.alive,
                    "frozen": instance.frozen,
                    "invocations": instance.invocations,
                    "access_key_id": instance.access_key_id,
                }
                for instance in self._host.runner.instances
            ]
        )

    async def _tasks(self, _: Request) -> Response:
        return _json(
            [
                {"function": function, "task_id": task_id, "outcome": task.invocation.outcome}
                for (function, task_id), task in self._host.queue.tasks.items()
            ]
        )

    async def _destinations(self, _: Request) -> Response:
        return _json(
            [
                {"destination": destination.destination, "event": json.loads(event)}
                for destination, event in self._host.sent
            ]
        )

    async def _hurry(self, _: Request) -> Response:
        """What is delayed is delivered now."""
        self._host.queue.hurry()
        return _json({})

    async def _idle(self, request: Request) -> Response:
        """Answers when nothing is queued, delayed or running, or after `?timeout` seconds with false."""
        idle = await self._host.quiet(_parameter(request, "timeout", "30"))
        return _json({"idle": idle})


def _decode(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as exc:
        raise HTTPException(400, str(exc)) from exc


@contextmanager
def _refusals() -> Iterator[None]:
    """What the OSS server says no to, as an answer that names the bucket."""
    try:
        yield
    except OssError as error:
        bucket = error.details.get("BucketName", "")
        raise HTTPException(error.status, f"`bucket` {bucket!r}: {error.code}: {error.message}") from error


def _parameter(request: Request, name: str, default: str) -> float:
    """A number of the query."""
    text = request.query_params.get(name, default)
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        raise HTTPException(400, f"`{name}` is {text[:40]!r}, it must be a number that is not negative")
    return float(text)


def _json(content: object, status: int = 200) -> Response:
    return JSONResponse(content, status)
