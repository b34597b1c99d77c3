"""Wiring: one event in, settings, SDKs and rooms put together, one answer out.

Knows every room and decides nothing: `events` says what an event means, `copying` and `jobs` do it, `web`
speaks HTTP.
"""

from __future__ import annotations

import functools
import hashlib
import random
import secrets
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime, timezone

import msgspec

from osscopy import events, plan, settings
from osscopy.aliyun import fc, fc_context
from osscopy.aliyun.hooks.lines import JsonLog
from osscopy.aliyun.oss import OssStore
from osscopy.aliyun.oss_buckets import OssBuckets
from osscopy.aliyun.oss_objects import OssObjects
from osscopy.aliyun.oss_records import OssRecords, read_text
from osscopy.aliyun.oss_transport import CONNECT_TIMEOUT, Connection
from osscopy.copying import results
from osscopy.copying.invocation.context import Context, Limits
from osscopy.jobs.bulk import settle, start as many_start, tools as many_tools, walk
from osscopy.jobs.bulk.clearing.clear import clear
from osscopy.jobs.control import Control
from osscopy.jobs.dropped import resume_dropped
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.lists import Worklist
from osscopy.jobs.many import Many
from osscopy.jobs.marks.sealed import SealedInvoker, SealedRecords
from osscopy.jobs.queries import Queries
from osscopy.jobs.rules import removal
from osscopy.jobs.sweep import Sweeper
from osscopy.model import (
    Bulk,
    BulkResult,
    Check,
    Checked,
    Clear,
    Command,
    Copy,
    Dropped,
    Misconfigured,
    Overview,
    Ping,
    Refused,
    Remove,
    ReportPlace,
    Rest,
    Result,
    Rule,
    Settle,
    Sweep,
    Tell,
    ToldCounts,
    Walk,
)
from osscopy.model.ports import Outbox
from osscopy.plan.allowed.tokens import Caller
from osscopy.web import door, requests, responses, routes

HTTP_SECONDS = 10.0  # the longest that a caller waits for an answer


class SystemClock:
    """Real time, chance and threads."""

    monotonic = staticmethod(time.monotonic)
    now = staticmethod(time.time)
    sleep = staticmethod(time.sleep)
    random = staticmethod(random.random)
    cpu = staticmethod(time.process_time)
    signal = staticmethod(threading.Event)

    @staticmethod
    def nonce() -> str:
        return secrets.token_hex(8)

    @staticmethod
    def start(work: Callable[[], None]) -> None:
        threading.Thread(target=work, daemon=True).start()

    @staticmethod
    def together(work: Callable[[], None], count: int, until: float) -> None:
        threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))


class Tools(msgspec.Struct, frozen=True):
    """The context and the records of one invocation; `many`: for jobs of many objects."""

    context: Context
    journal: RecordJournal
    many: many_tools.Tools


