"""The runtime API that instances talk to: `next`, `response`, `error` (facts.md §6).

Each instance has its own base path, so the host knows who asks. It only carries messages.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.cloud.fc.instance import Instance, Report

BASE = "/{instance}/2020-11-11/runtime/invocation"


class RuntimeApi:
    def __init__(self) -> None:
        self.instances: dict[str, Instance] = {}
        self.app = Starlette(
            routes=[
                Route(f"{BASE}/next", self._next, methods=["GET"]),
                Route(f"{BASE}/{{request_id}}/{{kind}}", self._report, methods=["POST"]),
            ]
        )

    async def _next(self, request: Request) -> Response:
        instance = self.instances.get(request.path_params["instance"])
        work = await instance.next_work() if instance else None
        if work is None:
            return JSONResponse({"errorMessage": "this instance has ended"}, status_code=410)
        return Response(work.event, media_type="application/octet-stream", headers=dict(work.headers))

    async def _report(self, request: Request) -> Response:
        instance = self.instances.get(request.path_params["instance"])
        kind = request.path_params["kind"]
        body = await request.body()
        if instance is None or kind not in {"response", "error"}:
            return JSONResponse({"errorMessage": "no such path"}, status_code=404)
        taken = instance.report(request.path_params["request_id"], Report(kind == "error", body))
        return Response(status_code=202 if taken else 410)
