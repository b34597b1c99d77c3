"""Deliberate bugs of deletions, to prove that the simulation finds what it is there for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from osscopy.jobs.bulk.clearing import clear, planned as planned_rows
from osscopy.jobs.bulk.clearing.claims import Claims
from osscopy.jobs.bulk.clearing.clear import Clearer
from osscopy.jobs.bulk.clearing.remove import Remover
from osscopy.jobs.bulk.pages import both
from osscopy.jobs.bulk.pages.both import BothPages
from osscopy.model import ListedObject, Row, Taken, Transient
from osscopy.plan import bulk
from osscopy.plan.bulk import Filter
from osscopy.plan.bulk.modes import deletion
from tests.sim.bulk.bugs import instead


def nothing_is_looked_at_anew() -> AbstractContextManager[None]:
    """What stands in the plan is deleted."""
    return instead(Remover, "_looked_at", lambda *_: None)


def the_source_is_not_looked_at_anew() -> AbstractContextManager[None]:
    """Only the destination is."""
    return instead(Remover, "_has_source", lambda *_: False)


def an_absence_in_a_listing_is_believed() -> AbstractContextManager[None]:
    """The source is listed a second time in place of a HEAD."""

    def has_source(self: Any, request: Any) -> bool:
        place = request.source
        page = self._context.ask(self._tools.objects.page, place.bucket, place.key, "", 1)
        return any(each.key == place.key for each in page.objects)

    return instead(Remover, "_has_source", has_source)


def the_date_is_not_compared() -> AbstractContextManager[None]:
    """Equal bytes are the planned object, whoever has written them."""
    return instead(deletion, "is_planned", lambda planned, there: planned.etag == there.etag)


def the_etag_is_not_compared() -> AbstractContextManager[None]:
    """What was written in the same second is the planned object; so is all that is not older."""
    return instead(deletion, "is_planned", lambda planned, there: planned.modified <= there.modified)


def failures_do_not_keep_anything() -> AbstractContextManager[None]:
    """The verdict looks at numbers alone."""
    right = bulk.verdict
    return instead(bulk, "verdict", lambda request, root, *_: right(request, root, "succeeded", None))


def the_cap_is_not_judged() -> AbstractContextManager[None]:
    """As many as there are may go."""
    return instead(deletion, "most", lambda *_: 10**9)


def another_s_claim_is_passed_at_once() -> AbstractContextManager[None]:
    """Nobody waits until a killed hop's deletions cannot take effect any more."""
    right = Claims.taken

    def taken(self: Any, entry: int) -> tuple[tuple[Taken, int], ...]:
        return tuple((each, 10**6) for each, _ in right(self, entry))

    return instead(Claims, "taken", taken)


def what_is_in_doubt_is_not_claimed() -> AbstractContextManager[None]:
    """The rest of a batch is gone through at once, whatever may yet take effect."""
    return instead(Clearer, "_leave", lambda *_, **__: None)


def a_lost_answer_counts_as_a_deletion() -> AbstractContextManager[None]:
    """Its row is told, and then it takes effect."""
    right = Remover._is_sent

    def is_sent(self: Any, request: Any) -> bool:
        try:
            return right(self, request)
        except Transient:
            self.in_doubt = False
            return True

    return instead(Remover, "_is_sent", is_sent)


def a_deletion_is_sent_again_without_a_look() -> AbstractContextManager[None]:
    """As any other request is."""

    def is_sent(self: Any, request: Any) -> bool:
        there = request.destination
        self._context.ask(self._tools.objects.remove, there.bucket, there.key)
        return True

    return instead(Remover, "_is_sent", is_sent)


def nobody_asks_whether_to_stop() -> AbstractContextManager[None]:
    """A cancel is seen by the walk alone."""
    return instead(Clearer, "_reason_to_keep", lambda *_: None)


def an_emptied_source_is_not_seen() -> AbstractContextManager[None]:
    """The walk has seen something, and that is enough."""
    return instead(Clearer, "_stop_where_nothing_may_go", lambda *_: None)


def a_killed_hop_is_thought_to_have_deleted_nothing() -> AbstractContextManager[None]:
    """After a cancel, what it has deleted is told as kept."""
    return instead(Remover, "_left", lambda _, planned, why: bulk.kept(planned, why))


def what_filters_pass_over_is_superfluous() -> AbstractContextManager[None]:
    """A source object that a filter of sizes does not take is as good as none."""
    right = BothPages._at

    def at(self: Any, name: str, source: ListedObject | None, other: ListedObject | None) -> Any:
        is_there = source is not None and self._takes(source)
        return right(self, name, source if is_there else None, other)

    return instead(BothPages, "_at", at)


def names_that_filters_pass_over_are_in_question() -> AbstractContextManager[None]:
    """An exclude is for the source alone."""
    right = BothPages._at

    def at(self: Any, name: str, source: ListedObject | None, other: ListedObject | None) -> Any:
        with instead(Filter, "takes_name", lambda *_: True):
            return right(self, name, source, other)

    return instead(BothPages, "_at", at)


def the_longer_page_is_merged_to_its_end() -> AbstractContextManager[None]:
    """What the shorter page does not show yet is thought to be missing there."""

    def longest(stops: Sequence[str], default: str | None) -> str | None:
        return max(stops, default=default)

    return instead(both, "min", longest)


def rows_after_a_gap_count() -> AbstractContextManager[None]:
    """An entry ends at the last object with a row, whatever is missing before it."""
    filler = Row("", "", "", "", "kept")

    def first(found: Sequence[Row | None]) -> Sequence[Row]:
        last = max((at for at, row in enumerate(found) if row is not None), default=-1)
        return [filler if row is None else row for row in found[: last + 1]]

    return instead(clear, "_first", first)


def the_plan_begins_anew_after_a_gap() -> AbstractContextManager[None]:
    """Objects have two rows."""
    right = planned_rows.planned
    begun: set[int] = set()

    def planned(log: Any, after: Any) -> Any:
        is_again = id(log) in begun
        begun.add(id(log))
        return right(log, None if is_again else after)

    return instead(clear, "planned", planned)


def a_claim_covers_no_more_than_an_entry() -> AbstractContextManager[None]:
    """What a longer batch has deleted is not looked at by shorter ones."""
    right = Claims.take
    nothing = bulk.Spot((), 0, 0)

    def take(self: Any, entry: int, number: int, _: Any, **more: Any) -> bool:
        return right(self, entry, number, nothing, **more)

    return instead(Claims, "take", take)


EVERY: dict[str, Callable[[], AbstractContextManager[None]]] = {
    each.__name__: each
    for each in (
        nothing_is_looked_at_anew,
        the_source_is_not_looked_at_anew,
        an_absence_in_a_listing_is_believed,
        the_date_is_not_compared,
        the_etag_is_not_compared,
        failures_do_not_keep_anything,
        the_cap_is_not_judged,
        another_s_claim_is_passed_at_once,
        what_is_in_doubt_is_not_claimed,
        a_lost_answer_counts_as_a_deletion,
        a_deletion_is_sent_again_without_a_look,
        nobody_asks_whether_to_stop,
        an_emptied_source_is_not_seen,
        a_killed_hop_is_thought_to_have_deleted_nothing,
        what_filters_pass_over_is_superfluous,
        names_that_filters_pass_over_are_in_question,
        the_longer_page_is_merged_to_its_end,
        rows_after_a_gap_count,
        the_plan_begins_anew_after_a_gap,
        a_claim_covers_no_more_than_an_entry,
    )
}
