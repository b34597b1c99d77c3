"""What must hold once everything has drained (design: what must always be true).

The sweep comes until it has nothing left to do: then no upload is open, no copy is on record as open, and
every copy that ever was has an outcome. A gap is what nobody could mend: a copy with nothing on record, asked
for by a caller who was told that it failed for the moment and does not try again, or by an event that
FC gave up where the function is not told of that.
"""

from __future__ import annotations

import re

from osscopy.model import Done, Entered, Opened, Result
from tests.sim import causes, records
from tests.sim.faults import CANCEL, CORRUPT, FOREIGN
from tests.sim.scenario import PART, WAYS
from tests.sim.scheduler import RETRIES, Simulation
from tests.sim.world import Stored

FORESEEN = {"VerificationFailed", "OutcomeUnknown"}
NOTHING = "nothing came of it, and nothing is on record"
_GENERATION = re.compile(rb'"generation":([0-9]+)')
LANE = re.compile(r"g\d+-l\d+-h\d+")  # in the name of a hop's invocation
MOST_ATTEMPTS = 8  # at one request, by one invocation


def check(simulation: Simulation) -> None:
    """Add to the simulation's violations and gaps what its end shows."""
    world, scenario = simulation.world, simulation.scenario
    _all_or_nothing(simulation)
    for process in simulation.processes:
        for answer in process.answers:
            _is_proved(simulation, process.name, answer)
            causes.check(simulation, process.name, answer, process)
    _nothing_is_open(simulation)
    for job in simulation.jobs:
        opened, entered = records.opened(world, job), records.entered(world, job)
        done = records.done(world, job)
        if done is not None:
            _is_proved(simulation, "done/", done.result)
            causes.check(simulation, "done/", done.result, None)
            _outcome_is_true(simulation, entered, done)
            _is_not_in_its_own_way(simulation, job, done.result)
            if opened is not None:
                _cancelled_is_not_shown(simulation, opened, done)
        _answers_agree(simulation, job, opened, done)
        _has_ended(simulation, job, done)
        _corruption_is_told(simulation, job, entered, done)
        _counts_all_lanes(simulation, job, entered, done)
        if scenario.notify:
            _is_told(simulation, job, done)
    _keeps_up(simulation)
    _is_bounded(simulation)


def _all_or_nothing(simulation: Simulation) -> None:
    """Wrong bytes are shown only where nothing could tell before they were."""
    world, scenario = simulation.world, simulation.scenario
    known = {stored.told for _, stored in world.sources if stored and stored.origin != "copy"}
    if world.mixed:
        simulation.violations.append("an upload got parts of two versions of the source")
    if scenario.itself:  # headers and tags are read apart, and named: no two of them are mixed up
        known |= {(*told[:3], tags) for told in known for *_, tags in known}
        known |= {shown.told for shown in world.shown if shown.corrupt}  # it is the next copy's source
    for shown in world.shown:
        if shown.origin != "copy" or (shown.corrupt and not (shown.upload and scenario.part_crcs)):
            continue
        if shown.told not in known:
            simulation.violations.append(f"the destination showed what was never the source: {shown}")


def _is_proved(simulation: Simulation, who: str, result: Result) -> None:
    if result.status != "succeeded":
        return
    source, link = result.source, simulation.scenario.link == "copy"
    assert source is not None
    if not any(_is_copy(simulation, shown, source.etag, source.crc64) for shown in simulation.world.shown):
        simulation.violations.append(f"{who} says succeeded, but the destination never showed it")
    if result.verified != ("link" if link else "crc64"):
        simulation.violations.append(f"{who} says succeeded without evidence")


def _is_copy(simulation: Simulation, shown: Stored, etag: str | None, crc64: str | None) -> bool:
    """Whether this is a good copy of the source with this ETag."""
    if shown.link is not None:  # OSS shows neither CRC64 nor class, and copies what is there when it comes
        seen = {stored.etag for _, stored in simulation.world.sources if stored is not None}
        return shown.origin == "copy" and {shown.etag, etag} <= seen
    if shown.corrupt and not simulation.scenario.itself:  # else it is the source of the next copy
        return False
    asked = simulation.scenario.storage_asked
    return (shown.origin, shown.crc64, shown.storage) == ("copy", crc64, asked)


