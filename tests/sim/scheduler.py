"""One schedule: the product's own engine on simulated OSS and FC, in virtual time, from a seed.

An invocation is a greenlet. Every request it makes switches to the scheduler, which lets it take effect and
be answered at drawn moments, so that the requests of different invocations interleave, and lets the faults
of the schedule strike. Nothing here depends on anything but the scenario and the faults.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

import greenlet

from osscopy import events, plan
from osscopy.copying import hop, results, start
from osscopy.copying.invocation.context import Context, Limits
from osscopy.jobs.control import Control
from osscopy.jobs.dropped import resume_dropped
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.lists import Worklist
from osscopy.jobs.sweep import Sweeper
from osscopy.model import (
    Continue,
    Copy,
    CopyRequest,
    Destination,
    Dropped,
    OssCopyError,
    Pin,
    Refused,
    Rest,
    Result,
    Source,
    Sweep,
    Transient,
    Tuning,
)
from osscopy.plan import keys
from tests.sim import faults
from tests.sim.faults import Fault
from tests.sim.ports import SimClock, SimInvoker, SimRecords, SimStore
from tests.sim.world import Stored, World, digest

EPOCH = 1_795_000_000.0
RETRIES = 3  # maxAsyncRetryAttempts
DROPPED = "dropped"  # the task of an invocation that is told of what FC gave up
PART = plan.MIN_PART
THRESHOLD, SMALL = 60_000, 50_000
THRESHOLDS = (THRESHOLD, 1_000_000)  # of parts; with the second one CopyObject copies everything
TIMEOUTS = (20.0, 60.0, 240.0)
MOST_SWEEPS = 40
LIST = b"list"  # the payload of an event that asks for several copies
MOST_STEPS = 6_000  # of a schedule; the longest honest ones take a few hundred

NO_ANSWER = Transient("NetworkError", "no answer", in_doubt=True)
TOO_LATE = Transient("NetworkError", "no answer in time", in_doubt=True, outlasted=True)
EXPIRED = Transient("SecurityTokenExpired", "the security token has expired")
BUSY = Transient("TotalQpsLimitExceeded", "slow down", throttled=True)


@dataclass(frozen=True)
class Scenario:
    """What is copied, how it is asked for and how fast the world is; drawn from `seed`."""

    seed: int
    entry: str  # event | http | direct | list
    size: int
    overwrite: Any
    former: bool
    versioned: bool
    timeout: float
    part_seconds: float
    page: int
    skew: float
    by_rule: bool = False  # so that the destination is to keep up with the source
    keeps: bool = False  # versions of the destination
    period: float | None = None  # seconds from one sweep to the next, if not what a chain may stand still
    threshold: int = THRESHOLD
    listed: int = 1  # copies that a list asks for
    itself: bool = False  # the object is copied onto itself, for another storage class

    @classmethod
    def draw(cls, seed: int, chance: random.Random) -> Scenario:
        simple = chance.random() < 0.2
        parts = 1 + int(chance.random() * 6)
        policy = chance.random()
        never = policy < 0.15
        timeout = chance.choice((20.0, 60.0, 60.0))
        drawn = cls(
            seed=seed,
            entry=chance.choice(("event", "event", "event", "http", "direct", "list")),
            size=SMALL if simple else parts * PART - int(chance.random() * 40_000),
            overwrite="never"
            if never
            else "always"
            if policy < 0.85
            else "ifDifferent"
            if policy < 0.93
            else "ifNewer",
            former=chance.random() < (0.1 if never else 0.5),
            versioned=chance.random() < 0.25,
            timeout=timeout,
            part_seconds=chance.choice((0.05, 0.5, timeout / 12, timeout / 6)),
            page=chance.choice((1, 2, 1000)),
            skew=chance.uniform(-3, 3),
            by_rule=seed % 3 == 1,
            keeps=chance.random() < 0.2,
            threshold=chance.choice((*THRESHOLDS, THRESHOLD, THRESHOLD)),
            listed=2 + int(chance.random() * 4),
        )
        if seed % 9 != 2:
            return drawn
        return replace(drawn, itself=True, overwrite="always", former=False, keeps=drawn.versioned)

    @property
    def is_small(self) -> bool:
        """Whether it is copied by CopyObject, as long as source and settings stay as they are."""
        return self.size <= self.threshold

    @property
    def is_told(self) -> bool:
        """Whether the function is an on-failure destination."""
        return self.seed % 2 == 0

    @property
    def late(self) -> float:
        """Seconds that a request may need at most to take effect after nobody waits for it any more."""
        return plan.read_timeout(self.timeout) + 10


@dataclass
class Message:
    """An asynchronous invocation in FC's queue."""

    task: str
    payload: bytes
    tries: int = 0


