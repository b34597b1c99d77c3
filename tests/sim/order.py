"""The order of effects that the protocol asks for, judged while it happens: one call a request.

Shares no code with the product.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from osscopy.model import Pin
from tests.sim import records
from tests.sim.processes import Process
from tests.sim.world import Stored, Upload

if TYPE_CHECKING:
    from tests.sim.scheduler import Simulation


JUDGED = ("list parts", "head source", "get done", "get cancel")  # before every Complete


def check(simulation: Simulation, process: Process, name: str) -> None:
    """Add to the simulation's violations what speaks against this request now."""
    on_record, job = simulation.world.records, process.task.job
    match name:
        case "initiate":
            if (entered := on_record.get(f"up/{job}")) and entered[0] < process.began:
                _violated(simulation, process, "initiates although up/ was on record when it began")
        case "copy part":
            if f"up/{job}" not in on_record:
                _violated(simulation, process, "copies a part before up/ is on record")
            _check_generation(simulation, process)
        case "complete":
            _check_complete(simulation, process)
        case "copy object":
            _check_doubt(simulation, process)
    judges = name in {"complete", "copy object"} and simulation.scenario.overwrite != "always"
    if judges and process.task.looked_at <= process.task.listed_at:
        _violated(simulation, process, "writes without having looked at the destination")


def check_progress(simulation: Simulation, process: Process) -> None:
    """No more parts are called done than OSS has, as long as the upload is open."""
    for answer in process.answers:
        entered = records.entered(simulation.world, answer.job or "")
        upload = simulation.world.uploads[entered.upload.id] if entered else None
        if answer.parts_done > answer.parts:
            _violated(simulation, process, f"says {answer.parts_done} of {answer.parts} parts are done")
        elif answer.status == "running" and upload is not None and _has_fewer(upload, answer.parts_done):
            _violated(simulation, process, f"says {answer.parts_done} parts are done, of {len(upload.parts)}")


def _has_fewer(upload: Upload, parts: int) -> bool:
    """Tell whether an upload holds fewer parts, unless a part has brought it back after an abort."""
    return upload.state == "open" and not upload.survived and len(upload.parts) < parts


def _violated(simulation: Simulation, process: Process, what: str) -> None:
    simulation.violations.append(f"{process.name} {what}")


def _check_doubt(simulation: Simulation, process: Process) -> None:
    """A CopyObject without an answer is looked at before it is repeated, by all who can know of it."""
    before = simulation.doubts.get(process.task.job, 0.0)
    knows = before < process.began and process.task.job not in process.firsts
    doubt_at = before if knows else process.task.doubt_at
    if doubt_at and process.task.looked_at < doubt_at:
        _violated(simulation, process, "repeats a CopyObject in doubt without a look")


def _check_generation(simulation: Simulation, process: Process) -> None:
    """A hop leaves if its chain had been replaced when it began; a start may take an old upload on."""
    if not process.is_hop:
        return
    prefix = f"gen/{process.task.job}/"
    for name, (written, _) in simulation.world.records.items():
        is_chain = name.startswith(prefix) and not name.endswith("-start")
        replaced = is_chain and int(name.rpartition("/")[2]) > process.generation
        if replaced and written < process.began:
            _violated(simulation, process, "copies a part although its chain is replaced")


def _check_complete(simulation: Simulation, process: Process) -> None:
    """Before Complete both the source and `cancel/` were looked at, after the listing was asked for.

    All that is judged then was asked for after the last answer to a part of its own. No thread copies a part
    any more that the invocation has not heard of: the listing would not show it.
    """
    task, needed = process.task, simulation.scenario.overwrite != "always"
    for each in (*JUDGED, "find destination") if needed else JUDGED:
        if task.asked_at.get(each, 0.0) < task.part_at:
            _violated(simulation, process, f"completes on the answer to {each} from before its last part")
    world, job = simulation.world, task.job
    cancelled = world.records.get(f"cancel/{job}")
    if cancelled and cancelled[0] < process.task.listed_at:
        _violated(simulation, process, "completes although cancel/ was on record before its listing")
    opened = records.opened(world, job)
    # a wrong version that is deleted brings the former one back
    since = [stored for moment, stored in world.sources if moment > process.task.listed_at]
    sources = [world.source_at(process.task.listed_at), *since]
    if opened and not _may_look_unchanged(opened.pin, sources):
        _violated(simulation, process, "completes although the source had changed before its listing")
    asking = [thread.about for thread in process.threads if thread.asking == "copy part"]
    if not process.copied.issuperset(asking):  # one that was asked for twice may still be under way
        _violated(simulation, process, "completes while a thread of its own copies a part")


def _may_look_unchanged(pin: Pin, sources: list[Stored | None]) -> bool:
    """HEAD and the tags are two questions: a copy onto itself that lands between them can hide new tags."""
    there = [each for each in sources if each is not None]
    return any(_is_version(pin, each) for each in there) and any(_has_tags(pin, each) for each in there)


def is_pinned(pin: Pin, stored: Stored) -> bool:
    """Whether this is the version, and these are the tags, that a copy is bound to."""
    return _is_version(pin, stored) and _has_tags(pin, stored)


def _is_version(pin: Pin, stored: Stored) -> bool:
    seen = (stored.etag, stored.size, stored.modified, stored.version)
    return (pin.etag, pin.size, pin.last_modified, pin.version_id) == seen


def _has_tags(pin: Pin, stored: Stored) -> bool:
    return pin.tags == tags_on_record({"t": str(stored.tags)} if stored.tags else {})


def tags_on_record(tags: dict[str, str]) -> str | None:
    """Tags as a record names them: by the first eight digits of a hash of the sorted pairs."""
    return hashlib.sha256(repr(sorted(tags.items())).encode()).hexdigest()[:8] if tags else None