def _corruption_is_told(simulation: Simulation, job: str, entered: Entered | None, done: Done | None) -> None:
    """Who hears that wrong bytes were written, and looks at them, does not say that all is well."""
    shown = simulation.world.destination
    if shown is None or not shown.corrupt:
        return
    for process, answer in simulation.answers(job):
        is_its_own = (shown.by, shown.job) == (process.name, job)
        is_its_own |= entered is not None and shown.upload == entered.upload.id
        if done is not None and not done.nonce.startswith(f"{process.name}/"):
            continue  # it says what another one has put on record before
        if is_its_own and job in process.wrote and answer.status in {"succeeded", "skipped"}:
            simulation.violations.append(f"{process.name} has written wrong bytes, and says {answer.status}")


def _outcome_is_true(simulation: Simulation, entered: Entered | None, done: Done) -> None:
    result, world = done.result, simulation.world
    problem = result.error
    if problem is not None and problem.retryable:
        simulation.violations.append(f"done/ says failed for {problem.code}, which passes")
    if result.status == "succeeded" or entered is None:
        return
    upload_id = entered.upload.id
    upload = world.uploads[upload_id]
    landed = next((n for n, shown in enumerate(world.shown) if shown.upload == upload_id), None)
    if upload.state != "completed" or landed is None or (problem and problem.code in FORESEEN):
        return
    if world.shown[landed].corrupt and result.status == "failed":
        return  # who saw that may have been killed, and the next one cannot tell it from somebody else's
    if upload.survived:
        return  # a part in flight brought it back after our Abort, and a Complete in flight ended it
    if (
        landed == len(world.shown) - 1 and world.destination is not None
    ):  # else somebody wrote after us, and nothing showed the copy any more
        code = problem.code if problem else ""
        simulation.violations.append(f"done/ says {result.status} {code}, but our upload is what is shown")


def _is_not_in_its_own_way(simulation: Simulation, job: str, result: Result) -> None:
    """A copy is not refused, nor skipped, for an object that nobody but itself has written.

    Where the source has changed since, nothing but a record tells that, and small copies leave none.
    """
    entered = records.entered(simulation.world, job)
    upload = entered.upload.id if entered else None
    shown = simulation.world.shown
    its_own = all(each.job == job or (each.upload and each.upload == upload) for each in shown)
    stopped = result.error is not None and result.error.code in {
        "FileAlreadyExists",
        "NotDifferent",
        "NotNewer",
    }
    changed = len(simulation.world.sources) > 1 or any(each.corrupt for each in shown)
    if shown and its_own and not changed and stopped and result.status in {"failed", "skipped"}:
        simulation.violations.append(f"{job} says {result.error} of what is its own copy")


def _cancelled_is_not_shown(simulation: Simulation, opened: Opened, done: Done) -> None:
    """Whoever asks for a CopyObject has looked for `cancel/`, and whoever cancels it has looked what it did.

    Not so an event that comes again later, nor one that was at it before another delivery put it on record.
    """
    shown = simulation.world.shown[-1] if simulation.world.shown else None
    ever, job = simulation.world.ever, opened.job
    if done.result.status != "cancelled" or shown is None or shown.job != job:
        return
    if simulation.world.destination is None:  # deleted since, where it is the source itself
        return
    (process,) = (each for each in simulation.processes if each.name == shown.by)
    comes_again = job in process.firsts and process.began > ever[f"cancel/{job}"][0]
    opener = opened.nonce.rpartition("/")[0]
    is_unknown = process.name != opener and process.began < ever[f"open/{job}"][0]
    if not comes_again and not is_unknown:
        simulation.violations.append(f"done/ says cancelled, but the copy {shown.by} made is what is shown")


