"""Every outcome has a cause: what a copy says it failed of, was skipped or cancelled for, has happened.

Nothing else may be said, and nothing of the kind after an answer that said the copy was written. Shares no
code with the product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from osscopy.model import Problem, Result
from tests.sim import records
from tests.sim.faults import BYTES, CORRUPT, DELETE, FOREIGN, META, TAGS
from tests.sim.processes import Process

if TYPE_CHECKING:
    from tests.sim.scheduler import Simulation

SLOWEST = (
    3.5  # times as long as usual: a part that begins late, after two others, and takes half as long again
)
# What may be said after an answer that said the copy was written.
_AFTER_A_WRITE = {"SourceChanged", "DestinationChanged", "VerificationFailed"}


def check(simulation: Simulation, who: str, result: Result, process: Process | None) -> None:
    """Judge what `who` says of a copy; `process`: the invocation that says it, None for a record."""
    job = result.job
    match result.status:
        case "cancelled":
            if f"cancel/{job}" not in simulation.world.ever:
                simulation.violations.append(f"{who} says cancelled, and nobody asked for that")
        case "failed" | "skipped":
            _check_problem(simulation, who, result, process)
        case "succeeded":
            if result.error is not None:
                simulation.violations.append(f"{who} says succeeded, and {result.error.code}")


def _check_problem(simulation: Simulation, who: str, result: Result, process: Process | None) -> None:
    problem = result.error
    if problem is None or result.job is None:
        simulation.violations.append(f"{who} says {result.status}, and not why")
        return
    cause = (_SKIPPED if result.status == "skipped" else _FAILED).get(problem.code)
    if cause is None or not cause(simulation, result.job):
        simulation.violations.append(f"{who} says {result.status} of {_told(problem)}, which was not so")
    if process is not None and result.job in process.wrote and problem.code not in _AFTER_A_WRITE:
        is_record = (done := records.done(simulation.world, result.job)) is not None and done.result == result
        if not is_record:  # of another invocation, which may have ended before
            simulation.violations.append(f"{who} says {_told(problem)} of a copy that OSS said was written")


def _told(problem: Problem) -> str:
    return f"{problem.code} ({problem.message[:80]})"


def writers(simulation: Simulation) -> set[str]:
    """What lets somebody else write under the destination's key."""
    return {FOREIGN, BYTES, META, TAGS, DELETE} if simulation.scenario.itself else {FOREIGN}


def has_other_writers(simulation: Simulation, job: str) -> bool:
    """Whether anybody but this upload of the job has written, or may have."""
    entered = records.entered(simulation.world, job)
    upload = entered.upload.id if entered else ""
    struck = {fault.kind for fault in simulation.faults}
    return bool(struck & writers(simulation)) or any(
        shown.origin == "copy" and shown.upload != upload for shown in simulation.world.shown
    )


def _source_changed(simulation: Simulation, job: str) -> bool:
    """Whether the source was another one after the first look that this copy may have had at it."""
    begun = min((each.began for each, _ in simulation.answers(job)), default=simulation.time)
    worked = min((each.began for each in simulation.processes if job in each.jobs), default=begun)
    opened = simulation.world.ever.get(f"open/{job}")
    first = min(begun, worked, opened[0] - 60 if opened else begun)
    return any(since >= first for since, _ in simulation.world.sources[1:])


def _source_gone(simulation: Simulation, _: str) -> bool:
    return any(stored is None for _, stored in simulation.world.sources)


def _target_gone(simulation: Simulation, job: str) -> bool:
    return simulation.scenario.link == "follow" and _source_gone(simulation, job)


def _in_the_way(simulation: Simulation, _: str) -> bool:
    return simulation.scenario.overwrite == "never" and bool(simulation.world.shown)


def _corrupt(simulation: Simulation, job: str) -> bool:
    """Whether wrong bytes were copied, or right ones whose headers somebody changed."""
    if any(fault.kind == CORRUPT for fault in simulation.faults):
        return True
    return len(simulation.world.sources) > 1 and has_other_writers(simulation, job)


def _unknown(simulation: Simulation, job: str) -> bool:
    """Whether the destination may show something else than this copy, though it has written."""
    return has_other_writers(simulation, job) or any(fault.kind == CORRUPT for fault in simulation.faults)


def _never_restored(simulation: Simulation, _: str) -> bool:
    """Whether the archived source could not be read for a week."""
    return simulation.scenario.restore > 7 * 86_400


def _same(simulation: Simulation, job: str) -> bool:
    """Whether the destination has shown what was the source."""
    asked = simulation.scenario.overwrite == "ifDifferent" or job in simulation.followers
    sources = {stored.told[0] for _, stored in simulation.world.sources if stored}
    return asked and any(shown.content in sources for shown in simulation.world.shown)


def _older(simulation: Simulation, _: str) -> bool:
    """Whether the destination was not older than the source."""
    sources = [stored.modified for _, stored in simulation.world.sources if stored]
    return simulation.scenario.overwrite == "ifNewer" and any(
        shown.modified >= min(sources) for shown in simulation.world.shown
    )


def _too_slow(simulation: Simulation, _: str) -> bool:
    """Whether the function's timeout was made so short that a part which begins late does not fit into it."""
    shortest = min(process.timeout for process in simulation.processes)
    return (
        shortest < simulation.scenario.timeout and SLOWEST * simulation.scenario.part_seconds > shortest - 4
    )


_FAILED: dict[str, Callable[[Simulation, str], bool]] = {
    "SourceChanged": _source_changed,
    "NoSuchKey": _source_gone,
    "SymlinkTargetNotExist": _target_gone,
    "FileAlreadyExists": _in_the_way,
    "RestoreTooSlow": _never_restored,
    "VerificationFailed": _corrupt,
    "DestinationChanged": has_other_writers,
    "OutcomeUnknown": _unknown,
    "Stalled": _too_slow,
}
_SKIPPED: dict[str, Callable[[Simulation, str], bool]] = {"NotDifferent": _same, "NotNewer": _older}
