"""What a job may delete: which names, and how many. Knows names and counts; asks and deletes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from osscopy.model import BulkRequest, Refused, Totals

HDFS = ".dlsdata/"  # OSS-HDFS keeps its own data there
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
