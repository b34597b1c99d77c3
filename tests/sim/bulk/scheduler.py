"""One schedule of a job of many objects: the product's own code, FC's queue, faults and a busy world.

An invocation is a greenlet, and so is each of its threads. A request takes effect at a moment of the
scheduler's choice; where nothing else can happen before that, it does at once, without a switch. All choices
have names, so that a schedule can be kept as a list of them.
"""

from __future__ import annotations

import heapq
import itertools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import greenlet

from osscopy.model import Bulk, OssCopyError, Transient
from tests.sim.bulk import engine
from tests.sim.bulk.scenario import Scenario
from tests.sim.bulk.world import SimCloud, SimSignal
from tests.sim.choices import Choices
from tests.unit.engine import DST, LARGE, SMALL, SRC

T = TypeVar("T")
TIMEOUT = 20.0  # of the function
SHORTER = (20.0, 14.0, 8.0)  # an invocation may have less
LATEST = 50.0  # seconds in which a request that has no answer takes effect
RETRIES = 3
PERIOD = 90.0  # of the sweep
MOST_SWEEPS = 60
MOST_STEPS = 60_000
KEPT = ("done/", "cancel/", "turn/", "key/", "gen/l-")  # records that may stay when a job is over
LOST = Transient("NetworkError", "no answer", in_doubt=True)
BUSY = Transient("TotalQpsLimitExceeded", "slow down", throttled=True)
_NUMBERED = re.compile(r"[cl]-[0-9a-f]{32}(-[0-9a-f]{32})?")
_JOB = re.compile(r"b-[0-9a-f]{32}")


@dataclass(eq=False)
class Message:
    """An asynchronous invocation in FC's queue."""

    task: str
    payload: bytes
    tries: int = 0


@dataclass(eq=False)
class Process:
    """An invocation. `since_cancel`, `since_done`: it began after that took effect."""

    name: str
    message: Message | None
    since_cancel: bool
    since_done: bool
    is_over: bool = False  # it has answered; what else it has begun goes on for a while
    is_dead: bool = False
    threads: list[Thread] = field(default_factory=list)


class Thread(greenlet.greenlet):  # type: ignore[misc]  # the base carries no types
    """A thread of an invocation."""

    process: Process


@dataclass(eq=False)
class Join:
    """The wait of a thread for others."""

    left: int
    is_over: bool = False


