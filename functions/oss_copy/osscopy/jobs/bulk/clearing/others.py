"""Who else writes where a job deletes: rules, and other jobs of many objects that have not ended.

Knows places and records; refuses and deletes nothing.
"""

from __future__ import annotations

from osscopy.copying.invocation.questions import Question
from osscopy.jobs.bulk.records import bulk_jobs
from osscopy.jobs.bulk.tools import Tools
from osscopy.model import BulkRequest, Problem, Refused
from osscopy.plan import bulk

MOST = 1000  # jobs on record that are looked at
CODE = "DestinationInUse"


def refuse(tools: Tools, job: str, request: BulkRequest) -> None:
    """Refuse a job that deletes where somebody else writes."""
    problem = in_the_way(tools, job, request) if request.delete and not request.dry_run else None
    if problem is not None:
        raise Refused(problem.code, problem.message, field=problem.field, status=409)


def in_the_way(tools: Tools, job: str, request: BulkRequest) -> Problem | None:
    """Return who else writes under, above or at the destination of a job that deletes; None: nobody does."""
    mine = bulk.written(request)
    for rule in tools.rules():
        if bulk.meets(mine, bulk.written_by(rule)):
            place = f"oss://{rule.destination.bucket}/{bulk.written_by(rule).prefix}"
            return Problem(CODE, f"a rule of COPY_RULES writes under {place}", field="destination.prefix")
    for name in bulk_jobs(tools.context, tools.records, "", MOST):
        if name != job and _writes(tools, name, request):
            return Problem(CODE, f"job {name} writes there, and has not ended", field="destination.prefix")
    return None


def _writes(tools: Tools, name: str, request: BulkRequest) -> bool:
    """Return whether a job runs that writes where `request` deletes."""
    records = tools.of(name)
    begun, closed = Question(records.job), Question(records.done)
    tools.context.together(begun, closed)
    entry = begun.get()
    if entry is None or closed.get() is not None or bulk.only_looks(entry.request):
        return False
    return bulk.meets(bulk.written(request), bulk.written(entry.request))
