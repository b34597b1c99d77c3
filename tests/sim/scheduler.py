"""One schedule: the product's own engine on simulated OSS and FC, in virtual time.

An invocation is a greenlet, and so is each of its threads. Every request that one makes switches to the
scheduler, which lets it take effect and be answered at moments of its choice, so that the requests of all
interleave, and lets the faults of the schedule strike. Nothing here depends on anything but the scenario, the
faults and the choices. The product is known to `engine` alone.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import Any, TypeVar

import greenlet

from osscopy.model import (
    Continue,
    Copy,
    CopyRequest,
    Destination,
    OssCopyError,
    Refused,
    Result,
    Source,
    Sweep,
    Tell,
    Transient,
    Tuning,
)
from tests.sim import engine, faults, order
from tests.sim.choices import Choices, Listed
from tests.sim.engine import Tools
from tests.sim.faults import Fault
from tests.sim.processes import Flag, Join, Message, Process, Request, Task, Thread, Wait
from tests.sim.scenario import LATE_MARGIN, PART, SMALL, THRESHOLDS, TIMEOUTS, Scenario, patience, standstill
from tests.sim.world import KEY, World, digest

T = TypeVar("T")

EPOCH = 1_795_000_000.0
RETRIES = 3  # maxAsyncRetryAttempts
DROPPED = "dropped"  # the task of an invocation that is told of what FC gave up
MOST_SWEEPS = 40
LIST = b"list"  # the payload of an event that asks for several copies
SELDOM = 0.9  # of a number from 0 up to 1: above it a question comes much later than those beside it
MOST_STEPS = 40_000  # of a schedule; lists of copies in four lanes, with pages of one part, take up to 10,000

NO_ANSWER = Transient("NetworkError", "no answer", in_doubt=True)
TOO_LATE = Transient("NetworkError", "no answer in time", in_doubt=True, outlasted=True)
EXPIRED = Transient("SecurityTokenExpired", "the security token has expired")
BUSY = Transient("TotalQpsLimitExceeded", "slow down", throttled=True)


@dataclass
class Simulation:
    """Runs one schedule; afterwards everything that happened can be looked at."""

    scenario: Scenario
    faults: tuple[Fault, ...] = ()
    choices: Choices = field(default_factory=lambda: Listed({}))
    trace: list[str] | None = None
    processes: list[Process] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    gaps: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    messages: dict[str, Message] = field(default_factory=dict)
    copiers: set[tuple[str, str]] = field(
        default_factory=set
    )  # jobs, and invocations that copied their parts
    landed: Counter[tuple[str, int]] = field(default_factory=Counter)  # copies of each part of an upload
    told: list[tuple[float, str, tuple[str, ...]]] = field(default_factory=list)  # when, how, which jobs
    doubts: dict[str, float] = field(default_factory=dict)  # when a CopyObject of a job had no answer

    def __post_init__(self) -> None:
        scenario = self.scenario
        self.time = EPOCH
        self.world = World(scenario)
        self._queue: list[tuple[float, int, Callable[[], None], bool]] = []
        self._pending = 0  # of what is queued, without the watches over what goes on anyway
        self._order = 0
        self._outage_until = 0.0
        self.timeout, self._threshold = scenario.timeout, scenario.threshold
        self._hub = greenlet.getcurrent()
        self._waiting: dict[tuple[str, int], list[Fault]] = {}
        for fault in self.faults:
            self._waiting.setdefault((fault.request, fault.nth), []).append(fault)
        if scenario.former:  # not in the second in which the copy begins, which nobody could tell from it
            self.world.now = self.time - 100
            self.world.write_destination("former")
        self.world.now = self.time
        self.world.write_source(scenario.size)
        if scenario.itself:
            self.world.retag_source()  # else there is nothing to lose
        self.request = self._request()
        self.sweeps = 0
        self.jobs: list[str] = []  # in the order in which they came up
        self.followers: set[str] = set()  # those of them that follow another
        self.copy = self._asked()
        self.job = self.copy.job
        more = scenario.listed - 1 if scenario.entry == "list" else 0
        self.list = (self.copy, *(self._asked() for _ in range(more)))

    def _request(self) -> CopyRequest:
        scenario = self.scenario
        bucket = "source-bucket" if scenario.itself or scenario.shallow else "destination-bucket"
        return CopyRequest(
            source=Source("source-bucket", KEY),
            destination=Destination(bucket, "other" if scenario.shallow else KEY),
            overwrite=scenario.overwrite,
            storage_class="IA" if scenario.itself else "keep",
            archive="restore" if scenario.restore else "fail",
            symlinks="follow" if scenario.link == "follow" else "copy",
            tuning=Tuning(part_size=PART, parallel=scenario.parallel, lanes=scenario.lanes),
        )

    def answers(self, job: str) -> list[tuple[Process, Result]]:
        """What invocations have answered of a job."""
        return [(each, answer) for each in self.processes for answer in each.answers if answer.job == job]

    def _asked(self) -> Copy:
        """A copy of the source, asked for or made by the rule: each a job of its own."""
        job = engine.job_of(self.request, digest(str(len(self.jobs))))
        self.jobs.append(job)
        follows = 0 if self.scenario.by_rule and self.scenario.overwrite != "never" else None
        told = self.scenario.by_rule or self.scenario.entry in {"event", "list"}  # when, by the trigger
        begun = datetime.fromtimestamp(self.time + self.scenario.skew, timezone.utc)
        started_at = begun.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return Copy(job, self.request, started_at, follows=follows, since=int(self.time) if told else None)

    @property
    def _period(self) -> float:
        return self.scenario.period or standstill(self.timeout)

    # --- time ------------------------------------------------------------------------------------------

    def run(self) -> Simulation:
        """Until nothing is left to happen."""
        self.at(0.0, self._enter)
        self.at(self._period, self._sweep, is_watch=True)
        steps = 0
        while steps < MOST_STEPS and self.step():
            steps += 1
        if self._queue:
            self.violations.append(f"it does not end: {steps} steps")
            for process in self.processes:
                self._kill(process, "the end of the schedule")
        return self

    def step(self) -> bool:
        """Let the next thing happen; return whether there was one."""
        if not self._queue:
            return False
        self.time, _, action, is_watch = heapq.heappop(self._queue)
        self._pending -= not is_watch
        self.world.now = self.time
        action()
        return True

    def at(self, seconds: float, action: Callable[[], None], *, is_watch: bool = False) -> None:
        """Let `action` happen in so many seconds; a watch alone does not keep the sweep coming."""
        self._order += 1
        self._pending += not is_watch
        heapq.heappush(self._queue, (self.time + seconds, self._order, action, is_watch))

    def say(self, who: str, text: object) -> None:
        if self.trace is not None:
            self.trace.append(f"{self.time - EPOCH:9.3f}  {who:<28} {text}")

    # --- invocations -----------------------------------------------------------------------------------

    def _enter(self) -> None:
        match self.scenario.entry:
            case "event":
                self.accept("start", engine.payload(self.copy), 0)
            case "list":
                self.accept("list", LIST, 0)
            case "queue":
                self._leave_to_queue(in_doubt=False)
            case "doubt":  # the invocation that gave no answer may be at work still
                self.invoke("http", lambda tools: tools.control.start(self.copy), min(10.0, self.timeout))
                self.at(15.0 * self.choices.draw("queued"), lambda: self._leave_to_queue(in_doubt=True))
            case "http":
                self.invoke("http", lambda tools: tools.control.start(self.copy), min(10.0, self.timeout))
            case _:
                self.invoke("direct", lambda tools: tools.begin(self.copy), self.timeout)

    def _leave_to_queue(self, *, in_doubt: bool) -> None:
        """Let FC begin the copy; one that the first invocation has handed over has taken this task id."""
        task, payload = engine.left_to_queue(self.copy, in_doubt=in_doubt)
        self.accept(task, payload, 0)

    def _sweep(self) -> None:
        """The timer; it comes until there is nothing left for it to do."""
        if self.sweeps < MOST_SWEEPS and (self._pending or self._is_open()):
            self._begin_sweep()
            self.at(self._period, self._sweep, is_watch=True)

    def _begin_sweep(self) -> None:
        self.sweeps += 1
        self.invoke("sweep", lambda tools: tools.sweeper.run(Sweep()), self.timeout)

    def _is_open(self) -> bool:
        records = any(name.startswith(("open/", "up/", "rest/")) for name in self.world.records)
        records |= any(f"done/{job}" in self.world.ever for job in self.untold)
        return records or any(upload.state == "open" for upload in self.world.uploads.values())

    @property
    def untold(self) -> list[str]:
        """Jobs that are on record as to be told."""
        return [name[5:] for name in self.world.records if name.startswith("tell/")]

    def accept(self, task: str, payload: bytes, delay: float, fault: Fault | None = None) -> bool:
        """Take an invocation into FC's queue; False if its id is known."""
        if task in self.messages:
            return False
        message = self.messages[task] = Message(task, payload)
        command = self._command(message)
        if isinstance(command, Copy | Continue) and command.job not in self.jobs:
            self.jobs.append(command.job)
            self.followers.add(command.job)
        kind = fault.kind if fault else None
        if fault and kind == faults.MISLAID:
            self.gaps["lost link"] += 1
            return True
        later = delay + self.choices.draw("delivery") * 0.05
        self.at(
            later + (fault.seconds if fault and kind == faults.DELAYED else 0), lambda: self._deliver(message)
        )
        if fault and kind == faults.TWICE:
            again = Message(task, payload)
            self.at(later + fault.seconds * fault.choice, lambda: self._deliver(again))
        return True

    def _deliver(self, message: Message) -> None:
        message.tries += 1
        retried = message.tries > 1

        def work(tools: Tools) -> object:
            return tools.carry_out(self._command(message), retried=retried)

        self.invoke(self._named(message.task), work, self.timeout, message)

    def _named(self, task: str) -> str:
        """As a trace calls it: hops of other jobs than the first one by the job's number."""
        for number, job in enumerate(self.jobs):
            if task.startswith(job):
                return f"{number + 1}:" * (number > 0) + task.removeprefix(job + "-")
        return task

    def _command(self, message: Message) -> engine.Command:
        return self.list if message.payload == LIST else engine.command(message.payload, self.time)

    def _tell_of(self, news: Message) -> None:
        """FC tells the function of what it gave up, and tries that again like any other invocation."""
        news.tries += 1
        command = self._command(news)
        self.invoke(DROPPED, lambda tools: tools.resume_dropped(command), self.timeout, news)

    def invoke(
        self,
        name: str,
        work: Callable[[Tools], object],
        seconds: float,
        message: Message | None = None,
    ) -> None:
        """Begin an invocation that has so many seconds."""
        name = f"{name}#{sum(each.name.startswith(name + '#') for each in self.processes) + 1}"
        command = self._command(message) if message else self.copy
        job = command.job if isinstance(command, Copy | Continue) else self.job
        process = Process(name, self.time, self.time + seconds, self.timeout, message)
        if isinstance(command, Continue):
            process.is_hop, process.generation = not command.gone_at, command.generation
        self.processes.append(process)
        tools = engine.tools(self, process, seconds, self._threshold)

        def body(_: object) -> None:
            try:
                answer = work(tools)
                if isinstance(answer, Result):
                    process.note(answer)
                process.end = process.end or "returned"
            except OssCopyError as error:
                process.error, process.end = error, process.end or "raised"

        main = Thread(process, greenlet.greenlet(body), Task(job))
        process.threads.append(main)
        self.say(name, "begins")
        self.at(seconds, lambda: self._kill(process, "its timeout"), is_watch=True)
        self._resume(main, None)

    def together(self, process: Process, work: Callable[[], None], count: int, until: float) -> None:
        """From inside an invocation: let so many threads do `work`; return when all have, or at `until`."""
        threads = tuple(
            Thread(process, greenlet.greenlet(lambda _: work(), self._hub), process.task)
            for _ in range(count)
        )
        for thread in threads:
            thread.is_late, thread.since = count > 1, self.time
        process.threads += threads
        self.pause(process, Join(threads, until))

    def start(self, process: Process, work: Callable[[], None]) -> None:
        """From inside an invocation: let another thread do `work`; nobody waits for it."""
        thread = Thread(process, greenlet.greenlet(lambda _: work(), self._hub), process.task, is_late=True)
        process.threads.append(thread)
        self.at(0.0, lambda: self._resume(thread, None))

    def raise_flag(self, flag: Flag) -> None:
        """From inside an invocation: wake the threads that wait for it."""
        flag.is_up = True
        for thread, wait in tuple(flag.waiting):
            self._wake(thread, wait)

    def _wait(self, thread: Thread, wait: Wait) -> None:
        wait.flag.waiting.append((thread, wait))
        self.at(wait.seconds, lambda: self._wake(thread, wait), is_watch=True)

    def _wake(self, thread: Thread, wait: Wait) -> None:
        """Let a thread go on that waits for a flag, once."""
        if (thread, wait) in wait.flag.waiting:
            wait.flag.waiting.remove((thread, wait))
            self.at(0.0, lambda: self._resume(thread, None))

    def _resume(self, thread: Thread, value: object) -> None:
        """Let a thread go on until it waits for something."""
        process = thread.process
        if process.is_dead or thread.run.dead:
            return
        process.current = thread
        wanted = thread.run.switch(value)
        if thread.run.dead:
            if thread is process.threads[0]:
                self._ended(process)
            else:
                self._joined(process)
        elif isinstance(wanted, float):
            self.at(wanted, lambda: self._resume(thread, None))
        elif isinstance(wanted, Join):
            self._join(thread, wanted)
        elif isinstance(wanted, Wait):
            self._wait(thread, wanted)
        elif thread.is_late:  # so that any of those that begin together may come first
            thread.is_late = False
            self.at(self._lateness(), lambda: self._serve(thread, wanted))
        else:
            self._serve(thread, wanted)

    def _lateness(self) -> float:
        """When a question that is asked beside others is asked: at once, or while parts are being copied."""
        drawn = self.choices.draw("arrival")
        return 0.05 * drawn if drawn < SELDOM else (drawn - SELDOM) * 20 * self.scenario.part_seconds

    def _join(self, main: Thread, join: Join) -> None:
        main.joins = join
        for thread in join.threads:
            self._resume(thread, None)
        self.at(max(0.0, join.until - self.time), lambda: self._give_up(main, join), is_watch=True)

    def _joined(self, process: Process) -> None:
        """Let the threads go on of which all that they wait for are done."""
        for thread in process.threads:
            if (join := thread.joins) and all(each.run.dead for each in join.threads):
                self.at(0.0, partial(self._give_up, thread, join))

    def _give_up(self, thread: Thread, join: Join) -> None:
        """Let a thread wait for these no longer; those that are not done go on by themselves."""
        if thread.joins is join:
            thread.joins = None
            self._resume(thread, None)

    def _kill(self, process: Process, by: str) -> None:
        """End an instance; what threads of one that has returned still do ends with it."""
        is_over = bool(process.end)
        if not is_over:
            self.say(process.name, f"!! killed by {by}")
        process.end, process.is_dead = process.end or "killed", True
        for thread in reversed(process.threads):
            if thread.asking == "copy object" and not is_over:
                self.doubts[thread.task.job] = self.time
            if not thread.run.dead:
                thread.run.throw(greenlet.GreenletExit)
        if not is_over:
            self._ended(process)

    def _ended(self, process: Process) -> None:
        process.ended_at = self.time
        order.check_progress(self, process)
        if self.trace is not None:
            self.say(process.name, f"{process.end}: {process.error or _short(process.answer)}")
        if process.error is not None and not isinstance(process.error, (Transient, Refused)):
            self.violations.append(f"{process.name} raised {process.error!r}")
        if process.end == "returned" or process.name.startswith(("cancel", "sweep")):
            return  # the timer comes again
        message = process.message
        if message is None:
            self.gaps["no caller to try again"] += 1
        elif message.task == DROPPED:
            if message.tries <= RETRIES:
                self.at(0.5 + 10 * self.choices.draw("retry"), lambda: self._tell_of(message))
            else:
                self.gaps["nobody was told of it"] += 1
        elif message.tries > RETRIES and isinstance(self._command(message), Tell):
            self.say(process.name, "!! FC gives up on it: the sweep asks again")
        elif message.tries > RETRIES:
            self.say(process.name, "!! FC gives up on it")
            self.gaps["retries used up"] += 1
            if self.scenario.told and not isinstance(self._command(message), Sweep):
                self._tell_of(Message(DROPPED, message.payload))
        else:
            self.at(0.5 + 10 * self.choices.draw("retry"), lambda: self._deliver(message))

    def begin_cancel(self) -> None:
        self.invoke("cancel", lambda tools: tools.control.cancel(self.job), min(10.0, self.timeout))

    # --- requests --------------------------------------------------------------------------------------

    def ask(self, process: Process, request: Request) -> Any:
        """From inside an invocation: make a request and wait for its answer."""
        answer = self.pause(process, request)
        if isinstance(answer, BaseException):
            raise answer.with_traceback(None)  # some are shared: they would keep all frames they were seen in
        return answer

    def pause(self, process: Process, wanted: Request | Join | Wait | float) -> Any:
        """From inside an invocation: let the world go on."""
        if process.is_dead:
            raise greenlet.GreenletExit
        return self._hub.switch(wanted)

    def _serve(self, thread: Thread, request: Request) -> None:
        process = thread.process
        if process.is_dead:
            return
        thread.asking, thread.about = request.name, request.about
        process.current = thread
        fault = self._strike(process, request.name)
        kind = fault.kind if fault else ""
        order.check(self, process, request.name)
        thread.task.asked_at[request.name] = self.time
        process.requests += 1
        if self.trace is not None:
            self.say(process.name, request.name + (f"  !! {fault}" if fault else ""))
        if kind == faults.EXPIRED:
            process.expired = True
        if process.expired:
            self._answer(thread, 0.01, request.name, EXPIRED)
            return
        process.is_squeezed = process.is_squeezed or kind == faults.SQUEEZED
        if kind == faults.THROTTLED or self._is_throttled(process, request.name):
            self._answer(thread, 0.01, request.name, BUSY)
            return
        if fault and kind == faults.KILL:
            self._kill(process, "a fault")
            return
        takes = 0.004 + 0.04 * self.choices.draw("sending") + self._works(request)
        back = 0.004 + 0.03 * self.choices.draw("answer")
        process.survives = bool(fault and fault.survives)
        process.corrupts = kind == faults.CORRUPT
        if fault and self._lose(thread, request, fault, takes, back):
            return
        if fault and kind == faults.SLOW:
            takes += fault.seconds
        if fault and kind == faults.HELD:
            back += fault.seconds
        timeout = _patience(process, request)
        if takes + back > timeout:
            self._answer(thread, timeout, request.name, TOO_LATE)
            self._land(thread, request, takes, 0, is_heard=False)
        else:
            self._land(thread, request, takes, back)

    def _is_throttled(self, process: Process, name: str) -> bool:
        """Whether OSS throttles this request as others of its kind."""
        is_outage = self.time < self._outage_until and name != "submit"
        return is_outage or (process.is_squeezed and name == "copy part")

    def _works(self, request: Request) -> float:
        """Seconds that OSS copies bytes."""
        match request.name:
            case "copy part":
                parts = 1
            case "copy object" if not self.scenario.shallow and self.scenario.link != "copy":
                parts = max(1, self.scenario.size // PART)
            case _:
                return 0.0
        return parts * self.scenario.part_seconds * (0.5 + self.choices.draw(request.name))

    def _lose(self, thread: Thread, request: Request, fault: Fault, takes: float, back: float) -> bool:
        """Let the answer get lost, if that is what the fault does: with the request, or after it."""
        process, timeout = thread.process, _patience(thread.process, request)
        late = min(fault.seconds, patience(process.timeout) + LATE_MARGIN)
        wait = min(fault.seconds, timeout)
        silent = TOO_LATE if wait == timeout else NO_ANSWER
        match fault.kind:
            case faults.NEVER:
                self._answer(thread, wait, request.name, silent)
            case faults.LOST:
                self._land(thread, request, takes, 0, is_heard=False)
                self._answer(thread, takes + wait, request.name, silent)
            case faults.LATE:
                self._land(thread, request, takes + late, 0, is_heard=False)
                self._answer(thread, wait * fault.choice, request.name, NO_ANSWER)
            case faults.KILL_AFTER:
                self._land(thread, request, takes, 0, is_heard=False)
                self.at(takes + back, lambda: self._kill(process, "a fault"))
            case faults.KILL_LATE:
                self._land(thread, request, takes + late, 0, is_heard=False)
                self.at(0.001, lambda: self._kill(process, "a fault"))
            case _:
                return False
        return True

    def _strike(self, process: Process, name: str) -> Fault | None:
        """The fault that meets this request; what happens beside it is set going."""
        self.requests[name] += 1
        self.requests[""] += 1
        if not self._waiting:
            return None
        due = self._waiting.pop((name, self.requests[name]), [])
        due += self._waiting.pop(("", self.requests[""]), [])
        met = None
        for fault in due:
            if fault.kind in faults.BESIDE:
                self.at(fault.seconds, lambda fault=fault: self._happen(fault))  # type: ignore[misc]  # the base carries no types
            elif fault.kind in faults.ON_SUBMIT:
                process.mislaid.append(fault)
            else:
                met = fault
                if fault.kind == faults.OUTAGE:
                    self._outage_until = self.time + fault.seconds
        return met

    def _happen(self, fault: Fault) -> None:
        self.say("the world", f"!! {fault.kind}")
        match fault.kind:
            case faults.BYTES:
                sizes = (self.scenario.size, self.scenario.size + 1, SMALL, self.scenario.size + PART)
                self.world.write_source(_chosen(sizes, fault))
                self._tell()
            case faults.META if self.scenario.link == "follow" and fault.survives:
                self.world.retarget_source()
                self._tell()
            case faults.META:
                self.world.touch_source()
                self._tell()
            case faults.TAGS:
                self.world.retag_source()
            case faults.DELETE:
                self.world.delete_source(link=fault.survives)
            case faults.FOREIGN:
                self.world.write_destination("foreign")
            case faults.CANCEL:
                self.begin_cancel()
            case faults.RIVAL:
                self._deliver_new()
            case faults.SWEEP:
                self._begin_sweep()
            case faults.SETTINGS:
                self._change_settings(fault)
            case faults.AGAIN if self.messages:
                message = _chosen(tuple(self.messages.values()), fault)
                self._deliver(Message(message.task, message.payload))

    def _change_settings(self, fault: Fault) -> None:
        """As another deployment does, for invocations that begin from now on."""
        if fault.survives:
            self._threshold = _chosen(THRESHOLDS, fault)
        else:
            self.timeout = _chosen(tuple(each for each in TIMEOUTS if each != self.timeout), fault)
        self.say("the world", f"timeout {self.timeout:g} s, threshold {self._threshold}")

    def _tell(self) -> None:
        """What is created under a rule is an event; new tags are none."""
        if self.scenario.by_rule and self.world.source is not None:
            self._deliver_new()

    def _deliver_new(self) -> None:
        copy = self._asked()
        self.accept(f"event-{copy.job}", engine.payload(copy), self.choices.draw("event"))

    def _land(
        self, thread: Thread, request: Request, takes: float, back: float, *, is_heard: bool = True
    ) -> None:
        """Let the request arrive, take effect after `takes` seconds, and be answered after `back` more."""
        process = thread.process
        begun: Any = None
        failed: OssCopyError | None = None
        survives, corrupts = process.survives, process.corrupts
        if request.begin is not None:
            try:
                begun = request.begin()
            except OssCopyError as error:
                failed = error

        def effect() -> None:
            process.survives, process.corrupts = survives, corrupts
            outcome: Any
            if failed is not None:
                outcome = failed
            else:
                try:
                    outcome = request.apply(begun)
                except OssCopyError as error:
                    outcome = error
            if not is_heard:
                self.say(process.name, f"   ... {request.name} took effect unheard: {_short(outcome)}")
            else:
                self._answer(thread, back, request.name, outcome)

        self.at(takes, effect)

    def _answer(self, thread: Thread, seconds: float, name: str, outcome: object) -> None:
        process = thread.process

        def answer() -> None:
            if process.is_dead:
                return
            if self.trace is not None:
                self.say(process.name, f"   {name} -> {_short(outcome)}")
            thread.asking = ""
            self._heard(thread, name, outcome)
            self._resume(thread, outcome)

        self.at(seconds, answer)

    def _heard(self, thread: Thread, name: str, outcome: object) -> None:
        """What an invocation knows from here on."""
        process = thread.process
        match name:
            case "initiate" if isinstance(outcome, str):
                self.world.uploads[outcome].answered = True
            case "list parts":
                # whatever is looked at next, or together with it, is asked for later
                thread.task.listed_at = self.time if thread.since is None else thread.since
            case "copy part" if thread.about not in process.copied:
                thread.task.part_at = self.time
                process.copied.update([] if isinstance(outcome, OssCopyError) else [thread.about])
            case "find destination" if not isinstance(outcome, Transient):
                thread.task.looked_at = self.time
            case "copy object" if isinstance(outcome, Transient) and outcome.in_doubt:
                thread.task.doubt_at = self.doubts[thread.task.job] = self.time
            case "copy object" | "complete" if not isinstance(outcome, OssCopyError):
                process.wrote.add(thread.task.job)


def _patience(process: Process, request: Request) -> float:
    """Seconds that an answer is waited for."""
    usual = patience(process.timeout)
    return usual if request.timeout is None else min(usual, request.timeout)


def _chosen(among: tuple[T, ...], fault: Fault) -> T:
    """The one that the fault means."""
    return among[int(fault.choice * len(among))]


def _short(value: object) -> str:
    if isinstance(value, Result):
        return f"{value.status} hops={value.hops}" + (f" {value.error.code}" if value.error else "")
    return repr(value)[:110]