@dataclass
class Schedule:
    """Runs one schedule; afterwards everything that happened can be looked at."""

    scenario: Scenario
    choices: Choices
    trace: list[str] | None = None
    violations: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    messages: dict[str, Message] = field(default_factory=dict)
    job: str = ""
    sweeps: int = 0
    requests: int = 0
    cancelled_at: float | None = None
    done_at: float | None = None
    is_begun: bool = False  # the job is on record
    is_followed: bool = False  # another job copies what is stale

    def __post_init__(self) -> None:
        self.cloud = SimCloud(self)
        self._draw = self.choices.draw
        self._hub = greenlet.getcurrent()
        self._queue: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._order = itertools.count()
        self._faults = self.scenario.faults
        self._stuck: set[Any] = set()
        self._aliases: dict[str, str] = {}
        self._is_timed = False
        self.ever: set[str] = set()
        self.changes: dict[str, list[tuple[float, bool]]] = {}  # when a source came and went
        self.always: set[str] = set(self.scenario.keys)
        self.versions: dict[str, set[str]] = {}
        self._names = itertools.count(1)
        for key in self.scenario.keys:
            self.put_source(key)
        for key in self.scenario.there:
            self.cloud.put(f"out/{key}", "9", bucket=DST)
        for key in self.scenario.extra:
            self.cloud.put(f"out/{key}", "9", bucket=DST)
        for key in self.scenario.copied:
            head = self.cloud.objects[SRC, f"in/{key}"].head
            self.cloud.put(f"out/{key}", head.crc64 or "", bucket=DST, size=head.size)
        self.cloud.time += 100

    # --- the world -------------------------------------------------------------------------------------

    def put_source(self, key: str) -> None:
        """Write the next version of an object."""
        size = LARGE if key in self.scenario.large else SMALL
        version = str(next(self._names) + 100)
        self.cloud.put(f"in/{key}", version, size=size)
        self.ever.add(key)
        self.changes.setdefault(key, []).append((self.cloud.time, True))
        self.versions.setdefault(key, set()).add(version)

    def _chase(self, key: str) -> None:
        """Write the next version of an object whose copy has no answer, if it is still there."""
        if (SRC, f"in/{key}") in self.cloud.objects:
            self.put_source(key)

    def delete_source(self, key: str) -> None:
        self.cloud.objects.pop((SRC, f"in/{key}"), None)
        self.changes.setdefault(key, []).append((self.cloud.time, False))
        self.always.discard(key)

    def _happen(self, what: str) -> None:
        self.say(f"!! {what}")
        key = self._one_of((*self.scenario.keys, *self.scenario.more), what, "key")
        extra = self._one_of(self.scenario.extra or ("none",), what, "extra") if self.scenario.delete else ""
        match what:
            case "put":
                self.put_source(key)
            case "delete":
                self.delete_source(key)
            case "foreign":
                self.cloud.put(f"out/{key}", "8", bucket=DST)
            case "comes back":
                self.put_source(extra)
            case "written again" if (DST, f"out/{extra}") in self.cloud.objects:
                self.cloud.put(f"out/{extra}", "9", bucket=DST)
            case "other bytes":
                self.cloud.put(f"out/{extra}", "8", bucket=DST)
            case "vanishes":
                self.cloud.remove(DST, f"out/{extra}")
            case "emptied":
                for each in tuple(self.changes):
                    self.delete_source(each)
            case "cancel":
                self._invoke("cancel", lambda tools: engine.cancel(tools, self.job))
            case "sweep":
                self._sweep()

    # --- running ---------------------------------------------------------------------------------------

    def run(self) -> Schedule:
        """Until the job is over and forgotten, or nothing can happen any more."""
        asked = engine.asked(self.scenario, self.cloud)
        self.job = asked.job
        with engine.measured(self.scenario.page, self.scenario.most):
            self._run(asked)
        return self

    def _run(self, asked: Bulk) -> None:
        self.accept("start", engine.payload(asked), 0)
        for what in self.scenario.happens:
            self.at(self._draw("happens") * self.scenario.seconds, self._happen, what)
        self._tick()
        while self._queue and self.requests < MOST_STEPS:
            self.cloud.time, _, action, given = heapq.heappop(self._queue)
            action(*given)
        if self._queue:
            self.violations.append("it does not end")

    def at(self, seconds: float, action: Callable[..., object], *given: Any) -> None:
        heapq.heappush(self._queue, (self.cloud.time + seconds, next(self._order), action, given))

    def say(self, text: str) -> None:
        if self.trace is not None:
            process = getattr(greenlet.getcurrent(), "process", None)
            who = process.name if process else ""
            self.trace.append(f"{self.cloud.time - 1_800_000_000:9.3f} {who:<36} {text}")

    def is_late(self) -> bool:
        """Return whether the invocation that runs began after the cancel."""
        return self._thread().process.since_cancel

    def lists(self, name: str) -> str:
        """Return what is wrong with a page of a listing."""
        return self._fault("listing", name)

    def random(self) -> float:
        return self._draw(self._thread().process.name, "random")

    def is_over(self) -> bool:
        """Return whether nothing of the job is on record but its outcome."""
        return not any(not name.startswith(KEPT) for name in self.cloud.records)

    def _one_of(self, items: Sequence[T], *what: str) -> T:
        return items[int(self._draw(*what) * len(items))]

    def _tick(self) -> None:
        """Let the timer fire from now on."""
        if not self._is_timed:
            self._is_timed = True
            self.at(PERIOD, self._timer)

    def _timer(self) -> None:
        self._is_timed = False
        never = not self.is_begun and self.sweeps > 4  # its event was lost
        if self.sweeps < MOST_SWEEPS and not (self.is_over() and (self.done_at or never)):
            self._sweep()
            self._tick()

    def _sweep(self) -> None:
        self.sweeps += 1
        self._invoke("sweep", engine.sweep)

    # --- FC --------------------------------------------------------------------------------------------

    def accept(self, task: str, payload: bytes, delay: float) -> bool:
        """Take an invocation into FC's queue; False if its id is known."""
        if task in self.messages:
            return False
        name = self._alias(task)
        self.is_followed = self.is_followed or name.startswith("later")
        message = self.messages[task] = Message(name, payload)
        later = delay + 0.2 * self._draw(name, "queue")
        match self._fault("queue", name):
            case "mislaid":
                return True
            case "delayed":
                later += 200 * self._draw(name, "delayed")
            case "twice":
                self.at(later + 3 * self._draw(name, "twice"), self._deliver, Message(name, payload))
            case "much later":
                again = 200 + 600 * self._draw(name, "much later")
                self.at(later + again, self._deliver, Message(name, payload))
        self.at(later, self._deliver, message)
        return True

    def _alias(self, task: str) -> str:
        """Return a name of an invocation that does not change with the form of requests."""
        found = _NUMBERED.search(task)
        if found is not None:
            name = self._aliases.setdefault(found[0], f"chain{len(self._aliases) + 1}")
            task = task.replace(found[0], name)
        return _JOB.sub(lambda each: "b" if each[0] == self.job else "later", task)

    def _deliver(self, message: Message) -> None:
        message.tries += 1
        tries = message.tries - 1
        self._invoke(message.task, lambda tools: engine.carry_out(tools, message.payload, tries), message)
        self._tick()

    def _invoke(self, name: str, work: Callable[[Any], object], message: Message | None = None) -> None:
        process = Process(name, message, self.cancelled_at is not None, self.done_at is not None)
        timeout, workers = TIMEOUT, self.scenario.workers
        if self.scenario.changes:
            timeout = self._one_of(SHORTER, name, "timeout")
            workers = self._one_of((1, 2, 4, workers), name, "workers")
            engine.measure(self._one_of((1, 2, 4), name, "page"), self._one_of((1, 3, 6), name, "most"))

        def main() -> None:
            tools = engine.tools(self.cloud, timeout, TIMEOUT, workers)
            try:
                answer = work(tools)
                self.say(f"returned {str(answer)[:150]}")
            except Transient as error:
                self.say(f"raised {error!r}")
                self._again(process)
            except OssCopyError as error:
                self.violations.append(f"{name} raised {error!r}")
            process.is_over = True

        self.say(f"begins {name}")
        self.at(timeout, self._kill, process)
        self._start(process, main)

    def _start(self, process: Process, main: Callable[[], None]) -> None:
        if not process.is_dead:
            thread = Thread(main)
            thread.process = process
            process.threads.append(thread)
            thread.switch()

    def _again(self, process: Process) -> None:
        """FC tries an invocation again that has failed, so many times."""
        message = process.message
        process.is_dead = True
        if message is not None and message.tries <= RETRIES:
            self.at(1 + 5 * self._draw(process.name, "again"), self._deliver, message)

    def _kill(self, process: Process) -> None:
        if process.is_dead:
            return
        if not process.is_over:
            self.say(f"killed {process.name}")
            self._again(process)
        process.is_dead = True
        for thread in process.threads:
            if not thread.dead:
                thread.throw(greenlet.GreenletExit)

    # --- requests --------------------------------------------------------------------------------------

    def ask(self, name: str, effect: Callable[[], T], about: str) -> T:
        """Let a request take effect when its time has come; return its answer, or raise its error."""
        thread = self._thread()
        process = thread.process
        self.requests += 1
        if self.requests > MOST_STEPS:
            process.is_dead = True
            raise greenlet.GreenletExit
        fault = "busy" if thread in self._stuck else self._strikes(process.name, name)
        if self.trace is not None:
            self.say(f"{name} {about[-60:]}" + (f"  !! {fault}" if fault else ""))
        delay = 0.02 + 0.1 * self._draw(process.name, name)
        if name == "copy":
            delay *= 4
        if fault:
            if self.scenario.chases and name == "copy":
                self.at(3 * self._draw(process.name, "chases"), self._chase, about.removeprefix("in/"))
            answer = self._disturbed(fault, thread, name, effect, delay)
        elif not self._queue or self.cloud.time + delay < self._queue[0][0]:
            self.cloud.time += delay
            return self._effect(process, name, effect)
        else:
            self.at(delay, self._land, thread, name, effect)
            answer = self._hub.switch()
        if isinstance(answer, BaseException):
            raise answer.with_traceback(None)
        found: T = answer
        return found

    def _disturbed(
        self, fault: str, thread: Thread, name: str, effect: Callable[[], T], delay: float
    ) -> T | BaseException:
        """Let a fault strike this request; return its answer."""
        process = thread.process
        late = (
            1 + (LATEST - 1) * self._draw(process.name, name, "late") ** 3
        )  # mostly soon: others go on then
        match fault:
            case "late":
                self.at(late, self._late, process, name, effect)
                self.at(delay, self._resume, thread, LOST)
            case "never":
                self.at(delay, self._resume, thread, LOST)
            case "busy" | "stuck":
                if fault == "stuck":  # OSS throttles this one, whatever it asks again
                    self._stuck.add(thread)
                self.at(delay, self._resume, thread, BUSY)
            case "kill":
                self.at(0.0, self._kill, process)
            case "kill late":
                self.at(late, self._late, process, name, effect)
                self.at(0.0, self._kill, process)
            case "kill after":
                self.at(delay, self._silent, process, name, effect)
                self.at(delay, self._kill, process)
            case "lost":
                self.at(delay, self._silent, process, name, effect)
                self.at(delay, self._resume, thread, LOST)
        answer: T | BaseException = self._hub.switch()
        return answer

    def _land(self, thread: Thread, name: str, effect: Callable[[], object]) -> None:
        self._resume(thread, self._silent(thread.process, name, effect))

    def _late(self, process: Process, name: str, effect: Callable[[], object]) -> None:
        """Let a request take effect that nobody waits for; the timer fires again to see what it has left."""
        self._silent(process, name, effect)
        self._tick()

    def _silent(self, process: Process, name: str, effect: Callable[[], object]) -> object:
        """Let a request take effect; return its answer, or the error that it is."""
        try:
            return self._effect(process, name, effect)
        except OssCopyError as error:
            return error

    def _effect(self, process: Process, name: str, effect: Callable[[], T]) -> T:
        if name in {"copy", "complete"}:
            if process.since_cancel and not self.is_followed:
                self.violations.append(f"{process.name} began after the cancel and asks for {name}")
            if process.since_done and not self.is_followed:
                self.violations.append(f"{process.name} began after the end and asks for {name}")
        outcome = effect()
        if name == "put cancel" and self.cancelled_at is None:
            self.cancelled_at = self.cloud.time
        if name == "put bulk":
            self.is_begun = self.is_begun or f"bulk/{self.job}/job" in self.cloud.records
        if name == "put done" and outcome is True and f"done/{self.job}" in self.cloud.records:
            self.done_at = self.cloud.time if self.done_at is None else self.done_at
        return outcome

    def _strikes(self, who: str, name: str) -> str:
        """Return the fault that strikes a request."""
        return self._fault("request", who, name) if name.startswith(self.scenario.aim) else ""

    def _fault(self, where: str, *what: str) -> str:
        """Return the fault that strikes here, if one does; there are only so many in a schedule."""
        kinds = self.scenario.kinds.get(where, ())
        if self._faults <= 0 or not kinds or self._draw(*what, "fault") >= self.scenario.rate:
            return ""
        self._faults -= 1
        kind = self._one_of(kinds, *what, "kind")
        self.struck[kind] += 1
        return kind

    # --- threads ---------------------------------------------------------------------------------------

    def _thread(self) -> Thread:
        """Return the thread that runs; what was killed does nothing more."""
        thread = greenlet.getcurrent()
        assert isinstance(thread, Thread)
        if thread.process.is_dead:
            raise greenlet.GreenletExit
        return thread

    def _resume(self, thread: Thread, value: object) -> None:
        """Let a thread go on until it wants something."""
        if not thread.process.is_dead and not thread.dead:
            thread.switch(value)

    def sleep(self, seconds: float) -> None:
        thread = self._thread()
        if not self._queue or self.cloud.time + seconds < self._queue[0][0]:
            self.cloud.time += seconds
        else:
            self.at(seconds, self._resume, thread, None)
            self._hub.switch()

    def together(self, work: Callable[[], None], count: int, until: float) -> None:
        """Let threads do this at once; return when all have, or at `until`."""
        thread = self._thread()
        if not self.scenario.threads:
            for _ in range(count):
                work()
            return
        join = Join(count)

        def over() -> None:
            if not join.is_over:
                join.is_over = True
                self._resume(thread, None)

        def one() -> None:
            work()
            join.left -= 1
            if join.left == 0:
                self.at(0.0, over)

        for _ in range(count):
            self.at(0.0, self._start, thread.process, one)
        self.at(max(0.0, until - self.cloud.time), over)
        self._hub.switch()

    def start(self, work: Callable[[], None]) -> None:
        """Let a thread of the invocation that runs do this."""
        process = self._thread().process
        if self.scenario.threads:
            self.at(0.001, self._start, process, work)
        else:
            work()

    def wait(self, signal: SimSignal, seconds: float) -> None:
        thread = signal.waiting = self._thread()
        wait = signal.waits = signal.waits + 1

        def late() -> None:
            if signal.waiting is thread and signal.waits == wait:
                signal.waiting = None
                self._resume(thread, None)

        self.at(max(0.0, seconds), late)
        self._hub.switch()

    def raised(self, signal: SimSignal) -> None:
        """Let the thread go on that waits for this flag."""
        thread, signal.waiting = signal.waiting, None
        if thread is not None:
            self.at(0.0, self._resume, thread, None)