def _answers_agree(simulation: Simulation, job: str, opened: Opened | None, done: Done | None) -> None:
    """All deliveries that answer finally answer alike: what is on record."""
    if opened is None:
        return
    since = simulation.world.ever[f"open/{job}"][0]
    for process, answer in simulation.answers(job):
        if answer.status == "running":
            continue
        if (answer.method == "simple" or answer.status == "skipped") and process.began < since:
            continue  # neither leaves a record, and the source changed before the next delivery
        forgotten = simulation.world.forgotten.get(f"open/{job}", process.ended_at)
        if answer.method == "simple" and (opened.method == "simple" or forgotten < process.ended_at):
            continue  # it is forgotten, and small by now: simple copies may land twice
        if answer.status == "skipped" and forgotten < process.ended_at:
            continue  # it is forgotten, and nothing was copied again
        if done is None or answer != done.result:
            simulation.violations.append(f"{process.name} answered {answer}, on record is {done}")


def _nothing_is_open(simulation: Simulation) -> None:
    for name, upload in simulation.world.uploads.items():
        if upload.state == "open":
            simulation.violations.append(f"upload {name} is left open")
    for name in simulation.world.records:
        if name.startswith(("open/", "up/", "gen/", "hop/", "note/", "rest/")):
            simulation.violations.append(f"{name} is never forgotten")


def _has_ended(simulation: Simulation, job: str, done: Done | None) -> None:
    if done is not None or simulation.violations:
        return
    answers = [answer for _, answer in simulation.answers(job)]
    if any(answer.status != "running" for answer in answers):
        return
    unheard = _is_unheard(simulation) or simulation.gaps["lost link"]  # of an event that FC had given up
    is_asked = job not in simulation.followers  # those are on record before they are submitted
    if is_asked and unheard and not answers and f"open/{job}" not in simulation.world.ever:
        simulation.gaps[NOTHING] += 1
    else:
        simulation.violations.append("everything has come to rest and the job has no outcome")


def _is_told(simulation: Simulation, job: str, done: Done | None) -> None:
    """Whoever is to be told of an outcome is, in each way, after it is on record; the record comes last."""
    scenario, ever = simulation.scenario, simulation.world.ever
    by_rule = scenario.by_rule and scenario.overwrite != "never"
    for way in WAYS:
        sent = [at for at, how, jobs in simulation.told if how == way and job in jobs]
        recorded = ever.get(f"told/{way}/{job}")
        if recorded is not None and not any(at <= recorded[0] for at in sent):
            simulation.violations.append(f"{job} is told by {way} on record, and no message was sent")
        if done is None:
            if sent:
                simulation.violations.append(f"{job} is told by {way}, and has no outcome")
            continue
        is_due = done.result.status == "failed" or (scenario.notify == "all" and not by_rule)
        if is_due and not sent:
            simulation.violations.append(f"{job} has {done.result.status}, and nobody is told by {way}")
        if sent and not is_due and scenario.notify == "failed":
            simulation.violations.append(f"{job} has {done.result.status}, and is told by {way}")
        if any(at < ever[f"done/{job}"][0] for at in sent):
            simulation.violations.append(f"{job} is told by {way} before it has an outcome")
        if len(sent) > 1 and not simulation.faults:
            simulation.violations.append(f"{job} is told {len(sent)} times by {way} without any fault")
    if done is not None and job in simulation.untold and not simulation.violations:
        simulation.violations.append(f"{job} stays on record as to be told")


def _is_unheard(simulation: Simulation) -> bool:
    """Whether something was lost of which nobody can know."""
    gaps = simulation.gaps
    given_up = gaps["retries used up"] and not simulation.scenario.told
    return bool(gaps["no caller to try again"] or given_up or gaps["nobody was told of it"])


