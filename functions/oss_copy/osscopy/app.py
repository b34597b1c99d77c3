"""Wiring: one event in, settings, SDKs and engine put together, one answer out.

Knows everything and decides nothing: what an event means is `events`, what is done is `engine`, what HTTP
says is `web`.
"""

from __future__ import annotations

import hashlib
import logging
import random
import secrets
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone

import msgspec

from osscopy import events, plan, settings
from osscopy.aliyun import fc
from osscopy.aliyun.fc_context import Context, Invocation, read_context
from osscopy.aliyun.oss import OssStore
from osscopy.aliyun.oss_buckets import OssBuckets
from osscopy.aliyun.oss_records import OssRecords, read_text
from osscopy.aliyun.oss_transport import CONNECT_TIMEOUT, Connection
from osscopy.copying import results
from osscopy.copying.invocation.context import Limits, Session
from osscopy.copying.outcome import Ending
from osscopy.copying.start import Engine
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.lists import Batch
from osscopy.jobs.queries import Desk
from osscopy.jobs.sweep import Sweeper
from osscopy.model import (
    Check,
    Checked,
    Command,
    Copy,
    Dropped,
    Misconfigured,
    OssCopyError,
    Ping,
    Refused,
    Rest,
    Result,
    Rule,
    Sweep,
)
from osscopy.web import responses, routes

HTTP_SECONDS = 10.0  # what a synchronous caller is made to wait at most


class SystemClock:
    """Real time and chance."""

    monotonic = staticmethod(time.monotonic)
    now = staticmethod(time.time)
    sleep = staticmethod(time.sleep)
    random = staticmethod(random.random)

    @staticmethod
    def nonce() -> str:
        return secrets.token_hex(8)

    @staticmethod
    def together(work: Callable[[], None], count: int, until: float) -> None:
        crew = [threading.Thread(target=work, daemon=True) for _ in range(count)]
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join(max(0.0, until - time.monotonic()))


class JsonLog:
    """One line of JSON per event that matters, on standard output, where FC collects it."""

    def __init__(self, level: str) -> None:
        self._logger = logging.getLogger("osscopy")
        self._logger.setLevel(level)
        self._logger.propagate = False
        if not self._logger.handlers:
            self._logger.addHandler(logging.StreamHandler(sys.stdout))

    def __call__(self, event: str, /, **fields: object) -> None:
        line = {"event": event, **{name: value for name, value in fields.items() if value is not None}}
        self._logger.info("%s", msgspec.json.encode(line, enc_hook=str).decode())


