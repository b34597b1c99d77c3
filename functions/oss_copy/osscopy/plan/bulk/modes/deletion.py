"""What a job may delete: which names, how many, and what two fresh looks have to show of each object.

Knows names, counts and rows; asks and deletes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

import msgspec
from msgspec.structs import replace

from osscopy.model import BulkRequest, Ended, ListedObject, Problem, Refused, Row, Totals

HDFS = ".dlsdata/"  # OSS-HDFS keeps its own data there
CANCELLED = Problem("cancelled", "the job was cancelled before this object was deleted")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)%")


def may_go(prefix: str, name: str) -> bool:
    """Return whether a name that the source lacks may be deleted: never the prefix itself, nor OSS-HDFS's."""
    return name != "" and not f"{prefix}{name}".startswith(HDFS)


def most(max_delete: int | str, held: int) -> int:
    """Return how many of `held` objects may be deleted; Refused for what is no number and no percentage."""
    if isinstance(max_delete, int) and max_delete >= 0:
        return max_delete
    found = _PERCENT.fullmatch(str(max_delete))
    if found is None or Fraction(found[1]) > 100:
        raise Refused("InvalidField", 'a whole number, or a text such as "10%"', field="maxDelete")
    return int(held * Fraction(found[1]) / 100)


def unfit(request: BulkRequest) -> Iterator[tuple[bool, str, str]]:
    """Yield what does not go with deletions: whether it holds, the field, and what to do."""
    source, there, deletes = request.source, request.destination, request.delete
    yield not deletes and request.max_delete != 0, "maxDelete", "it goes with `delete`"
    yield deletes and request.mode == "check", "delete", "a check deletes nothing: leave it out"
    yield (
        deletes and source.prefix is None,
        "delete",
        "only what mirrors a prefix deletes: name source.prefix",
    )
    is_made = there.key is not None
    yield deletes and is_made, "destination.key", "a template says nothing of what is superfluous"
    text = "spell it out where objects are deleted"
    yield deletes and there.prefix is None, "destination.prefix", text
    text = "where objects are deleted it ends in a slash: `backup` would reach `backup-2019/`"
    for field, prefix in (("source.prefix", source.prefix), ("destination.prefix", there.prefix)):
        yield deletes and bool(prefix) and not (prefix or "").endswith("/"), field, text


def notes(asked: BulkRequest, totals: Totals) -> Iterator[str]:
    """Yield what would keep the run from deleting what its dry run shows."""
    allowed = most(asked.max_delete, totals.held)
    if totals.would_delete > allowed:
        yield (
            f"the run would delete nothing (TooManyDeletes): {totals.would_delete} of {totals.held} objects "
            f"are superfluous, and maxDelete allows {allowed}"
        )
    if totals.would_delete and totals.failed:
        yield f"the run would delete nothing while {totals.failed} objects fail"


# --- before the first deletion -----------------------------------------------------------------------------


def verdict(request: BulkRequest, root: Ended, status: str, why: Problem | None) -> Problem | None:
    """Return why nothing of what is planned may be deleted; None: it may.

    `status`, `why`: how the job would end without deletions. `root`: the end of its walk.
    """
    totals = root.totals
    if status == "cancelled":
        return CANCELLED
    if status != "succeeded":
        return why or Problem("Stopped", "the walk has not come to its end")
    if root.report_lost:
        return Problem("ReportFailed", "rows of the report could not be written")
    allowed = most(request.max_delete, totals.held)
    if totals.planned > allowed:
        text = f"{totals.planned} of {totals.held} objects are superfluous, and maxDelete allows {allowed}"
        return Problem("TooManyDeletes", text)
    return None


# --- each object -------------------------------------------------------------------------------------------


class Spot(msgspec.Struct, frozen=True, order=True):
    """Where an object stands in the plan: a range of the walk, an entry of its log, a row of that."""

    path: tuple[int, ...]
    number: int
    line: int

    @property
    def text(self) -> str:
        return f"{'.'.join(map(str, self.path))}/{self.number}/{self.line}"

    @classmethod
    def of(cls, text: str) -> Spot:
        """Return the spot that has this text."""
        path, number, line = text.split("/")
        return cls(tuple(map(int, path.split("."))) if path else (), int(number), int(line))


def is_planned(planned: Row, there: ListedObject) -> bool:
    """Return whether the destination shows the very object that was planned to be deleted."""
    return (there.etag, there.modified) == (planned.etag, planned.modified)


def judge(planned: Row, there: ListedObject, *, has_source: bool) -> Row | None:
    """Return the row of an object after a fresh look at either side; None: it is to be deleted."""
    if has_source:
        return kept(planned, Problem("SourceExists", "the source has this object again"))
    if not is_planned(planned, there):
        return kept(planned, Problem("DestinationChanged", "somebody has written it since the walk"))
    return None


def deleted(planned: Row, code: str = "") -> Row:
    """Return the row of an object that is gone."""
    return replace(planned, status="deleted", error_code=code, message="", modified=0)


def kept(planned: Row, why: Problem, http_status: int = 0) -> Row:
    """Return the row of an object that stays."""
    return replace(
        planned,
        status="kept",
        error_code=why.code,
        http_status=http_status,
        message=why.message[:300],
        modified=0,
    )
