"""The OSS server: one request in → parse → authenticate → dispatch → answer."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import replace
from uvicorn import Config
from uvicorn.server import ServerState

from tests.cloud.accounts import Accounts, Credentials
from tests.cloud.conditions import Weather
from tests.cloud.events import ObjectEvent
from tests.cloud.request_log import Logged, RequestLog

from . import authority, copies, extents, faults, inventory, lifecycle, saved
from .admission import Admission
from .answers import refusal, send_answer
from .connection import Connection
from .errors import OssError
from .names import Names
from .operations import Operation, refuse_extras, resolve
from .protocol import Body, Call, Request, Response, check_key, parse, pays, traffic_limit
from .seeds import OCTETS, Batch
from .state import Bucket, Store
from .telling import tell
from .versions import Version, version_of

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

_PATIENCE = 0.5  # seconds that requests get to end when the server stops
_PART_WRITERS = {"UploadPart", "UploadPartCopy"}
_WITH_BODY = {"PUT", "POST"}
_log = logging.getLogger(__name__)


class OssServer:
    """The server and its cloud's state. Call its methods in the loop that runs it, or before it runs."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        weather: Weather,
        region: str = "cn-hangzhou",
        data: Path | None = None,
        notify: Callable[[ObjectEvent], None] | None = None,
        kill: Callable[[str], None] | None = None,
        public_host: str | None = None,
        clock: Callable[[], float] = time.time,
        draw: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        """`kill` is given the access key id of whoever asked; `public_host` is a name under which
        `BUCKET.public_host` reaches this server; `clock` and `draw` (hexadecimal digits of so many random
        bytes) are there so that exchanges can be repeated.
        """
        self._held = saved.Held(data) if data is not None else None
        self.store = Store(accounts, region, data, notify, clock, draw)
        saved.load(self.store)
        self._accounts = accounts
        self._weather = weather
        self._kill = kill
        self._public_host = public_host or ""
        self._admission = Admission(accounts, self.store, clock)
        self._operations: Counter[str] = Counter()
        self._unpaid: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self.log = RequestLog()
        self._connections = 0
        self._virtual_hosts = 0  # requests whose host named the bucket
        self._by_access_key: Counter[str] = Counter()
        self._numbers = count(1)
        self._stopping = asyncio.Event()
        self._uvicorn = ServerState()
        self._listener: asyncio.AbstractServer | None = None

    # -- life ------------------------------------------------------------------------------------------------

    async def start(self, port: int = 0) -> str:
        """Bind 127.0.0.1 and serve in the running loop; the URL of the server."""
        config = Config(
            cast("Any", self),
            http=Connection,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            access_log=False,
            log_config=None,
            interface="asgi3",
            timeout_keep_alive=75,
        )
        config.load()
        loop = asyncio.get_running_loop()

        def connect() -> Connection:
            connection = Connection(config, self._uvicorn, {}, loop)
            connection.opened = self._opened
            return connection

        self._listener = await loop.create_server(connect, "127.0.0.1", port, backlog=2048)
        host, bound = self._listener.sockets[0].getsockname()
        self.store.address = f"{host}:{bound}"
        return f"http://{self.store.address}"

    async def stop(self) -> None:
        """Close everything; what stalls is let go."""
        if self._listener is not None:
            self._listener.close()
        self._stopping.set()
        for connection in list(self._uvicorn.connections):
            cast("Connection", connection).transport.close()
        tasks = set(self._uvicorn.tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=_PATIENCE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        saved.save(self.store)
        if self._held is not None:
            self._held.release()

    def _opened(self) -> None:
        self._connections += 1

    # -- for the admin API and tests -------------------------------------------------------------------------

    def create_bucket(self, name: str, region: str | None = None, *, owner: str | None = None) -> Bucket:
        """A bucket of the account, or of another one: `owner`."""
        return self.store.create(name, region, owner)

    def seed(self, bucket: str, key: str, size: int, seed: int) -> None:
        """Make an object of `size` bytes without sending them; listeners hear of it as of a PutObject."""
        holder = self.store.bucket(bucket)
        content = extents.made(seed, size)
        self.write(holder, Version(key, self.store.clock(), content, content.etag(), metadata=OCTETS))

    def write(self, bucket: Bucket, version: Version) -> None:
        """Put an object there as PutObject does, of the bucket's storage class."""
        old = bucket.current(version.key)
        version = bucket.put(replace(version, storage_class=bucket.storage_class))
        tell(self.store, self._own_call(bucket, version.key), "ObjectCreated:PutObject", version, old)

    def seed_many(
        self,
        bucket: str,
        prefix: str,
        count: int,
        sizes: tuple[int, int],
        *,
        shape: str = "flat",
        seed: int = 0,
        events: bool = False,
    ) -> Batch:
        """Make `count` objects of from `sizes[0]` to `sizes[1]` bytes, as good as for nothing.

        They lie there as if they had been written before versioning was enabled. Listeners hear of each if
        there are to be `events`, else of none. OssError if one may be there already, or cannot be named so.
        """
        holder = self.store.bucket(bucket)
        batch = Batch(Names(shape, prefix, count, seed), prefix, sizes, seed, holder.storage_class)
        check_key(batch.first)
        check_key(batch.last)
        holder.objects.seed(batch)
        if events:
            for key, record in batch.walk(""):
                call = self._own_call(holder, key)
                tell(self.store, call, "ObjectCreated:PutObject", version_of(key, record))
        return batch

    async def write_inventory(
        self, bucket: str, prefix: str, destination: tuple[str, str], form: inventory.Form
    ) -> inventory.Written:
        """Write an inventory of the objects under `prefix` to `destination` (bucket, prefix), as OSS does."""
        return await inventory.write(
            self.store, self.store.bucket(bucket), prefix, destination, form, self.write
        )

    def _own_call(self, bucket: Bucket, key: str) -> Call:
        """The PutObject of the account's owner that would have written this."""
        return Call(
            operation="PutObject",
            bucket=bucket.name,
            key=key,
            params={},
            headers={},
            body=Body(),
            request_id=self._request_id(),
            principal=self._accounts.owner.principal,
            source_ip="127.0.0.1",
        )

    def read(self, bucket: str, key: str) -> bytes:
        """The bytes of an object; ValueError with OSS's code if they cannot be read."""
        try:
            version = self.store.bucket(bucket).find(key)
        except OssError as error:
            raise ValueError(f"{error.code}: {error.message}") from error
        return b"".join(version.content.chunks(0, version.content.size))

    def requests(self) -> dict[str, Any]:
        """What has arrived so far. `unpaid`: requests by bucket and operation whose sender does not say that
        it pays for them; `logged`: how many are, or were, in the log.
        """
        return {
            "operations": dict(self._operations),
            "unpaid": dict(self._unpaid),
            "errors": dict(self._errors),
            "virtual_hosts": self._virtual_hosts,
            "connections": self._connections,
            "connections_by_access_key": dict(self._by_access_key),
            "bytes_copied": self.store.bytes_copied,
            "logged": self.log.made,
        }

    # -- one request -----------------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        connection: Connection = scope["state"]["connection"]
        started, begin = time.perf_counter(), time.time()
        request_id = self._request_id()
        method = scope["method"]
        name = ""
        request: Request | None = None
        connection.signed_by = ""
        headers = dict(scope["headers"])
        try:
            request = parse(
                method,
                scope["raw_path"],
                scope["query_string"],
                headers,
                scope["client"][0] if scope["client"] else "",
                self._public_host,
            )
            name, response = await self._serve(request, request_id, connection, receive)
        except OssError as error:
            response = refusal(error, request_id, self.store.address, name, method)
        if response is None:
            connection.hang_up()
            self._note(name, request, connection, begin, started, 0)
            return
        # a body announced with a GET may never come, or be taken for a request
        close = method not in _WITH_BODY and headers.get(b"content-length", b"0") != b"0"
        await send_answer(response, request_id, time.perf_counter() - started, method, send, close=close)
        if response.broken_off:
            connection.hang_up()
        self._note(name, request, connection, begin, started, response.status)

    def _note(
        self,
        name: str,
        request: Request | None,
        connection: Connection,
        begin: float,
        started: float,
        status: int,
    ) -> None:
        end = begin + time.perf_counter() - started
        if request is None:
            self.log.add(Logged(name, begin, end, status=status))
            return
        number = request.params.get("partNumber", "")
        part = int(number) if re.fullmatch("[0-9]{1,5}", number) else 0
        who = connection.signed_by
        self.log.add(Logged(name, begin, end, request.bucket, request.key, status, part, who))

    def _request_id(self) -> str:
        return f"{int(time.time()):08X}{next(self._numbers):016X}"

    async def _serve(
        self, request: Request, request_id: str, connection: Connection, receive: ASGIReceiveCallable
    ) -> tuple[str, Response | None]:
        """The operation's name and its answer; None when the connection is to be closed without one."""
        name = writing = ""
        started = time.perf_counter()
        try:
            operation = resolve(request)
            name = operation.name
            self._operations[name] += 1
            self._virtual_hosts += request.virtual
            if not pays(request.headers):
                self._unpaid[f"{request.bucket} {name}"] += 1
            credentials = self._admission.admit(request, operation, self._weather.readings)
            connection.signed_by = credentials.access_key_id if credentials else ""
            if credentials is not None and credentials.access_key_id not in connection.access_key_ids:
                connection.access_key_ids.add(credentials.access_key_id)
                self._by_access_key[credentials.access_key_id] += 1
            refuse_extras(request)
            body = await self._read(receive, request)
            fault = self._weather.throttle() or self._weather.strike(name, request.key, request.bucket)
            call = Call(
                operation=name,
                bucket=request.bucket,
                key=request.key,
                params=request.params,
                headers=request.headers,
                body=body,
                request_id=request_id,
                principal=credentials.principal if credentials else "",
                source_ip=request.source_ip,
                region=request.region,
                corrupt=fault is not None and fault.answer == "corrupt",
                forget=fault is not None and fault.answer == "forget",
                readings=self._weather.readings,
            )
            authority.check(self.store, call)
            if name in _PART_WRITERS:
                writing = request.params.get("uploadId", "")
                self.store.in_flight[writing] += 1
            conditions = self._weather.conditions
            limit = traffic_limit(call)
            if limit or conditions.latency_ms or conditions.bandwidth_mb_s:
                moved = self._cost(call)
                paced = (moved or body.content.size) / limit if limit else 0.0
                await asyncio.sleep(max(paced, self._weather.seconds(moved)))
            effect = partial(_effect, operation, self.store, call)
            if fault is None:
                response: Response | None = effect()
            else:
                response = await faults.strike(
                    fault,
                    effect,
                    tell=partial(self._document, request_id, name),
                    count=self._count,
                    kill=partial(self._kill_requester, credentials),
                    gone=partial(self._gone, connection),
                )
            if limit and response is not None:
                await asyncio.sleep((response.stop - response.start) / limit)
                waited = str(int((time.perf_counter() - started) * 1000)).encode()
                response = replace(response, headers=(*response.headers, (b"x-oss-qos-delay-time", waited)))
        except OssError as error:
            response = refusal(error, request_id, self.store.address, name, request.method)
            self._count(error)
        except Exception:  # noqa: BLE001 - the server answers 500 and lives on
            _log.exception("%s %s/%s failed", name, request.bucket, request.key)
            response = refusal(
                OssError("InternalError"), request_id, self.store.address, name, request.method
            )
        finally:
            if writing:
                self.store.in_flight[writing] -= 1
                if not self.store.in_flight[writing]:
                    del self.store.in_flight[writing]
        return name, response

    def abort_by_lifecycle(self, bucket: str, now: float | None = None) -> int:
        """Carry out AbortMultipartUpload rules as if it were `now`; how many uploads went."""
        holder = self.store.bucket(bucket)
        return len(lifecycle.abort_uploads(holder, self.store.clock() if now is None else now))

    def _cost(self, call: Call) -> int:
        return copies.cost(self.store, call) if call.operation in {"CopyObject", "UploadPartCopy"} else 0

    def _document(self, request_id: str, operation: str, error: OssError) -> bytes:
        return error.document(request_id, self.store.address, error.ec_in(operation))

    def _count(self, error: OssError) -> None:
        self._errors[error.code] += 1

    def _kill_requester(self, credentials: Credentials | None) -> None:
        if self._kill is not None and credentials is not None:
            self._kill(credentials.access_key_id)

    async def _gone(self, connection: Connection) -> None:
        ends = [asyncio.ensure_future(event.wait()) for event in (connection.closed, self._stopping)]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def _read(self, receive: ASGIReceiveCallable, request: Request) -> Body:
        """The body, if the method has one. A GET may announce one and never send it."""
        if request.method not in _WITH_BODY:
            return Body()
        if request.headers.get(b"content-length") == b"0":
            return _EMPTY
        if b"content-length" not in request.headers and b"transfer-encoding" not in request.headers:
            return _EMPTY
        writer = self.store.writer()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise OssError("RequestTimeout")  # the client is gone: nobody hears it
            writer.write(message["body"])
            if not message["more_body"]:
                return Body(*writer.finish())


def _effect(operation: Operation, store: Store, call: Call) -> Response:
    return authority.veil(store, call, operation.handler(store, call))


_EMPTY = Body(*extents.Writer(None).finish())
