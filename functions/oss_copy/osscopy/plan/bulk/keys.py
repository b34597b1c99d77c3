"""Ids of jobs that copy many objects, and of the copies that are chains of their own. Knows names alone."""

from __future__ import annotations

import hashlib
import re

import msgspec

from osscopy.model import BulkRequest, CopyRequest
from osscopy.plan.keys import job_group

CHILD = r"c-[0-9a-f]{32}-[0-9a-f]{32}"  # the second number is the parent's
_CHILD = re.compile(CHILD)


def bulk_id(request: BulkRequest, occurrence: str) -> str:
    """Return `b-` and a hash of the request and its occurrence: an event delivered again is the same job."""
    canonical = msgspec.json.encode([request, occurrence], order="sorted")
    return "b-" + hashlib.sha256(canonical).hexdigest()[:32]


def is_bulk(job: str) -> bool:
    """Return whether a job copies many objects."""
    return job.startswith("b-")


def is_child(job: str) -> bool:
    """Return whether a copy belongs to a job of many."""
    return _CHILD.fullmatch(job) is not None


def child_id(request: CopyRequest, parent: str, place: str) -> str:
    """Return the id of a copy that belongs to `parent`; `place`: range, entry and line of its row.

    It begins like those of all jobs with this destination, and ends with the parent's number.
    """
    group = job_group(request)
    digest = hashlib.sha256(f"{parent}/{place}".encode()).hexdigest()
    return f"{group}{digest[: 34 - len(group)]}-{parent.removeprefix('b-')}"


def parent_of(child: str) -> str:
    """Return the job of many that a copy belongs to."""
    return f"b-{child.rpartition('-')[2]}"


def pair_id(request: BulkRequest) -> str:
    """Return a hash of the places that a job copies between: two jobs with the same take turns."""
    canonical = msgspec.json.encode([request.source, request.destination], order="sorted")
    return hashlib.sha256(canonical).hexdigest()[:32]