class Wiring(msgspec.Struct, frozen=True):
    """Makes the clients of one invocation from its own credentials. `begun`: monotonic."""

    chosen: settings.Settings
    gateway: fc.Gateway
    log: JsonLog
    invocation: fc_context.Invocation
    begun: float
    windows: set[int]  # of which somebody is told, see `jobs.telling`

    def tools(self, seconds: float, caller: Caller | None = None) -> Tools:
        """Return what works for `seconds` at most; for a caller of the API, within his scope."""
        chosen, connection, until = self.chosen, self.connection(seconds), self.begun + seconds
        limits = Limits(
            seconds,
            self.invocation.timeout,
            until,
            chosen.multipart_threshold,
            chosen.max_parallel,
            lanes=chosen.max_lanes,
        )
        left, journal = self.seconds_left(seconds), self.journal(connection)
        invoker = self.invoker(left)
        store = OssStore(connection)
        context = Context(
            store,
            journal,
            invoker,
            SystemClock(),
            self.log,
            limits,
            chosen.allow if caller is None else functools.partial(requests.allow, chosen, caller),
            chosen.options,
            OssBuckets(connection).encryption,
            self.outbox(journal, left),
        )
        state = ReportPlace(chosen.state_bucket, chosen.state_prefix)
        objects = OssObjects(connection)
        workers, most = chosen.workers, chosen.max_chains
        writes = chosen.allow_writing if caller is None else functools.partial(_writes, chosen, caller)
        records, prices = journal.records, chosen.prices
        rules = functools.partial(self.rules, connection)
        many = many_tools.Tools(context, records, objects, state, writes, workers, prices, most, rules)
        return Tools(context, journal, many)

    def outbox(self, journal: RecordJournal, left: Callable[[], float]) -> Outbox | None:
        """Return where outcomes are put that somebody is told of; None where the settings name nobody."""
        if self.chosen.telling is None:
            return None
        from osscopy.jobs.telling.outbox import TellingOutbox  # noqa: PLC0415 - for those who are told alone

        invoker, on = self.invoker(left, fc.ANNOUNCE_TIMEOUT), self.chosen.telling.on
        return TellingOutbox(journal.records, invoker, SystemClock(), self.log, on, self.windows)

    def rules(self, connection: Connection) -> Sequence[Rule]:
        """Return the rules; those in an object are read."""
        where = self.chosen.rules
        if not isinstance(where, settings.RulesObject):
            return where
        text = read_text(connection, where.bucket, where.key)
        return settings.checked("COPY_RULES", self.chosen.read_rules, text)

    def tell(self, tools: Tools) -> ToldCounts:
        """Tell what is to be told; nothing where the settings name nobody any more."""
        if (telling := self.chosen.telling) is None:
            return ToldCounts(0, 0, 0, more=False)
        from osscopy.aliyun.hooks.https import post  # noqa: PLC0415 - for those who are told alone
        from osscopy.jobs.telling import teller, ways  # noqa: PLC0415 - for those who are told alone
        from osscopy.plan.telling.news import Sender  # noqa: PLC0415 - for those who are told alone

        own, left = self.invocation, self.seconds_left(self.invocation.timeout)
        other, wait = msgspec.structs.replace(own, function=telling.function or ""), fc.ANNOUNCE_TIMEOUT
        invoker = fc.FcInvoker(other, self.chosen.invoke_endpoint, self.gateway, self.log, left, wait)
        known = ways.of(telling, invoker, post, tools.context.clock)
        name = self.chosen.invoke_function or own.function
        sender = Sender(name, own.region)
        return teller.Look(tools.context, tools.journal.records, known, telling.on, sender).run()

    def seconds_left(self, seconds: float) -> Callable[[], float]:
        """Return how long an answer may be waited for at any time: some is left to report an error."""
        deadline = self.begun + seconds
        return lambda: deadline - 0.5 - time.monotonic()

    def connection(self, seconds: float) -> Connection:
        return self.connect(plan.read_timeout(seconds), CONNECT_TIMEOUT, self.seconds_left(seconds))

    def connect(self, read_timeout: float, connect_timeout: float, left: Callable[[], float]) -> Connection:
        region = self.invocation.region
        return Connection(
            self.invocation.access_key,
            self.chosen.oss_endpoint or f"https://oss-{region}-internal.aliyuncs.com",
            region,
            threads=self.chosen.max_parallel,
            read_timeout=read_timeout,
            connect_timeout=connect_timeout,
            seconds_left=left,
        )

    def journal(self, connection: Connection) -> RecordJournal:
        records = OssRecords(connection, self.chosen.state_bucket, self.chosen.state_prefix)
        return RecordJournal(SealedRecords(records, self.chosen.seal, time.time))

    def invoker(self, left: Callable[[], float], wait: float = fc.SUBMIT_TIMEOUT) -> SealedInvoker:
        """Return the invoker of the function that copies, whichever runs."""
        return SealedInvoker(self.copier(left, wait), self.chosen.seal)

    def copier(self, left: Callable[[], float], wait: float) -> fc.FcInvoker:
        """Return how the function that copies is asked, without any mark. `wait`: seconds for an answer."""
        chosen = self.chosen
        function = chosen.invoke_function or self.invocation.function
        copier = msgspec.structs.replace(self.invocation, function=function)
        return fc.FcInvoker(copier, chosen.invoke_endpoint, self.gateway, self.log, left, wait)

    def door(self, event: bytes, call: events.HttpCall, arrival: events.Arrival) -> door.Door:
        """Return what answers an HTTP request in front of the function that copies."""
        left = self.seconds_left(self.invocation.timeout)
        copier = self.copier(left, door.ANSWER_SECONDS)
        ports = door.Ports(copier, self.invoker(left), SystemClock(), self.log)
        return door.Door(event, call, self.chosen, arrival, ports)


