"""The objects that are left of a job, as far as one look at each open range tells.

Knows pages; writes nothing. A look that fails tells nothing: how a job stands is told without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from osscopy.copying.invocation.questions import Question
from osscopy.jobs.bulk.pages.of_job import pages_of
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import Ahead, BulkJob, OssCopyError, Range
from osscopy.plan import bulk

LOOKS = 16  # at once, and in all: other ranges count as more to come
UNKNOWN = Ahead(0, more=True)


def ahead(tools: Tools, job: BulkJob, left: Sequence[Range]) -> Ahead:
    """Return what is left of ranges, each from its lower bound on."""
    looks = [Question(partial(_look, tools, job, each)) for each in left[:LOOKS]]
    tools.context.together(*looks)
    found = [each.get() for each in looks]
    return bulk.together([*found, *([UNKNOWN] if len(left) > LOOKS else [])])


def _look(tools: Tools, job: BulkJob, left: Range) -> Ahead:
    try:
        return pages_of(tools, job, left).ahead(left.low)
    except OssCopyError as error:
        tools.context.log("aheadUnknown", job=job.job, error=str(error))
        return UNKNOWN