@dataclass(eq=False)
class Process:
    """An invocation. `message` is None for a synchronous one, which nobody repeats."""

    name: str
    began: float
    deadline: float
    chance: random.Random
    timeout: float  # that was configured then
    message: Message | None = None
    job: str = ""  # that it works on
    end: str = ""  # returned | raised | killed
    answers: tuple[Result, ...] = ()
    error: BaseException | None = None
    expired: bool = False
    mislaid: Fault | None = None
    survives: bool = False
    is_hop: bool = False
    firsts: set[str] = field(default_factory=set)  # jobs of which it may be the first delivery
    generation: int = 0
    listed_at: float = 0.0
    looked_at: float = 0.0  # at the destination
    ended_at: float = 0.0
    doubt_at: float = 0.0  # when a CopyObject of its own had no answer
    asking: str = ""  # the request that it waits for
    requests: int = 0
    run: Any = None

    def note(self, result: Result) -> Result:
        """As it is logged, whatever becomes of the answer."""
        self.answers = (*self.answers, result)
        return result

    @property
    def answer(self) -> Result | None:
        """What became of the one copy that it was for."""
        return self.answers[0] if len(self.answers) == 1 else None


class _Context(Context):
    """A context that knows its process."""

    process: Process


def _watched(begin: Callable[..., Result]) -> Callable[..., Result]:
    """Let the simulation see which copy of a list is worked on."""

    def watched(context: Context, copy: Copy, *, inline: bool = True) -> Result:
        if isinstance(context, _Context):
            process = context.process
            if process.job != copy.job:
                process.job, process.looked_at, process.listed_at, process.doubt_at = copy.job, 0.0, 0.0, 0.0
            if not copy.may_be_on_record:
                process.firsts.add(copy.job)
        return begin(context, copy, inline=inline)

    return watched


start.begin = _watched(start.begin)


@dataclass(frozen=True)
class Request:
    """One request: `begin` reads what it needs when it arrives, `apply` is its effect.

    `timeout`: seconds that its answer is waited for, if not as usual.
    """

    name: str
    apply: Callable[[Any], Any]
    begin: Callable[[], Any] | None = None
    timeout: float | None = None


@dataclass(frozen=True)
class Tools:
    """What an invocation works with."""

    context: Context
    control: Control
    sweeper: Sweeper
    resume_dropped: Callable[[Dropped], int]
    worklist: Worklist