class App:
    """One instance: its settings, and all else that it keeps between invocations."""

    def __init__(self) -> None:
        self._settings = settings.load()
        self._log = JsonLog(self._settings.log_level)
        self._gateway = fc.Gateway()
        self._fetched: tuple[Rule, ...] | None = None
        self._unknown_events: set[str] = set()
        self._windows: set[int] = set()

    def handle(self, event: bytes, context: fc_context.Context) -> object:
        """Return the answer to one event. A final refusal is returned; Transient is raised: FC retries.

        Behind HTTP nothing is raised, since FC would show the caller where in the code that was.
        """
        begun = time.monotonic()
        invocation = fc_context.read_context(context, settings.environment_credentials())
        try:
            return self._handle(event, invocation, begun)
        except Exception as error:
            if not events.is_http(event):
                raise
            return self._broken(invocation, error)

    def _broken(self, invocation: fc_context.Invocation, error: Exception) -> responses.Response:
        """Log an error that nobody expected, and return a response that tells nothing of it."""
        places = [f"{each.filename}:{each.lineno}" for each in traceback.extract_tb(error.__traceback__)]
        self._log(
            "unexpected",
            requestId=invocation.request_id,
            kind=type(error).__name__,
            error=str(error)[:300],
            at=places[-8:],
        )
        return responses.broken(invocation.request_id)

    def _handle(self, event: bytes, invocation: fc_context.Invocation, begun: float) -> object:
        arrival = events.Arrival(invocation.request_id, datetime.now(timezone.utc), self._settings.seal)
        wiring = Wiring(self._settings, self._gateway, self._log, invocation, begun, self._windows)
        try:
            parsed = events.parse(event, arrival, self._rules(event, wiring))
        except Refused as error:
            result = self._logged(invocation, results.refused(error))
            return responses.refused(error) if events.is_http(event) else _encode(result)
        except Misconfigured as error:
            return self._put_off(event, arrival, wiring, error)
        if isinstance(parsed, events.HttpCall):
            return self._answer(event, parsed, arrival, wiring)
        return _encode(self._do(parsed, wiring))

    def _answer(
        self, event: bytes, call: events.HttpCall, arrival: events.Arrival, wiring: Wiring
    ) -> responses.Response:
        def work_for(caller: Caller) -> routes.Work:
            tools = wiring.tools(min(wiring.invocation.timeout, HTTP_SECONDS), caller)
            judge = functools.partial(caller.judge, allowed=self._settings.options)
            return routes.Work(
                caller,
                Queries(tools.context, tools.journal),
                Control(tools.context, tools.journal),
                Many(tools.many, judge),
            )

        if self._settings.invoke_function in {None, wiring.invocation.function}:
            response = routes.answer(call, self._settings, arrival, work_for)
        else:
            response = wiring.door(event, call, arrival).answer()
        self._log(
            "http",
            requestId=wiring.invocation.request_id,
            method=call.request_context.http.method,
            path=call.raw_path[:200],
            statusCode=response["statusCode"],
        )
        return response

    def _do(
        self,
        parsed: events.Work,
        wiring: Wiring,
    ) -> object:
        match parsed:
            case Ping():
                return {"status": "ok"}
            case Check():
                return self._check(wiring)
        tools = wiring.tools(wiring.invocation.timeout)
        match parsed:
            case Sweep():
                return Sweeper(tools.context, tools.journal, tools.many).run(parsed)
            case Dropped():
                records = tools.journal.records
                return {"resumed": resume_dropped(tools.context, records, parsed)}
            case Walk():
                return walk.walk(tools.many, parsed, wiring.invocation.retries)
            case Settle():
                return settle.settle(tools.many, parsed, wiring.invocation.retries)
            case Clear():
                return clear(tools.many, parsed, wiring.invocation.retries)
            case Overview():
                return Many(tools.many).overview(parsed)
            case Tell():
                return wiring.tell(tools)
            case events.Batch() | Rest():
                return self._copy(parsed, tools, wiring.invocation)

    def _copy(self, asked: events.Batch | Rest, tools: Tools, invocation: fc_context.Invocation) -> object:
        """Return the result of an event that asks for one copy, or the results of a list."""
        note, retried = functools.partial(self._logged, invocation), invocation.retries > 0
        work = Worklist(tools.context, tools.journal.records, note)
        if isinstance(asked, Rest):
            return {"results": work.resume(asked, retried=retried)}
        self._log_passed(asked.passed)
        items = tuple(map(_retried, asked.items)) if retried else asked.items
        begun: dict[int, BulkResult | Result] = {
            at: _begin(tools.many, item) for at, item in enumerate(items) if isinstance(item, Bulk)
        }
        begun |= {
            at: note(removal.remove(tools.many, item, retried=retried))
            for at, item in enumerate(items)
            if isinstance(item, Remove)
        }
        rest = iter(work.run([item for item in items if not isinstance(item, Bulk | Remove)]))
        found = [begun[at] if at in begun else next(rest) for at in range(len(items))]
        return {"results": found} if asked.many else found[0]

    def _put_off(self, event: bytes, arrival: events.Arrival, wiring: Wiring, error: Misconfigured) -> str:
        """Submit an event that FC gave up once more, for later, when the rules may be right.

        Raises `error` for any other event: FC tries that again, and then reports it as given up.
        """
        payload = events.given_up(event, arrival)
        if payload is None:
            raise error
        context = wiring.tools(wiring.invocation.timeout).context
        minute = int(context.now()) // plan.GENERATION
        name = f"e-{hashlib.sha256(payload).hexdigest()[:32]}-{minute}"
        context.submit(name, payload, plan.drop_delay(plan.MAX_DROPS))
        self._log("putOff", error=str(error))
        return _encode({"resumed": 1})

    def _log_passed(self, passed: Sequence[events.PassedOver]) -> None:
        """Log what is passed over; the name of an unknown event once an instance."""
        for each in passed:
            if each.why == "marker":
                self._log("markerSkipped", key=each.what)
            elif each.why == "rule":
                self._log("notReconciled", rule=each.what)
            elif each.what not in self._unknown_events:
                self._unknown_events.add(each.what)
                self._log("unknownEvent", name=each.what)

    def _rules(self, event: bytes, wiring: Wiring) -> Sequence[Rule]:
        """Return the rules; the first event that needs any fetches those in an object, once an instance."""
        where = self._settings.rules
        if not isinstance(where, settings.RulesObject):
            return where
        if not events.needs_rules(event):
            return ()
        if self._fetched is None:
            self._fetched = tuple(wiring.rules(wiring.connection(wiring.invocation.timeout)))
        return self._fetched

    def _check(self, wiring: Wiring) -> Checked:
        """Check the deployment, with short waits for each answer."""
        from osscopy.check import config, run, world  # noqa: PLC0415 - start-up time that only checks need

        chosen, invocation = self._settings, wiring.invocation
        timeout = invocation.timeout
        wait, left = run.seconds_for_answer(timeout), wiring.seconds_left(timeout)
        connection = wiring.connect(wait, min(wait, CONNECT_TIMEOUT), left)
        store, buckets = OssStore(connection), OssBuckets(connection)
        return run.Checkup(
            config.Deployment(chosen, invocation.region, invocation.account, timeout, invocation.memory),
            world.World(store, buckets, SystemClock(), run.until(wiring.begun, timeout), wait),
            wiring.journal(connection),
            wiring.invoker(left, wait),
            lambda: wiring.rules(connection),
            self._log,
        ).run()

    def _logged(self, invocation: fc_context.Invocation, result: Result) -> Result:
        self._log(
            "result",
            requestId=invocation.request_id,
            job=result.job,
            status=result.status,
            method=result.method,
            source=result.source,
            destination=result.destination,
            parts=result.parts,
            partsDone=result.parts_done,
            lanes=result.lanes,
            hops=result.hops,
            verified=result.verified,
            error=result.error,
            caller=None if result.caller is msgspec.UNSET else result.caller,
        )
        return result


def _writes(chosen: settings.Settings, caller: Caller, bucket: str, key: str, field: str) -> None:
    """Refuse a place to write that the settings, or the caller's scope, do not name."""
    chosen.allow_writing(bucket, key, field)
    caller.allow_writing(bucket, key, field)


def _begin(tools: many_tools.Tools, asked: Bulk) -> BulkResult:
    """Begin a job of many objects that no caller waits for; it is skipped while another one runs."""
    try:
        return many_start.begin(tools, asked)
    except many_start.AlreadyRunning as error:
        return many_start.skipped(asked, error)


def _retried(item: Command | Bulk | Remove | Refused) -> Command | Bulk | Remove | Refused:
    return item.delivered_again() if isinstance(item, Copy) else item


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()