def _counts_all_lanes(simulation: Simulation, job: str, entered: Entered | None, done: Done | None) -> None:
    """Every lane is started; a result tells how many there were, and how many hops worked on all of them.

    A hop is known by its task id, however often it is delivered, and the start of a copy by its job.
    """
    if entered is None:
        return
    names = {each.name.rpartition("#")[0] for each in simulation.processes if job in each.jobs}
    lanes = {name.split("-")[-2] for name in names if LANE.search(name)}
    expected = {f"l{number}" for number in range(2, entered.upload.lanes + 1)}
    # else the time of the first hop runs out: by slow parts, or by a CopyObject that it waited for
    scenario = simulation.scenario
    is_punctual = scenario.part_seconds <= scenario.timeout / 12 and not scenario.is_small
    if not simulation.faults and is_punctual and not expected <= lanes:
        simulation.violations.append(f"{entered.upload.lanes} lanes, and only {sorted(lanes)} were started")
    if done is None or (done.result.method, done.result.status) != ("multipart", "succeeded"):
        return
    written = simulation.world.ever[f"done/{job}"][0]
    worked = {each.name.rpartition("#")[0] for each in simulation.processes if each.began <= written}
    most = 1 + len(worked & {name for name in names if LANE.search(name)})
    # what is asked beside parts, and the looks before Complete, may be late
    settled = written - 5 - 3 * simulation.scenario.part_seconds
    known = [
        name for name, (at, _) in simulation.world.ever.items() if at < settled and f"hop/{job}/" in name
    ]
    least = 0 if simulation.faults else 1 + len(known)
    told = done.result
    if not least <= told.hops <= most or told.lanes != entered.upload.lanes:
        simulation.violations.append(f"done/ says {told.hops} hops, {told.lanes} lanes; {sorted(known)}")


def _keeps_up(simulation: Simulation) -> None:
    """What a rule made shows the source as it is in the end, unless somebody else had a hand in it.

    New tags alone are no event: a small copy, which leaves no record, is not looked at again for them.
    """
    scenario, world = simulation.scenario, simulation.world
    struck = {fault.kind for fault in simulation.faults}
    if not scenario.by_rule or scenario.overwrite != "always":
        return
    if _is_unheard(simulation) or simulation.gaps[NOTHING]:
        return
    if struck & {FOREIGN, CANCEL, CORRUPT} or world.source is None or simulation.violations:
        return
    shown = world.destination
    if shown is None or shown.told[:3] != world.source.told[:3]:
        simulation.violations.append(f"the source is {world.source}, the destination shows {shown}")


def _is_bounded(simulation: Simulation) -> None:
    """Hops make progress: without faults each but the last copies a part, and a single part needs one.

    A lane needs a start, and the first one may look once more. Each hop may leave one part behind that takes
    longer than those before it. A chain that a sweep begins beside the one
    that waits for a restoration takes one more.
    """
    parts, copies = -(-simulation.scenario.size // PART), len(simulation.list)
    lanes = min(parts, simulation.scenario.lanes)
    told = [each.payload for each in simulation.messages.values() if b'"step":"continue"' in each.payload]
    hops = len(told)
    if not simulation.faults:
        each = 2 if simulation.scenario.part_seconds <= simulation.scenario.timeout / 6 else 1
        chains = len({each for payload in told for each in _GENERATION.findall(payload)})
        if hops > (parts // each + 1 + 2 * (lanes - 1)) * copies + max(0, chains - copies):
            simulation.violations.append(f"{hops} hops for {parts} parts without any fault")
        most = (
            parts * copies + (hops + lanes - 1) * simulation.scenario.parallel + copies + hops
        )  # that stall
        begun_twice = bool(simulation.scenario.restore)  # when the source can be read, and by the sweep
        if simulation.requests["copy part"] > most and not begun_twice:
            simulation.violations.append("parts were copied twice without any fault")
    again = max(simulation.landed.values(), default=0)
    explained = (2 + 2 * len(simulation.faults)) * (1 + RETRIES) + lanes + hops
    if again > explained:
        simulation.violations.append(f"a part was copied {again} times")
    asked = max((process.requests for process in simulation.processes), default=0)
    if asked > MOST_ATTEMPTS * (16 + (4 + 2 * lanes) * (parts + 1)) * copies:
        simulation.violations.append(f"an invocation made {asked} requests for {parts} parts")
    most = (parts + 2) * (1 + RETRIES) * (len(simulation.faults) + 2) * len(simulation.jobs) * lanes
    looks = sum(1 for task in simulation.messages if "-r" in task)  # at an archived source
    tellers = sum(1 for each in simulation.processes if each.name.startswith("tell-"))
    if len(simulation.processes) - simulation.sweeps - tellers - 2 * looks > most:
        simulation.violations.append(f"{len(simulation.processes)} invocations for {parts} parts")
