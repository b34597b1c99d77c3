"""The admin API of the local cloud: for tests, the demo and benchmarks; the real cloud has nothing like it.

It sets the weather, shows what happened, and makes things happen that a client cannot: fire a timer, kill an
instance, make an object of any size.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.cloud.conditions import Conditions, Weather
from tests.cloud.fc.host import FcHost
from tests.cloud.fc.sources import Sources

if TYPE_CHECKING:
    from tests.cloud.oss.server import OssServer

_T = TypeVar("_T")


class Seed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bucket: str
    key: str
    size: int
    seed: int = 0


class Kill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    request_id: str


class Fire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`payload` replaces the timer's own."""

    payload: str | None = None


class Switches(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`refuse_fc_signature`: the 2023-03-30 path takes ACS3 signatures only."""

    refuse_fc_signature: bool


class Admin:
    def __init__(self, weather: Weather, oss: OssServer, host: FcHost, sources: Sources) -> None:
        self._weather = weather
        self._oss = oss
        self._host = host
        self._sources = sources
        self.app = Starlette(
            routes=[
                Route("/conditions", self._set_conditions, methods=["PUT"]),
                Route("/conditions", self._show_conditions, methods=["GET"]),
                Route("/switches", self._set_switches, methods=["PUT"]),
                Route("/requests", self._requests, methods=["GET"]),
                Route("/invocations", self._invocations, methods=["GET"]),
                Route("/triggers/{name}", self._fire, methods=["POST"]),
                Route("/seed", self._seed, methods=["POST"]),
                Route("/kill", self._kill, methods=["POST"]),
                Route("/instances", self._instances, methods=["GET"]),
                Route("/tasks", self._tasks, methods=["GET"]),
                Route("/destinations", self._destinations, methods=["GET"]),
                Route("/idle", self._idle, methods=["GET"]),
            ]
        )

    async def _set_conditions(self, request: Request) -> Response:
        self._weather.set(_decode(await request.body(), Conditions))
        return _json(msgspec.to_builtins(self._weather.conditions))

    async def _show_conditions(self, _: Request) -> Response:
        return _json(msgspec.to_builtins(self._weather.conditions))

    async def _set_switches(self, request: Request) -> Response:
        switches = _decode(await request.body(), Switches)
        self._host.refuse_fc_signature = switches.refuse_fc_signature
        return _json(msgspec.to_builtins(switches))

    async def _requests(self, _: Request) -> Response:
        return _json(self._oss.requests())

    async def _invocations(self, request: Request) -> Response:
        """All, oldest first; `?since=N` leaves out the first N."""
        since = int(request.query_params.get("since", "0"))
        return _json([invocation.view() for invocation in self._host.journal.invocations[since:]])

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
        self._oss.seed(seed.bucket, seed.key, seed.size, seed.seed)
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

    async def _idle(self, request: Request) -> Response:
        """Answers when nothing is queued, delayed or running, or after `?timeout` seconds with false."""
        idle = await self._host.quiet(float(request.query_params.get("timeout", "30")))
        return _json({"idle": idle})


def _decode(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as exc:
        raise HTTPException(400, str(exc)) from exc


def _json(content: object, status: int = 200) -> Response:
    return JSONResponse(content, status)
