"""Results, made from what is known at each stage of a copy.

Knows values only: the time comes in.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Literal, TypeAlias

import msgspec

from osscopy import plan
from osscopy.model import (
    Continue,
    Copy,
    CopyRequest,
    Head,
    Opened,
    OssCopyError,
    Pin,
    Problem,
    Result,
    Seen,
    Written,
)

Ended: TypeAlias = Literal["skipped", "failed", "cancelled"]


def iso(seconds: float) -> str:
    """Return Unix seconds as ISO 8601 in UTC, to the millisecond."""
    return (
        datetime.fromtimestamp(seconds, timezone.utc)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def unix(moment: str) -> float:
    """Return the Unix seconds that `iso` wrote."""
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


def unopened(
    copy: Copy, status: Literal["running", "skipped", "failed"], now: float, error: OssCopyError | None
) -> Result:
    """Return the result of a copy without a record: handed over, or ended before it began."""
    return Result(
        copy.job,
        status,
        source=Seen(copy.request.source.bucket, copy.request.source.key, copy.request.source.version_id),
        destination=shown(copy.request, None),
        hops=0 if status == "running" else 1,
        started_at=copy.started_at,
        finished_at=None if status == "running" else iso(now),
        error=Problem.of(error) if error else None,
        caller=copy.origin.told,
    )


def refused(error: OssCopyError) -> Result:
    """Return the result of a request that is no copy."""
    return Result(None, "failed", hops=0, error=Problem.of(error))


def opened(entry: Opened, now: float) -> Result:
    """Return the result of a copy that has only `open/`: handed over, or its source is being restored."""
    next_look = iso(plan.next_look(unix(entry.started_at), now)) if entry.restores else msgspec.UNSET
    return Result(
        entry.job,
        "running",
        source=seen(entry.request, entry.pin),
        destination=shown(entry.request, None),
        method=entry.method,
        hops=0,
        started_at=entry.started_at,
        phase="restoring" if entry.restores else msgspec.UNSET,
        next_look_at=next_look,
        caller=entry.origin.told,
    )


def unbegun(entry: Opened, status: Ended, now: float, problem: Problem | None) -> Result:
    """Return the result of a copy that has ended with nothing but its `open/`."""
    return msgspec.structs.replace(
        opened(entry, now),
        status=status,
        phase=msgspec.UNSET,
        next_look_at=msgspec.UNSET,
        finished_at=iso(now),
        error=problem,
    )


def under_way(task: Continue, parts_done: int) -> Result:
    """Return the result so far of a chain that goes on."""
    return _of_task(task, "running", parts_done, None, None)


def ended(task: Continue, status: Ended, now: float, problem: Problem | None) -> Result:
    """Return the result of a chain that has ended without a copy."""
    return _of_task(task, status, 0, now, problem)


def simple(
    copy: Copy | Opened | Continue,
    pin: Pin,
    found: Head | Written | None,
    problem: Problem | None,
    now: float,
) -> Result:
    """Return the result of a CopyObject; `problem`: what the look at the destination says against it."""
    return _proved(copy, pin, found, problem, now, method="simple", parts=1, hops=1, lanes=1)


def multipart(task: Continue, found: Head | Written | None, problem: Problem | None, now: float) -> Result:
    """Return the result of an upload; `problem`: what the look at the destination says against it."""
    upload = task.upload
    return _proved(
        task,
        task.pin,
        found,
        problem,
        now,
        method="multipart",
        parts=upload.parts,
        hops=task.hop,
        lanes=upload.lanes,
    )


def seen(request: CopyRequest, of: Pin | Head) -> Seen:
    """Return the source as it was seen."""
    bucket, key = request.source.bucket, request.source.key
    return Seen(bucket, key, of.version_id, of.etag, of.size, of.crc64, of.encryption)


def shown(request: CopyRequest, of: Head | Written | None) -> Seen:
    """Return the destination as HEAD or the answer to the write shows it, or its name alone."""
    bucket, key = request.destination.bucket, request.destination.key
    match of:
        case Head():
            return Seen(bucket, key, of.version_id, of.etag, of.size, of.crc64, of.encryption)
        case Written():
            return Seen(bucket, key, of.version_id, of.etag or None)
        case None:
            return Seen(bucket, key)


def _proved(
    copy: Copy | Continue | Opened,
    pin: Pin,
    found: Head | Written | None,
    problem: Problem | None,
    now: float,
    *,
    method: Literal["simple", "multipart"],
    parts: int,
    hops: int,
    lanes: int,
) -> Result:
    """Return success, unless there is a problem."""
    return Result(
        copy.job,
        "failed" if problem else "succeeded",
        source=seen(copy.request, pin),
        destination=shown(copy.request, found),
        method=method,
        verified=plan.verified_by(pin, found) if isinstance(found, Head) and not problem else None,
        parts=parts,
        parts_done=parts,
        bytes_done=pin.size,
        lanes=lanes,
        hops=hops,
        started_at=copy.started_at,
        finished_at=iso(now),
        error=problem,
        caller=copy.origin.told,
    )


def _of_task(
    task: Continue, status: Literal["running"] | Ended, done: int, now: float | None, problem: Problem | None
) -> Result:
    return Result(
        task.job,
        status,
        source=seen(task.request, task.pin),
        destination=shown(task.request, None),
        method="multipart",
        parts=task.upload.parts,
        parts_done=done,
        bytes_done=min(done * task.upload.part_size, task.pin.size),
        lanes=task.upload.lanes,
        hops=task.hop,
        started_at=task.started_at,
        finished_at=None if now is None else iso(now),
        error=problem,
        caller=task.origin.told,
    )
