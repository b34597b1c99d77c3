"""The product, put together for one invocation. The only module of the simulation that knows its code.

(Deliberate bugs, in `bugs`, and tests know it as well.) Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeAlias

from osscopy import events, plan
from osscopy.copying import hop, start, submit
from osscopy.copying.invocation.context import Context, Limits
from osscopy.jobs.control import Control
from osscopy.jobs.dropped import resume_dropped
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.lists import Worklist
from osscopy.jobs.sweep import Sweeper
from osscopy.jobs.telling.outbox import TellingOutbox
from osscopy.jobs.telling.teller import Look
from osscopy.model import Continue, Copy, CopyRequest, Dropped, Rest, Result, Sweep, Tell
from osscopy.plan import keys
from osscopy.plan.allowed.options import ANY_OPTION
from osscopy.plan.telling.news import Sender
from tests.sim.ports import SimClock, SimInvoker, SimRecords, SimStore, SimWay
from tests.sim.scenario import WAYS

if TYPE_CHECKING:
    from tests.sim.processes import Process
    from tests.sim.scheduler import Simulation

Command: TypeAlias = Copy | Continue | Sweep | Tell | Rest | tuple[Copy, ...]


class _Context(Context):
    """A context that knows its process."""

    process: Process


def _log(simulation: Simulation) -> Callable[..., None]:
    """A log that takes a bug which was kept from stopping other copies for a violation."""

    def log(event: str, /, **fields: object) -> None:
        if fields.get("kind") is not None:
            simulation.violations.append(f"a bug: {event} {fields}")

    return log


class _Apart(Worklist):
    """A worklist that takes its copies for copies to different keys, though the simulation has one alone.

    So they are made at once, and are rivals of one another.
    """

    def _chains(self, items: Sequence[object]) -> list[list[int]]:
        return [[position] for position in range(len(items))]


def _watched(begin: Callable[..., Result]) -> Callable[..., Result]:
    """Let the simulation see which copy of a list is worked on."""

    def watched(context: Context, copy: Copy, *, inline: bool = True) -> Result:
        if isinstance(context, _Context):
            context.process.works_on(copy)
        return begin(context, copy, inline=inline)

    return watched


start.begin = _watched(start.begin)


@dataclass(frozen=True)
class Tools:
    """The product, as one invocation has it."""

    context: Context
    control: Control
    sweeper: Sweeper
    worklist: Worklist
    journal: RecordJournal
    telling: Look | None

    def begin(self, copy: Copy) -> Result:
        """As a direct invocation does."""
        return start.begin(self.context, copy)

    def carry_out(self, command: Command, *, retried: bool) -> object:
        """Do what an asynchronous invocation asks for; `retried`: FC has delivered it before."""
        match command:
            case Sweep():
                return self.sweeper.run(command)
            case Tell():
                assert self.telling is not None
                return self.telling.run()
            case Rest():
                return self.worklist.resume(command, retried=retried)
            case Continue():
                return hop.proceed(self.context, command)
            case Copy():
                return start.begin(self.context, _again(command) if retried else command)
            case copies:
                return self.worklist.run(tuple(map(_again, copies)) if retried else copies)

    def resume_dropped(self, command: Command) -> int:
        """Go on with what FC gave up."""
        assert not isinstance(command, Sweep | Tell)
        commands = command if isinstance(command, tuple) else (command,)
        dropped = Dropped(commands, "RetriesExhausted", "r")
        return resume_dropped(self.context, self.journal.records, dropped)


def tools(simulation: Simulation, process: Process, seconds: float, threshold: int) -> Tools:
    """The product on the ports of this invocation, which has so many seconds."""
    journal = RecordJournal(SimRecords(simulation, process))
    parallel = simulation.scenario.parallel
    lanes = simulation.scenario.lanes
    page = max(2, simulation.scenario.page)  # where OSS shows fewer, pages end early
    limits = Limits(seconds, process.timeout, process.deadline, threshold, parallel, page, lanes)
    store, invoker = SimStore(simulation, process), SimInvoker(simulation, process)
    clock = SimClock(simulation, process)
    log = _log(simulation)
    notify = simulation.scenario.notify
    outbox = TellingOutbox(journal.records, invoker, clock, log, notify, set()) if notify else None
    context = _Context(
        store, journal, invoker, clock, log, limits, lambda _: None, ANY_OPTION, lambda _: None, outbox
    )
    context.process = process
    ways = [SimWay(simulation, process, name) for name in WAYS]
    telling = Look(context, journal.records, ways, notify, Sender("f", "r")) if notify else None
    return Tools(
        context,
        Control(context, journal),
        Sweeper(context, journal),
        (_Apart if simulation.scenario.apart else Worklist)(context, journal.records, process.note),
        journal,
        telling,
    )


def left_to_queue(copy: Copy, *, in_doubt: bool) -> tuple[str, bytes]:
    """The task id and the event that ask for it where HTTP found no instance, or `in_doubt` had no answer."""
    queued = submit.queued(copy, in_doubt=in_doubt)
    return plan.task_id(queued), events.encode(queued)


def payload(copy: Copy) -> bytes:
    """The event that asks for it."""
    return events.encode(copy)


def command(body: bytes, now: float) -> Command:
    """What an event asks for."""
    arrival = events.Arrival("r", datetime.fromtimestamp(now, timezone.utc))
    parsed = events.parse(body, arrival, ())
    if isinstance(parsed, Sweep | Tell | Rest):
        return parsed
    assert isinstance(parsed, events.Batch)
    (item,) = parsed.items
    assert isinstance(item, (Copy, Continue))
    return item


def job_of(request: CopyRequest, occurrence: str) -> str:
    """The id of a job, as the product makes them: those of one destination begin alike."""
    return keys.job_group(request) + occurrence[:20]


def _again(copy: Copy) -> Copy:
    """As the app marks what FC delivers once more."""
    return copy.delivered_again()