@dataclass
class Simulation:
    """Runs one schedule; afterwards everything that happened can be looked at."""

    scenario: Scenario
    faults: tuple[Fault, ...]
    trace: list[str] | None = None
    processes: list[Process] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    gaps: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    messages: dict[str, Message] = field(default_factory=dict)

    def __post_init__(self) -> None:
        scenario = self.scenario
        self.time = EPOCH
        self.world = World(
            scenario.size,
            versioned=scenario.versioned,
            keeps=scenario.keeps,
            page=scenario.page,
            itself=scenario.itself,
        )
        self._queue: list[tuple[float, int, Callable[[], None], bool]] = []
        self._pending = 0  # of what is queued, without the watches over what goes on anyway
        self._order = 0
        self._outage_until = 0.0
        self.timeout, self._threshold = scenario.timeout, scenario.threshold
        self._doubts: dict[str, float] = {}  # when a CopyObject of a job had no answer
        self._hub = greenlet.getcurrent()
        self._chance = random.Random(scenario.seed * 7919 + 1)
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
        request = CopyRequest(
            source=Source("source-bucket", "k"),
            destination=Destination("source-bucket" if scenario.itself else "destination-bucket", "k"),
            overwrite=scenario.overwrite,
            storage_class="IA" if scenario.itself else "keep",
            tuning=Tuning(part_size=PART, parallel=1),
        )
        self.request = request
        self.sweeps = 0
        self.jobs: list[str] = []  # in the order in which they came up
        self.followers: set[str] = set()  # those of them that follow another
        self.copy = self._asked()
        self.job = self.copy.job
        more = scenario.listed - 1 if scenario.entry == "list" else 0
        self.list = (self.copy, *(self._asked() for _ in range(more)))

    def answers(self, job: str) -> list[tuple[Process, Result]]:
        """What invocations have answered of a job."""
        return [(each, answer) for each in self.processes for answer in each.answers if answer.job == job]

    def _asked(self) -> Copy:
        """A copy of the source, asked for or made by the rule: each a job of its own."""
        job = keys.job_group(self.request) + digest(f"{self.scenario.seed}.{len(self.jobs)}")[:20]
        self.jobs.append(job)
        follows = 0 if self.scenario.by_rule and self.scenario.overwrite != "never" else None
        told = self.scenario.by_rule or self.scenario.entry in {"event", "list"}  # when, by the trigger
        begun = results.iso(self.time + self.scenario.skew)
        return Copy(job, self.request, begun, follows=follows, since=int(self.time) if told else None)

    @property
    def _period(self) -> float:
        return self.scenario.period or plan.patience(self.timeout)

    # --- time ------------------------------------------------------------------------------------------

    def run(self) -> Simulation:
        """Until nothing is left to happen."""
        self.at(0.0, self._enter)
        self.at(self._period, self._sweep, is_watch=True)
        steps = 0
        while self._queue and steps < MOST_STEPS:
            self.time, _, action, is_watch = heapq.heappop(self._queue)
            self._pending -= not is_watch
            self.world.now = self.time
            action()
            steps += 1
        if self._queue:
            self.violations.append(f"it does not end: {steps} steps")
            for process in self.processes:
                if not process.end:
                    self._kill(process, "the end of the schedule")
        return self

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
                self.accept("start", events.encode(self.copy), 0)
            case "list":
                self.accept("list", LIST, 0)
            case "http":
                self._invoke("http", lambda tools: tools.control.start(self.copy), min(10.0, self.timeout))
            case _:
                self._invoke("direct", lambda tools: start.begin(tools.context, self.copy), self.timeout)

    def _sweep(self) -> None:
        """The timer; it comes until there is nothing left for it to do."""
        if self.sweeps < MOST_SWEEPS and (self._pending or self._is_open()):
            self._begin_sweep()
            self.at(self._period, self._sweep, is_watch=True)

    def _begin_sweep(self) -> None:
        self.sweeps += 1
        self._invoke("sweep", lambda tools: tools.sweeper.run(Sweep()), self.timeout)

    def _is_open(self) -> bool:
        records = any(name.startswith(("open/", "up/", "rest/")) for name in self.world.records)
        return records or any(upload.state == "open" for upload in self.world.uploads.values())

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
        later = delay + self._chance.random() * 0.05
        self.at(
            later + (fault.seconds if fault and kind == faults.DELAYED else 0), lambda: self._deliver(message)
        )
        if fault and kind == faults.TWICE:
            again = Message(task, payload)
            self.at(later + fault.seconds * self._chance.random(), lambda: self._deliver(again))
        return True

    def _deliver(self, message: Message) -> None:
        message.tries += 1
        retried = message.tries > 1

        def work(tools: Tools) -> object:
            item = self._command(message)
            match item:
                case Sweep():
                    return tools.sweeper.run(item)
                case Rest():
                    return tools.worklist.resume(item, retried=retried)
                case events.Batch(items=copies):
                    return tools.worklist.run(tuple(map(_retried, copies)) if retried else copies)
                case Continue():
                    return hop.proceed(tools.context, item)
                case Copy():
                    return start.begin(tools.context, _retried(item) if retried else item)

        self._invoke(self._named(message.task), work, self.timeout, message)

    def _named(self, task: str) -> str:
        """As a trace calls it: hops of other jobs than the first one by the job's number."""
        for number, job in enumerate(self.jobs):
            if task.startswith(job):
                return f"{number + 1}:" * (number > 0) + task.removeprefix(job + "-")
        return task

    def _command(self, message: Message) -> Copy | Continue | Sweep | Rest | events.Batch:
        if message.payload == LIST:
            return events.Batch(self.list, many=True)
        arrival = events.Arrival("r", datetime.fromtimestamp(self.time, timezone.utc))
        parsed = events.parse(message.payload, arrival, ())
        if isinstance(parsed, Sweep | Rest):
            return parsed
        assert isinstance(parsed, events.Batch)
        (item,) = parsed.items
        assert isinstance(item, (Copy, Continue))
        return item

    def _tell_of(self, news: Message) -> None:
        """FC tells the function of what it gave up, and tries that again like any other invocation."""
        news.tries += 1
        command = self._command(news)
        assert not isinstance(command, Sweep)
        commands = self.list if isinstance(command, events.Batch) else (command,)
        dropped = Dropped(commands, "RetriesExhausted", "r")
        self._invoke(DROPPED, lambda tools: tools.resume_dropped(dropped), self.timeout, news)

    def _invoke(
        self,
        name: str,
        work: Callable[[Tools], object],
        seconds: float,
        message: Message | None = None,
    ) -> None:
        name = f"{name}#{sum(each.name.startswith(name + '#') for each in self.processes) + 1}"
        chance = random.Random(hash((self.scenario.seed, len(self.processes))))
        command = self._command(message) if message else self.copy
        job = command.job if isinstance(command, Copy | Continue) else self.job
        process = Process(name, self.time, self.time + seconds, chance, self.timeout, message, job)
        if isinstance(command, Continue):
            process.is_hop, process.generation = not command.gone_at, command.generation
        self.processes.append(process)
        clock = SimClock(self, process)
        journal = RecordJournal(SimRecords(self, process))
        limits = Limits(seconds, self.timeout, process.deadline, self._threshold, parallel=1)
        store, invoker = SimStore(self, process), SimInvoker(self, process)
        context = _Context(
            store, journal, invoker, clock, lambda *_, **__: None, limits, allow=lambda _: None
        )
        context.process = process
        tools = Tools(
            context,
            Control(context, journal),
            Sweeper(context, journal),
            lambda dropped: resume_dropped(context, journal.records, dropped),
            Worklist(context, journal.records, process.note),
        )

        def body(_: object) -> None:
            try:
                answer = work(tools)
                if isinstance(answer, Result):
                    process.note(answer)
                process.end = process.end or "returned"
            except OssCopyError as error:
                process.error, process.end = error, process.end or "raised"

        process.run = greenlet.greenlet(body)
        self.say(name, "begins")
        self.at(seconds, lambda: self._kill(process, "its timeout"), is_watch=True)
        self._resume(process, None)

    def _resume(self, process: Process, value: object) -> None:
        if process.end:
            return
        wanted = process.run.switch(value)
        if process.run.dead:
            self._ended(process)
        elif isinstance(wanted, float):
            self.at(wanted, lambda: self._resume(process, None))
        else:
            self._serve(process, wanted)

    def _kill(self, process: Process, by: str) -> None:
        if process.end:
            return
        process.end = "killed"
        if process.asking == "copy object":
            self._doubts[process.job] = self.time
        self.say(process.name, f"!! killed by {by}")
        process.run.throw(greenlet.GreenletExit)
        self._ended(process)

    def _ended(self, process: Process) -> None:
        process.ended_at = self.time
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
                self.at(0.5 + 10 * self._chance.random(), lambda: self._tell_of(message))
            else:
                self.gaps["nobody was told of it"] += 1
        elif message.tries > RETRIES:
            self.say(process.name, "!! FC gives up on it")
            self.gaps["retries used up"] += 1
            if self.scenario.is_told and not isinstance(self._command(message), Sweep):
                self._tell_of(Message(DROPPED, message.payload))
        else:
            self.at(0.5 + 10 * self._chance.random(), lambda: self._deliver(message))

    def begin_cancel(self) -> None:
        self._invoke("cancel", lambda tools: tools.control.cancel(self.job), min(10.0, self.timeout))

    # --- requests --------------------------------------------------------------------------------------

    def ask(self, process: Process, request: Request) -> Any:
        """From inside an invocation: make a request and wait for its answer."""
        answer = self.pause(process, request)
        if isinstance(answer, BaseException):
            raise answer.with_traceback(None)  # some are shared: they would keep all frames they were seen in
        return answer

    def pause(self, process: Process, wanted: Request | float) -> Any:
        """From inside an invocation: let the world go on."""
        if process.end:
            raise greenlet.GreenletExit
        return self._hub.switch(wanted)

    def _serve(self, process: Process, request: Request) -> None:
        process.asking = request.name
        fault = self._strike(process, request.name)
        kind = fault.kind if fault else ""
        self._precheck(process, request.name)
        process.requests += 1
        if self.trace is not None:
            self.say(process.name, request.name + (f"  !! {fault}" if fault else ""))
        if kind == faults.EXPIRED:
            process.expired = True
        if process.expired:
            self._answer(process, 0.01, request.name, EXPIRED)
            return
        if kind == faults.THROTTLED or (self.time < self._outage_until and request.name != "submit"):
            self._answer(process, 0.01, request.name, BUSY)
            return
        if fault and kind == faults.KILL:
            self._kill(process, "a fault")
            return
        takes = 0.004 + 0.04 * process.chance.random()
        if request.name in {"copy part", "copy object"}:
            parts = max(1, self.scenario.size // PART) if request.name == "copy object" else 1
            takes += parts * self.scenario.part_seconds * (0.5 + process.chance.random())
        back = 0.004 + 0.03 * process.chance.random()
        process.survives = bool(fault and fault.survives)
        if fault and self._lose(process, request, fault, takes, back):
            return
        if fault and kind == faults.SLOW:
            takes += fault.seconds
        if fault and kind == faults.HELD:
            back += fault.seconds
        timeout = _patience(process, request)
        if takes + back > timeout:
            self._answer(process, timeout, request.name, TOO_LATE)
            self._land(process, request, takes, None, 0)
        else:
            self._land(process, request, takes, process, back)

    def _lose(self, process: Process, request: Request, fault: Fault, takes: float, back: float) -> bool:
        """Let the answer get lost, if that is what the fault does: with the request, or after it."""
        timeout = _patience(process, request)
        late = min(fault.seconds, plan.read_timeout(process.timeout) + 10)
        wait = min(fault.seconds, timeout)
        silent = TOO_LATE if wait == timeout else NO_ANSWER
        match fault.kind:
            case faults.NEVER:
                self._answer(process, wait, request.name, silent)
            case faults.LOST:
                self._land(process, request, takes, None, 0)
                self._answer(process, takes + wait, request.name, silent)
            case faults.LATE:
                self._land(process, request, takes + late, None, 0)
                self._answer(process, wait * process.chance.random(), request.name, NO_ANSWER)
            case faults.KILL_AFTER:
                self._land(process, request, takes, None, 0)
                self.at(takes + back, lambda: self._kill(process, "a fault"))
            case faults.KILL_LATE:
                self._land(process, request, takes + late, None, 0)
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
                process.mislaid = fault
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
                self.world.write_source(sizes[int(self._chance.random() * len(sizes))])
                self._tell()
            case faults.META:
                self.world.touch_source()
                self._tell()
            case faults.TAGS:
                self.world.retag_source()
            case faults.DELETE:
                self.world.delete_source()
            case faults.FOREIGN:
                self.world.write_destination("foreign")
            case faults.CANCEL:
                self.begin_cancel()
            case faults.RIVAL:
                self._deliver_new()
            case faults.SWEEP:
                self._begin_sweep()
            case faults.SETTINGS:
                self._change_settings()
            case faults.AGAIN:
                known = list(self.messages.values())
                if known:
                    message = known[int(self._chance.random() * len(known))]
                    self._deliver(Message(message.task, message.payload))

    def _change_settings(self) -> None:
        """As another deployment does, for invocations that begin from now on."""
        if self._chance.random() < 0.3:
            self._threshold = self._chance.choice(THRESHOLDS)
        else:
            self.timeout = self._chance.choice([each for each in TIMEOUTS if each != self.timeout])
        self.say("the world", f"timeout {self.timeout:g} s, threshold {self._threshold}")

    def _tell(self) -> None:
        """What is created under a rule is an event; new tags are none."""
        if self.scenario.by_rule and self.world.source is not None:
            self._deliver_new()

    def _deliver_new(self) -> None:
        copy = self._asked()
        self.accept(f"event-{copy.job}", events.encode(copy), self._chance.random())

    def _land(
        self, process: Process, request: Request, takes: float, to: Process | None, back: float
    ) -> None:
        """Let the request arrive, take effect after `takes` seconds, and answer `to` after `back` more."""
        begun: Any = None
        failed: OssCopyError | None = None
        survives = process.survives
        if request.begin is not None:
            try:
                begun = request.begin()
            except OssCopyError as error:
                failed = error

        def effect() -> None:
            process.survives = survives
            outcome: Any
            if failed is not None:
                outcome = failed
            else:
                try:
                    outcome = request.apply(begun)
                except OssCopyError as error:
                    outcome = error
            if to is None:
                self.say(process.name, f"   ... {request.name} took effect unheard: {_short(outcome)}")
            else:
                self._answer(to, back, request.name, outcome)

        self.at(takes, effect)

    def _answer(self, process: Process, seconds: float, name: str, outcome: object) -> None:
        def answer() -> None:
            if process.end:
                return
            if self.trace is not None:
                self.say(process.name, f"   {name} -> {_short(outcome)}")
            if name == "initiate" and isinstance(outcome, str):
                self.world.uploads[outcome].answered = True
            if name == "list parts":
                process.listed_at = self.time  # whatever is looked at next is asked for later
            if name == "find destination" and not isinstance(outcome, Transient):
                process.looked_at = self.time
            if name == "copy object" and isinstance(outcome, Transient) and outcome.in_doubt:
                process.doubt_at = self._doubts[process.job] = self.time
            process.asking = ""
            self._resume(process, outcome)

        self.at(seconds, answer)

    def _precheck(self, process: Process, name: str) -> None:
        """The order of effects that the protocol asks for, looked at while it happens."""
        records, job = self.world.records, process.job
        if name == "initiate" and (entered := records.get(f"up/{job}")) and entered[0] < process.began:
            self.violations.append(f"{process.name} initiates although up/ was on record when it began")
        if name == "copy part" and f"up/{job}" not in records:
            self.violations.append(f"{process.name} copies a part before up/ is on record")
            self._precheck_generation(process)
        if name == "complete":
            self._precheck_complete(process)
        if name == "copy object":
            self._precheck_doubt(process)
        judges = name in {"complete", "copy object"} and self.scenario.overwrite != "always"
        if judges and process.looked_at <= process.listed_at:
            self.violations.append(f"{process.name} writes without having looked at the destination")

    def _precheck_doubt(self, process: Process) -> None:
        """A CopyObject without an answer is looked at before it is repeated, by all who can know of it."""
        before = self._doubts.get(process.job, 0.0)
        knows = before < process.began and process.job not in process.firsts
        doubt_at = before if knows else process.doubt_at
        if doubt_at and process.looked_at < doubt_at:
            self.violations.append(f"{process.name} repeats a CopyObject in doubt without a look")

    def _precheck_generation(self, process: Process) -> None:
        """A hop leaves if its chain had been replaced when it began; a start may take an old upload on."""
        prefix = f"gen/{process.job}/"
        for name, (written, _) in self.world.records.items():
            is_chain = name.startswith(prefix) and not name.endswith("-start")
            replaced = is_chain and int(name.rpartition("/")[2]) > process.generation
            if replaced and process.is_hop and written < process.began:
                self.violations.append(f"{process.name} copies a part although its chain is replaced")

    def _precheck_complete(self, process: Process) -> None:
        """Before Complete both the source and `cancel/` were looked at, after the listing was asked for."""
        records, job = self.world.records, process.job
        cancelled = records.get(f"cancel/{job}")
        if cancelled and cancelled[0] < process.listed_at:
            self.violations.append(
                f"{process.name} completes although cancel/ was on record before its listing"
            )
        opened = RecordJournal(PlainRecords(self.world)).opened(job)
        then = self.world.source_at(process.listed_at)
        if opened and (then is None or not _is_pinned(opened.pin, then, self.time)):
            self.violations.append(
                f"{process.name} completes although the source had changed before its listing"
            )


class PlainRecords:
    """The records as they are, read by nobody in the simulation."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.put_new, self.page = world.put_new, world.page

    def get(self, name: str) -> bytes | None:
        """As it was written first, though it may be forgotten by now."""
        return self._world.ever[name][1] if name in self._world.ever else None

    def delete(self, name: str) -> None:
        raise NotImplementedError


def _nothing(*_: object, **__: object) -> None:
    """Log nothing, allow everything."""


def _patience(process: Process, request: Request) -> float:
    """Seconds that an answer is waited for."""
    usual = plan.read_timeout(process.timeout)
    return usual if request.timeout is None else min(usual, request.timeout)


def _retried(copy: Any) -> Any:
    """As the app marks what FC delivers once more."""
    return copy.delivered_again()


def _is_pinned(pin: Pin, stored: Stored, now: float) -> bool:
    tags = plan.tags_digest({"t": str(stored.tags)}) if stored.tags else None
    return plan.is_same_version(pin, stored.head(now)) and pin.tags == tags


def _short(value: object) -> str:
    if isinstance(value, Result):
        return f"{value.status} hops={value.hops}" + (f" {value.error.code}" if value.error else "")
    return repr(value)[:110]