class App:
    """What an instance keeps between invocations: its settings, and what it found out about the gateway."""

    def __init__(self) -> None:
        self._settings = settings.load()
        self._log = JsonLog(self._settings.log_level)
        self._gateway = fc.Gateway()
        self._fetched: tuple[Rule, ...] | None = None
        self._unknown_events: set[str] = set()

    def handle(self, event: bytes, context: Context) -> object:
        """The answer to one event. A final refusal is returned; Transient is raised, so that FC retries."""
        begun = time.monotonic()
        invocation = read_context(context, settings.environment_credentials())
        arrival = events.Arrival(invocation.request_id, datetime.now(timezone.utc))
        try:
            parsed = events.parse(event, arrival, self._rules(event, invocation))
        except Refused as error:
            result = self._refused(error, invocation)
            return responses.refused(error) if events.is_http(event) else _encode(result)
        except Misconfigured as error:
            return self._put_off(event, arrival, invocation, error)
        match parsed:
            case events.HttpCall():
                seconds = min(invocation.timeout, HTTP_SECONDS)
                workshop = self._workshop(invocation, begun, seconds)
                desk = Desk(*workshop)
                response = routes.answer(parsed, self._settings, arrival, desk)
                self._log(
                    "http",
                    requestId=invocation.request_id,
                    method=parsed.request_context.http.method,
                    path=parsed.raw_path[:200],
                    statusCode=response["statusCode"],
                )
                return response
            case Check():
                return _encode(self._check(invocation, begun))
            case Ping():
                return _encode({"status": "ok"})
            case Sweep() | Dropped():
                session, _, ending, journal = self._workshop(invocation, begun, invocation.timeout)
                sweeper = Sweeper(session, ending, journal)
                if isinstance(parsed, Sweep):
                    return _encode(sweeper.run(parsed))
                return _encode({"resumed": sweeper.pick_up(parsed)})
            case events.Batch() | Rest():
                return _encode(self._copies(parsed, invocation, begun))

    def _put_off(
        self, event: bytes, arrival: events.Arrival, invocation: Invocation, error: Misconfigured
    ) -> str:
        """Submit an event that FC gave up once more, for later, when the rules may be right.

        Raises `error` for any other event: FC tries that again, and then tells of it.
        """
        payload = events.given_up(event, arrival)
        if payload is None:
            raise error
        session = self._workshop(invocation, time.monotonic(), invocation.timeout)[0]
        minute = int(session.now()) // plan.GENERATION
        name = f"e-{hashlib.sha256(payload).hexdigest()[:32]}-{minute}"
        session.submit(name, payload, plan.drop_delay(plan.MAX_DROPS))
        self._log("putOff", error=str(error))
        return _encode({"resumed": 1})

    def _copies(self, asked: events.Batch | Rest, invocation: Invocation, begun: float) -> object:
        """The result of what was asked for, or the results, if that was a list."""
        session, engine, _, journal = self._workshop(invocation, begun, invocation.timeout)
        work = Batch(session, engine, journal, lambda result: self._noted(result, invocation))
        if isinstance(asked, Rest):
            return {"results": work.resume(asked, retried=invocation.retries > 0)}
        self._tell(asked.passed)
        items = tuple(map(_retried, asked.items)) if invocation.retries else asked.items
        found = work.run(items)
        return {"results": found} if asked.many else found[0]

    def _tell(self, passed: Sequence[events.PassedOver]) -> None:
        """Log what nothing is done about; an event that nobody knows once an instance."""
        for each in passed:
            if each.why == "marker":
                self._log("markerSkipped", key=each.what)
            elif each.what not in self._unknown_events:
                self._unknown_events.add(each.what)
                self._log("unknownEvent", name=each.what)

    def _rules(self, event: bytes, invocation: Invocation) -> Sequence[Rule]:
        """The rules; those in an object are fetched once an instance, by the first event that needs any."""
        where = self._settings.rules
        if not isinstance(where, settings.RulesObject):
            return where
        if not events.needs_rules(event):
            return ()
        if self._fetched is None:
            connection = self._connection(invocation, time.monotonic(), invocation.timeout)
            self._fetched = tuple(self._read_rules(connection))
        return self._fetched

    def _read_rules(self, connection: Connection) -> Sequence[Rule]:
        where = self._settings.rules
        if not isinstance(where, settings.RulesObject):
            return where
        text = read_text(connection, where.bucket, where.key)
        return settings.checked("COPY_RULES", self._settings.read_rules, text)

    def _connection(self, invocation: Invocation, begun: float, seconds: float) -> Connection:
        left = _seconds_left(begun + seconds)
        return self._connect(invocation, plan.read_timeout(seconds), CONNECT_TIMEOUT, left)

    def _connect(
        self,
        invocation: Invocation,
        read_timeout: float,
        connect_timeout: float,
        seconds_left: Callable[[], float],
    ) -> Connection:
        region = invocation.region
        return Connection(
            invocation.access_key,
            self._settings.oss_endpoint or f"https://oss-{region}-internal.aliyuncs.com",
            region,
            threads=self._settings.max_parallel,
            read_timeout=read_timeout,
            connect_timeout=connect_timeout,
            seconds_left=seconds_left,
        )

    def _check(self, invocation: Invocation, begun: float) -> Checked:
        """A look at the deployment, whose questions are asked with little patience."""
        from osscopy.check import config, run, world  # noqa: PLC0415 - start-up time that only checks need

        chosen, timeout = self._settings, invocation.timeout
        wait = run.seconds_for_answer(timeout)
        left = _seconds_left(begun + timeout)
        connection = self._connect(invocation, wait, min(wait, CONNECT_TIMEOUT), left)
        store, buckets = OssStore(connection), OssBuckets(connection)
        return run.Checkup(
            config.Deployment(chosen, invocation.region, invocation.account, timeout, invocation.memory),
            world.World(store, buckets, SystemClock(), run.until(begun, timeout), wait),
            RecordJournal(OssRecords(connection, chosen.state_bucket, chosen.state_prefix)),
            self._invoker(invocation, left, wait),
            lambda: self._read_rules(connection),
            self._log,
        ).run()

    def _invoker(
        self, invocation: Invocation, left: Callable[[], float], wait: float = fc.SUBMIT_TIMEOUT
    ) -> fc.FcInvoker:
        """Of the function that copies, whichever runs."""
        chosen = self._settings
        copier = msgspec.structs.replace(invocation, function=chosen.invoke_function or invocation.function)
        return fc.FcInvoker(copier, chosen.invoke_endpoint, self._gateway, self._log, left, wait)

    def _workshop(
        self, invocation: Invocation, begun: float, seconds: float
    ) -> tuple[Session, Engine, Ending, RecordJournal]:
        """Everything one invocation works with, built from its own credentials."""
        chosen, connection = self._settings, self._connection(invocation, begun, seconds)
        journal = RecordJournal(OssRecords(connection, chosen.state_bucket, chosen.state_prefix))
        limits = Limits(
            seconds, invocation.timeout, begun + seconds, chosen.multipart_threshold, chosen.max_parallel
        )
        invoker, clock = self._invoker(invocation, _seconds_left(begun + seconds)), SystemClock()
        session = Session(OssStore(connection), journal, invoker, clock, self._log, limits, chosen.allow)
        ending = Ending(session)
        return session, Engine(session, ending), ending, journal

    def _refused(self, error: OssCopyError, invocation: Invocation) -> Result:
        return self._noted(results.refused(error), invocation)

    def _noted(self, result: Result, invocation: Invocation) -> Result:
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
            hops=result.hops,
            verified=result.verified,
            error=result.error,
        )
        return result


def _seconds_left(deadline: float) -> Callable[[], float]:
    """How long an answer may be waited for at any time; what is left then is for an error to be told."""
    return lambda: deadline - 0.5 - time.monotonic()


def _retried(item: Command | Refused) -> Command | Refused:
    return item.delivered_again() if isinstance(item, Copy) else item


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()
