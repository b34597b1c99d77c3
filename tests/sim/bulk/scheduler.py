"""One schedule of a job of many objects: the product's own code, FC's queue, faults and a busy world.

An invocation is a greenlet, and so is each of its threads. Every request switches to this scheduler, which
lets it take effect and be answered at moments of its choice. All choices come from one seeded source.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import greenlet

from osscopy.model import OssCopyError, Transient
from tests.sim.bulk import engine
from tests.sim.bulk.scenario import Scenario
from tests.sim.bulk.world import SimCloud, SimSignal
from tests.unit.engine import DST, LARGE, SMALL, SRC

TIMEOUT = 20.0
RETRIES = 3
PERIOD = 90.0  # of the sweep
MOST_SWEEPS = 60
MOST_STEPS = 60_000
KEPT = ("done/", "cancel/", "turn/", "key/", "gen/l-")  # records that may stay when a job is over
LOST = Transient("NetworkError", "no answer", in_doubt=True)
BUSY = Transient("TotalQpsLimitExceeded", "slow down", throttled=True)


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
    deadline: float
    since_cancel: bool
    since_done: bool
    is_dead: bool = False


@dataclass(eq=False)
class Join:
    """The wait of a thread for others."""

    left: int
    waiting: Any
    is_over: bool = False


@dataclass
class Schedule:
    """Runs one schedule; afterwards everything that happened can be looked at."""

    scenario: Scenario
    seed: int = 0
    trace: list[str] | None = None
    violations: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    messages: dict[str, Message] = field(default_factory=dict)
    job: str = ""
    sweeps: int = 0
    cancelled_at: float | None = None
    done_at: float | None = None
    is_begun: bool = False  # the job is on record

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self.cloud = SimCloud(self)
        self._hub = greenlet.getcurrent()
        self._owner: dict[Any, Process] = {}
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._pending = 0
        self._faults = self.scenario.faults
        self._stuck: set[Any] = set()
        self.ever: set[str] = set()
        self.always: set[str] = set()
        self.versions: dict[str, set[str]] = {}
        self._names = itertools.count(1)
        for key in self.scenario.keys:
            self.put_source(key)
        for key in self.scenario.there:
            self.cloud.put(f"out/{key}", "9", bucket=DST)
        for key in self.scenario.copied:
            head = self.cloud.objects[SRC, f"in/{key}"].head
            self.cloud.put(f"out/{key}", head.crc64 or "", bucket=DST, size=head.size)
        self.cloud.copies.clear()
        self.cloud.time += 100

    # --- the world -------------------------------------------------------------------------------------

    def put_source(self, key: str) -> None:
        """Write the next version of an object; every third name is a large one."""
        size = LARGE if key in self.scenario.large else SMALL
        version = str(next(self._names) + 100)
        self.cloud.put(f"in/{key}", version, size=size)
        self.ever.add(key)
        self.versions.setdefault(key, set()).add(version)

    def delete_source(self, key: str) -> None:
        self.cloud.objects.pop((SRC, f"in/{key}"), None)
        self.always.discard(key)

    def _happen(self, what: str) -> None:
        self.say(f"!! {what}")
        key = self._random.choice((*self.scenario.keys, *self.scenario.more))
        match what:
            case "put":
                self.put_source(key)
            case "delete":
                self.delete_source(key)
            case "foreign":
                self.cloud.put(f"out/{key}", "8", bucket=DST)
            case "cancel":
                self._invoke("cancel", lambda tools: engine.cancel(tools, self.job))
            case "sweep":
                self._sweep()

    # --- running ---------------------------------------------------------------------------------------

    def run(self) -> Schedule:
        """Until the job is over and forgotten, or nothing can happen any more."""
        asked = engine.asked(self.scenario)
        self.job = asked.job
        self.always = set(self.scenario.keys)
        engine.measure(self.scenario)
        self.accept("start", engine.payload(asked), 0)
        for what in self.scenario.happens:
            self.at(self._random.random() * self.scenario.seconds, lambda what=what: self._happen(what))  # type: ignore[misc]  # the base carries no types
        self.at(PERIOD, self._timer)
        for _ in range(MOST_STEPS):
            if not self._queue:
                break
            self.cloud.time, _, action = heapq.heappop(self._queue)
            action()
        for thread, process in list(self._owner.items()):
            process.is_dead = True
            if not thread.dead:
                thread.throw(greenlet.GreenletExit)
        return self

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.cloud.time + seconds, next(self._order), action))

    def say(self, text: str) -> None:
        if self.trace is not None:
            thread = greenlet.getcurrent()
            who = self._owner[thread].name if thread in self._owner else ""
            self.trace.append(f"{self.cloud.time - 1_800_000_000:9.3f} {who:<40} {text}")

    def random(self) -> float:
        return self._random.random()

    def is_over(self) -> bool:
        """Return whether nothing of the job is on record but its outcome."""
        return not any(not name.startswith(KEPT) for name in self.cloud.records)

    def _timer(self) -> None:
        never = not self.is_begun and self.sweeps > 4  # its event was lost
        if self.sweeps < MOST_SWEEPS and not (self.is_over() and (self.done_at or never)):
            self._sweep()
            self.at(PERIOD, self._timer)

    def _sweep(self) -> None:
        self.sweeps += 1
        self._invoke(f"sweep{self.sweeps}", engine.sweep)

    # --- FC --------------------------------------------------------------------------------------------

    def accept(self, task: str, payload: bytes, delay: float) -> bool:
        """Take an invocation into FC's queue; False if its id is known."""
        if task in self.messages:
            return False
        message = self.messages[task] = Message(task, payload)
        later = delay + 0.2 * self.random()
        match self._fault("queue"):
            case "mislaid":
                return True
            case "delayed":
                later += 200 * self.random()
            case "twice":
                self.at(later + 3 * self.random(), lambda: self._deliver(Message(task, payload)))
        self.at(later, lambda: self._deliver(message))
        return True

    def _deliver(self, message: Message) -> None:
        message.tries += 1
        tries = message.tries - 1
        self._invoke(message.task, lambda tools: engine.carry_out(tools, message.payload, tries), message)

    def _invoke(self, name: str, work: Callable[[Any], object], message: Message | None = None) -> None:
        deadline = self.cloud.time + TIMEOUT
        process = Process(name, message, deadline, self.cancelled_at is not None, self.done_at is not None)

        def main() -> None:
            tools = engine.tools(self.cloud, TIMEOUT, self.scenario)
            try:
                answer = work(tools)
                self.say(f"returned {str(answer)[:150]}")
            except greenlet.GreenletExit:
                raise
            except Transient as error:
                self.say(f"raised {error!r}")
                self._again(process)
            except OssCopyError as error:
                self.violations.append(f"{name} raised {error!r}")

        self.say(f"begins {name}")
        self.at(TIMEOUT, lambda: self._kill(process))
        self._start(process, main)

    def _start(self, process: Process, main: Callable[[], None]) -> Any:
        thread = greenlet.greenlet(main)
        self._owner[thread] = process
        self._resume(thread, None)
        return thread

    def _again(self, process: Process) -> None:
        """FC tries an invocation again that has failed, so many times."""
        message = process.message
        process.is_dead = True
        if message is not None and message.tries <= RETRIES:
            self.at(1 + 5 * self.random(), lambda: self._deliver(message))

    def _kill(self, process: Process) -> None:
        threads = [each for each, owner in self._owner.items() if owner is process and not each.dead]
        if process.is_dead or not threads:
            return
        self.say(f"killed {process.name}")
        self._again(process)
        for thread in threads:
            self._owner.pop(thread)
            thread.throw(greenlet.GreenletExit)

    # --- requests --------------------------------------------------------------------------------------

    def ask(self, name: str, effect: Callable[[], Any], about: str) -> Any:
        answer = self._switch(("ask", name, effect, about))
        if isinstance(answer, BaseException):
            raise answer.with_traceback(None)
        return answer

    def sleep(self, seconds: float) -> None:
        self._switch(("sleep", seconds))

    def together(self, work: Callable[[], None], count: int, until: float) -> None:
        self._switch(("join", work, count, until))

    def start(self, work: Callable[[], None]) -> None:
        """Let a thread of the invocation that runs do this, a little later."""
        process = self._owner.get(greenlet.getcurrent())
        if process is None or process.is_dead:
            raise greenlet.GreenletExit
        self.at(0.001, lambda: None if process.is_dead else self._start(process, work) and None)

    def wait(self, signal: SimSignal, seconds: float) -> None:
        self._switch(("wait", signal, seconds))

    def raised(self, signal: SimSignal) -> None:
        """Let the thread go on that waits for this flag."""
        thread, signal.waiting = signal.waiting, None
        if thread is not None:
            self.at(0.0, lambda: self._resume(thread, None))

    def _switch(self, wanted: tuple[Any, ...]) -> Any:
        process = self._owner.get(greenlet.getcurrent())
        if process is None or process.is_dead:
            raise greenlet.GreenletExit
        return self._hub.switch(wanted)

    def _resume(self, thread: Any, value: Any) -> None:
        """Let a thread go on until it wants something."""
        process = self._owner.get(thread)
        if process is None or process.is_dead:
            return
        wanted = thread.switch(value) if value is not None or thread else thread.switch()
        if thread.dead:
            self._owner.pop(thread, None)
            return
        match wanted:
            case ("sleep", seconds):
                self.at(seconds, lambda: self._resume(thread, None))
            case ("wait", signal, seconds):
                self._await(thread, signal, seconds)
            case ("join", work, count, until):
                self._join(thread, process, work, count, until)
            case ("ask", name, effect, about):
                self._serve(thread, process, name, effect, about)

    def _join(
        self, thread: Any, process: Process, work: Callable[[], None], count: int, until: float
    ) -> None:
        join = Join(count, thread)

        def over() -> None:
            if not join.is_over:
                join.is_over = True
                self._resume(thread, None)

        def one() -> None:
            work()
            join.left -= 1
            if join.left == 0:
                self.at(0.0, over)

        for number in range(count):
            self.at(0.001 * number, lambda: self._start(process, one) and None)
        self.at(max(0.0, until - self.cloud.time), over)

    def _await(self, thread: Any, signal: SimSignal, seconds: float) -> None:
        signal.waiting = thread
        wait = signal.waits = signal.waits + 1

        def late() -> None:
            if signal.waiting is thread and signal.waits == wait:
                signal.waiting = None
                self._resume(thread, None)

        self.at(max(0.0, seconds), late)

    def _fault(self, where: str) -> str:
        """Return the fault that strikes here, if one does; there are only so many in a schedule."""
        kinds = self.scenario.kinds.get(where, ())
        if self._faults <= 0 or not kinds or self.random() >= self.scenario.rate:
            return ""
        self._faults -= 1
        kind = self._random.choice(kinds)
        self.struck[kind] += 1
        return kind

    def _serve(self, thread: Any, process: Process, name: str, effect: Callable[[], Any], about: str) -> None:
        fault = "busy" if thread in self._stuck else self._fault("request")
        if fault == "stuck":  # OSS throttles this one, whatever it asks again
            self._stuck.add(thread)
            fault = "busy"
        self.say(f"{process.name[-24:]}: {name} {about[-60:]}" + (f"  !! {fault}" if fault else ""))
        there, back = 0.01 + 0.05 * self.random(), 0.01 + 0.05 * self.random()
        if name == "copy":
            there *= 4
        if fault == "late":
            self.at(1 + 60 * self.random(), lambda: self._effect(process, name, effect))
            self.at(back, lambda: self._resume(thread, LOST))
        elif fault == "never":
            self.at(back, lambda: self._resume(thread, LOST))
        elif fault == "busy":
            self.at(back, lambda: self._resume(thread, BUSY))
        elif fault == "kill":
            self.at(0.0, lambda: self._kill(process))
        elif fault == "kill late":
            self.at(there + 40 * self.random(), lambda: self._effect(process, name, effect))
            self.at(0.0, lambda: self._kill(process))
        else:

            def land() -> None:
                outcome = self._effect(process, name, effect)
                if fault == "kill after":
                    self._kill(process)
                else:
                    self.at(back, lambda: self._resume(thread, LOST if fault == "lost" else outcome))

            self.at(there, land)

    def _effect(self, process: Process, name: str, effect: Callable[[], Any]) -> Any:
        """Let a request take effect; return its answer, or the error that it is."""
        if name in {"copy", "complete"}:
            if process.since_cancel:
                self.violations.append(f"{process.name} began after the cancel and asks for {name}")
            if process.since_done:
                self.violations.append(f"{process.name} began after the end and asks for {name}")
        try:
            outcome = effect()
        except OssCopyError as error:
            return error
        if name == "put cancel" and self.cancelled_at is None:
            self.cancelled_at = self.cloud.time
        self.is_begun = self.is_begun or f"bulk/{self.job}/job" in self.cloud.records
        if name == "put done" and outcome is True and f"done/{self.job}" in self.cloud.records:
            self.done_at = self.cloud.time if self.done_at is None else self.done_at
        return outcome


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
