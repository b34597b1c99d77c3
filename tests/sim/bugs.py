"""Deliberate bugs, to prove that the simulation finds what it is there for. Each is switched on by `with`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import msgspec

from osscopy import plan
from osscopy.copying import (
    earlier,
    finish,
    follow_up,
    hop,
    outcome,
    restore,
    results,
    upload,
    verify,
)
from osscopy.copying.invocation import listing, looks, source
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question, known
from osscopy.copying.invocation.workers import Workers
from osscopy.copying.lanes.supply import Supply
from osscopy.copying.outcome import task_of
from osscopy.copying.simple import SimpleCopy
from osscopy.jobs import lists
from osscopy.jobs.control import Control
from osscopy.jobs.forget import Cleaner
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.orphans import Orphans
from osscopy.jobs.records import PAGE, Records, create
from osscopy.jobs.resume import Resumer
from osscopy.model import (
    Conditions,
    ContentHeaders,
    Continue,
    Copy,
    CopyRequest,
    Done,
    Entered,
    Failed,
    Head,
    ListedPart,
    Opened,
    OssCopyError,
    Part,
    PartPage,
    Pin,
    Problem,
    Result,
    Skipped,
    Transient,
    UploadGone,
)
from tests.sim.world import Stored, World


@contextlib.contextmanager
def _instead(owner: Any, name: str, wrong: Callable[..., Any] | property) -> Iterator[None]:
    right = getattr(owner, name)
    setattr(owner, name, wrong)
    try:
        yield
    finally:
        setattr(owner, name, right)


class _Proxy:
    """An object of one invocation with other answers; its class belongs to all that take turns with it."""

    def __init__(self, of: Any, **wrong: Callable[..., Any]) -> None:
        self._of = of
        self._wrong = wrong

    def __getattr__(self, name: str) -> Any:
        return self._wrong.get(name) or getattr(self._of, name)


@contextlib.contextmanager
def _for_now(owner: Any, name: str, **wrong: Callable[..., Any]) -> Iterator[None]:
    """Of this one object alone, until the block ends."""
    right = getattr(owner, name)
    setattr(owner, name, _Proxy(right, **wrong))
    try:
        yield
    finally:
        setattr(owner, name, right)


def _no_pin() -> AbstractContextManager[None]:
    right = World.read

    def read(self: World, pin: Pin, key: str, *, match: bool = True) -> Stored:  # noqa: ARG001 - the caller's
        return right(self, pin, key, match=False)

    return _instead(World, "read", read)


@contextlib.contextmanager
def _no_part_check() -> Iterator[None]:
    """A hop that has worked completes; neither what is left nor the listing is counted."""
    with _instead(plan, "gaps", lambda *_: []), _instead(plan, "next_step", lambda _: plan.Finish()):
        yield


@contextlib.contextmanager
def _old_listing() -> Iterator[None]:
    """Judge the listing from the start of the hop."""
    right = hop._advance

    def advance(context: Any, task: Continue, ends: looks.Ends, pages: Any) -> Result:
        context.early = {"pages": pages or (known(PartPage((), None, 0)),)}
        return right(context, task, ends, pages)

    with _instead(hop, "_advance", advance), _judged_early():
        yield


@contextlib.contextmanager
def _judged_early() -> Iterator[None]:
    """Judge before Complete what a hop has asked earlier."""
    right = looks.of_completion

    def of_completion(context: Any, task: Continue) -> looks.Completion:
        return msgspec.structs.replace(right(context, task), **context.early)

    with _instead(looks, "of_completion", of_completion):
        yield


@contextlib.contextmanager
def _listing_beside_the_parts() -> Iterator[None]:
    """List the parts while the last ones are being copied."""
    right = hop._copy_parts

    def copy_parts(context: Any, task: Continue, missing: Any, watches: Any) -> Workers:
        pages = listing.pages(context, task, 0, task.upload.parts)
        context.early = {"pages": pages}
        return right(context, task, missing, [*watches, *(partial(_ask, page) for page in pages)])

    with _instead(hop, "_copy_parts", copy_parts), _judged_early():
        yield


def _ask(question: Question[Any]) -> bool:
    question.ask()
    return False


@contextlib.contextmanager
def _looks_before_the_parts() -> Iterator[None]:
    """Look at the source, `done/` and `cancel/` before the parts, and not again."""
    right = hop._copy_parts

    def copy_parts(context: Any, task: Continue, *arguments: Any) -> Workers:
        early, ends = source.looks(context, task.request, task.pin), looks.of_ends(context, task.job)
        context.together(*early.questions, *ends.questions)
        context.early = {"source": early, "ends": ends}
        return right(context, task, *arguments)

    with _instead(hop, "_copy_parts", copy_parts), _judged_early():
        yield


def _gone_is_failure() -> AbstractContextManager[None]:
    def examine(context: Context, task: Continue, error: OssCopyError) -> Result:
        return outcome.close_failed(context, task, error)

    return _instead(outcome, "examine", examine)


def _mutable_records() -> AbstractContextManager[None]:
    def put(self: World, name: str, body: bytes) -> bool:
        self.records[name] = (self.now, body)
        return True

    return _instead(World, "put_new", put)


def _second_initiate() -> AbstractContextManager[None]:
    """Every delivery opens an upload of its own."""
    right = upload.start

    def forgetful(
        context: Context, copy: Copy, head: Head, on_record: Any, asked: looks.Start, **options: Any
    ) -> Result:
        unread = msgspec.structs.replace(asked, entered=known(None))
        with _for_now(context, "journal", entered=lambda *_: None):
            return right(context, copy, head, on_record, unread, **options)

    return _instead(upload, "start", forgetful)


def _cancel_unseen() -> AbstractContextManager[None]:
    def cancelled(context: Context, task: Continue) -> Result:
        with contextlib.suppress(UploadGone):
            outcome.abort(context, task)
        return outcome.close(context, task, results.ended(task, "cancelled", context.now(), None))

    return _instead(outcome, "abort_cancelled", cancelled)


def _small_cancel_unseen() -> AbstractContextManager[None]:
    """A CopyObject that may be under way is called cancelled."""
    right = outcome.cancel

    def cancel(context: Context, opened: Opened, entered: Entered | None) -> Result:
        in_parts = msgspec.structs.replace(opened, method="multipart")
        return right(context, in_parts, entered)

    return _instead(outcome, "cancel", cancel)


def _abort_on_throttling() -> AbstractContextManager[None]:
    advance = hop._advance

    def give_up(context: Context, task: Continue, *arguments: Any) -> Result:
        try:
            return advance(context, task, *arguments)
        except Transient as error:
            with contextlib.suppress(UploadGone):
                outcome.abort(context, task)
            return outcome.close_failed(context, task, error)

    return _instead(hop, "_advance", give_up)


@contextlib.contextmanager
def _cancel_unread() -> Iterator[None]:
    """Complete without reading `cancel/`; hops still read it when they begin."""
    right = looks.of_completion

    def unread(context: Context, task: Continue) -> looks.Completion:
        asked = right(context, task)
        ends = msgspec.structs.replace(asked.ends, cancelled=known(None))
        return msgspec.structs.replace(asked, ends=ends)

    with _instead(looks, "of_completion", unread):
        yield


def _source_unseen() -> AbstractContextManager[None]:
    def unseen(_: Context, __: CopyRequest, pin: Pin, *___: Any) -> Head:
        """What was pinned, whatever the source is by now."""
        return Head(
            size=pin.size,
            etag=pin.etag,
            version_id=pin.version_id,
            last_modified=pin.last_modified,
            seen_at=pin.last_modified,
            crc64=pin.crc64,
            storage_class="Standard",
            kind="Normal",
            content=ContentHeaders(),
            tag_count=0,
        )

    return _instead(source, "same", unseen)


def _loser_goes_on() -> AbstractContextManager[None]:
    """Whose `up/` was not the first goes on with its own upload all the same."""
    enter = RecordJournal.enter

    def mine(self: RecordJournal, job: str, entry: Entered) -> Entered:
        enter(self, job, entry)
        return entry

    return _instead(RecordJournal, "enter", mine)


def _no_evidence() -> AbstractContextManager[None]:
    """Any object at the destination is taken for the copy."""

    def differences(_pin: Pin, seen: Any, _not_before: int, _etag: str | None) -> list[str]:
        return [] if seen is not None else ["the destination does not exist"]

    return _instead(plan, "differences", differences)


def _begin_alone() -> AbstractContextManager[None]:
    """A delivery that cannot begin does not ask whether an earlier one did."""
    return _instead(upload, "resume", lambda *_: None)


def _no_generation() -> AbstractContextManager[None]:
    """The sweep submits task ids that were used before."""
    return _instead(plan, "next_generation", lambda *_: 1)


def _generations_of_settings() -> AbstractContextManager[None]:
    """Generations count periods of patience, which grow with the function's timeout."""

    def generation(self: Any, _: str, now: int) -> int:
        return int(now // self._patience)

    return _instead(Resumer, "_next_generation", generation)


@contextlib.contextmanager
def _in_its_own_way() -> Iterator[None]:
    """What stands in the way is a conflict, whoever has written it."""
    with (
        _instead(earlier, "_made_without_record", lambda *_: None),
        _instead(outcome, "_own_copy", lambda *_: None),
        _instead(SimpleCopy, "_look", lambda *_: None),
        _instead(outcome, "close_if_landed", lambda *_: None),
    ):
        yield


@contextlib.contextmanager
def _doubt_repeated() -> Iterator[None]:
    """A CopyObject without an answer is asked for again, by its own invocation and by the next."""
    with (
        _instead(earlier, "made", lambda *_: None),
        _instead(SimpleCopy, "_look", lambda *_: None),
        _instead(SimpleCopy, "_is_for_parts", lambda *_: False),
    ):
        yield


def _list_without_record() -> AbstractContextManager[None]:
    """The rest of a list is forgotten before an invocation goes on with it."""
    right = lists.hand_over

    def hand_over(context: Context, records: Records, *arguments: Any) -> None:
        right(context, records, *arguments)
        for name, _ in RecordJournal(records).page("rest", "", PAGE).entries:
            lists.drop(records, name)

    return _instead(lists, "hand_over", hand_over)


def _forgotten_early() -> AbstractContextManager[None]:
    return _instead(plan, "settle_time", lambda _: 0.0)


def _sweep_aborts() -> AbstractContextManager[None]:
    """The sweep ends an upload that does not move, rather than to resume it."""
    resume = Resumer.resume

    def impatient(self: Any, opened: Opened, entered: Entered | None, now: int) -> Any:
        if entered is not None:
            with contextlib.suppress(UploadGone):
                outcome.abort(self._context, task_of(opened, entered.upload))
        return resume(self, opened, entered, now)

    return _instead(Resumer, "resume", impatient)


def _orphans_stay() -> AbstractContextManager[None]:
    return _instead(Orphans, "abort", lambda *_: True)


@contextlib.contextmanager
def _not_aborted(context: Context) -> Iterator[None]:
    """Let one invocation abort nothing."""
    with _for_now(context, "store", abort=_raise_gone):
        yield


def _raise_gone(*_: Any) -> None:
    raise UploadGone("NoSuchUpload", "there is none", status=404)


def _uploads_not_aborted_again() -> AbstractContextManager[None]:
    """What is on record is forgotten without a last abort: parts in flight may have brought it back."""
    right = Cleaner.forget

    def at_once(self: Any, *arguments: Any) -> Any:
        with _not_aborted(self._context), _for_now(self, "orphans", abort=lambda *_: True):
            return right(self, *arguments)

    return _instead(Cleaner, "forget", at_once)


def _unfollowed() -> AbstractContextManager[None]:
    return _instead(follow_up, "follow", lambda *_, **__: False)


def _followed_without_record() -> AbstractContextManager[None]:
    """A follow-up is submitted alone: nobody knows of it if the submission is lost."""
    right = follow_up.follow

    def follow(context: Context, *arguments: Any, **named: Any) -> bool:
        with _for_now(context, "journal", open=lambda entry: entry):
            return right(context, *arguments, **named)

    return _instead(follow_up, "follow", follow)


def _tags_unseen() -> AbstractContextManager[None]:
    """Whether the source was tagged anew is not looked at again."""

    def same(context: Context, request: CopyRequest, pin: Pin, *_: Any) -> Head | None:
        try:
            head = source.look(context, request, Conditions())
        except Failed:
            return None
        return head if plan.is_same_version(pin, head) else None

    return _instead(source, "same", same)


def _policy_judged_once() -> AbstractContextManager[None]:
    """The destination is looked at before anything is opened, and not before Complete."""
    end = finish.finish

    def always(context: Context, task: Continue, *beside: Any) -> Result:
        request = msgspec.structs.replace(task.request, overwrite="always")
        return end(context, msgspec.structs.replace(task, request=request), *beside)

    return _instead(finish, "finish", always)


def _itself_as_any_other() -> AbstractContextManager[None]:
    """Headers and tags are left to OSS, and what was written is compared with what was written."""
    return _instead(CopyRequest, "is_onto_itself", property(lambda _: False))


def _success_denied(kinds: tuple[str, ...], code: str) -> AbstractContextManager[None]:
    """What was written and proved is reported as failed."""
    right = results._proved

    def denied(*arguments: Any, **named: Any) -> Result:
        result = right(*arguments, **named)
        if result.status != "succeeded" or named["method"] not in kinds:
            return result
        return msgspec.structs.replace(
            result, status="failed", verified=None, error=Problem(code, "it is not so")
        )

    return _instead(results, "_proved", denied)


def _all_denied() -> AbstractContextManager[None]:
    return _success_denied(("simple", "multipart"), "AccessDenied")


def _copies_denied() -> AbstractContextManager[None]:
    return _success_denied(("simple",), "AccessDenied")


def _copies_changed() -> AbstractContextManager[None]:
    return _success_denied(("simple",), "SourceChanged")


def _uploads_unknown() -> AbstractContextManager[None]:
    return _success_denied(("multipart",), "OutcomeUnknown")


def _skipped_at_will() -> AbstractContextManager[None]:
    """Whatever is at the destination, nothing is copied over it."""

    def judge(request: CopyRequest, _source: Head, there: Head | None, *_: Any, **__: Any) -> None:
        if there is not None and request.overwrite != "always":
            raise Skipped("NotDifferent", "the destination has the same bytes, and all that was asked for")

    return _instead(plan, "judge_overwrite", judge)


def _own_outcome_told() -> AbstractContextManager[None]:
    """Who comes second says what he has found, not what is on record."""

    def close(self: RecordJournal, job: str, entry: Done) -> Done:
        create(self.records, f"done/{job}", entry)
        return entry

    return _instead(RecordJournal, "close", close)


def _part_crcs_unread() -> AbstractContextManager[None]:
    return _instead(plan, "combined_crc64", lambda *_: None)


def _crc_unread() -> AbstractContextManager[None]:
    """The proof rests on size and predicted ETag alone."""
    right = plan.differences

    def differences(pin: Pin, seen: Head | None, not_before: int, etag: str | None) -> list[str]:
        bare = None if seen is None else msgspec.structs.replace(seen, crc64=None)
        return right(pin, bare, not_before, etag)

    return _instead(plan, "differences", differences)


def _threads_not_joined() -> AbstractContextManager[None]:
    """A hop does not wait for its threads, and counts what they work on as done."""
    begin = Workers.run

    def run(self: Workers, threads: int) -> None:
        parts, deadline = list(self._batch._queue), self._deadline
        self._deadline = self._clock.monotonic()
        self._has_time = lambda: True  # type: ignore[method-assign]  # of this one alone
        begin(self, threads)
        del self._has_time
        self._deadline = deadline
        self.copied = parts

    @contextlib.contextmanager
    def both() -> Iterator[None]:
        with _instead(Workers, "run", run), _instead(plan, "gaps", lambda *_: []):
            yield

    return both()


def _restore_not_awaited() -> AbstractContextManager[None]:
    """An archived source is copied at once."""
    right = plan.first_step

    def first_step(request: CopyRequest, head: Head, opened: Opened | None, method: plan.Method) -> Any:
        thawed = msgspec.structs.replace(head, restoration="done")
        return right(request, thawed, opened, method)

    return _instead(plan, "first_step", first_step)


def _restored_by_itself() -> AbstractContextManager[None]:
    """Nobody asks OSS to restore the source."""
    right = restore.wait

    def wait(context: Context, copy: Copy, head: Head, method: plan.Method) -> Result:
        return right(context, copy, msgspec.structs.replace(head, restoration="ongoing"), method)

    return _instead(restore, "wait", wait)


def _waiting_is_cancelled() -> AbstractContextManager[None]:
    """A copy that waits for its source is called cancelled, whatever the source is by now."""

    def waits(context: Context, opened: Opened) -> bool:
        return opened.restores and plan.must_wait(
            opened.request, source.look(context, opened.request, Conditions())
        )

    return _instead(outcome, "_waits_for_restore", waits)


def _gone_is_cancelled() -> AbstractContextManager[None]:
    """An upload that is gone when its copy is cancelled was aborted, not completed."""
    right = outcome._close_cancelled

    def close(context: Context, task: Continue, problem: Problem | None, **_: Any) -> Result:
        return right(context, task, problem, may_have_written=False)

    return _instead(outcome, "_close_cancelled", close)


def _link_unseen() -> AbstractContextManager[None]:
    """Whether the symlink that was followed still points there is not looked at again."""
    right = source.same

    def same(context: Context, request: CopyRequest, pin: Pin, *_: Any) -> Head | None:
        return right(context, request, msgspec.structs.replace(pin, via=None))

    return _instead(source, "same", same)


def _link_unproved() -> AbstractContextManager[None]:
    """Any symlink at the destination is taken for the copy of one."""
    right = plan.differences

    def differences(pin: Pin, seen: Head | None, not_before: int, etag: str | None) -> list[str]:
        if pin.link is not None and seen is not None:
            return []
        return right(pin, seen, not_before, etag)

    return _instead(plan, "differences", differences)


def _changed_link_deleted() -> AbstractContextManager[None]:
    """A symlink of an instant in between is taken for wrong, and its version deleted."""
    return _instead(verify, "_is_of_instant_between", lambda *_: False)


def _size_is_final() -> AbstractContextManager[None]:
    """What CopyObject is too small for has failed."""

    def refused(self: SimpleCopy, error: Failed) -> Any:  # noqa: ARG001 - the caller's signature
        raise error

    return _instead(SimpleCopy, "_refused", refused)


def _first_page_only() -> AbstractContextManager[None]:
    """Of the parts the first page is listed."""

    def parts(context: Context, task: Continue, after: int, last: int) -> PartPage:
        page = context.ask(context.store.list_parts, task.request, task.upload.id, after)
        return PartPage(tuple(part for part in page.parts if part.number <= last), None, page.seen_at)

    return _instead(listing, "parts", parts)


def _replaced_chain_goes_on() -> AbstractContextManager[None]:
    return _instead(hop, "_is_superseded", lambda *_: False)


def _relist_is_failure() -> AbstractContextManager[None]:
    """A Complete that finds a conflict after a lost answer has failed."""

    def complete(context: Context, task: Continue, listed: Any, acl: Any) -> Any:
        return context.ask(context.store.complete, task.request, task.upload.id, listed, acl)

    return _instead(finish, "_complete", complete)


def _list_as_first() -> AbstractContextManager[None]:
    """The copies of a list that is handed over are begun as if they came for the first time."""
    return _instead(Copy, "delivered_again", lambda copy: copy)


def _uncertain_taken_for_copied() -> AbstractContextManager[None]:
    """What an attempt before the record may have copied is not thought of."""
    right = Context.opening

    def opening(self: Context, *arguments: Any, **named: Any) -> Opened:
        return msgspec.structs.replace(right(self, *arguments, **named), uncertain=False)

    return _instead(Context, "opening", opening)


def _cancel_refused_by_nobody() -> AbstractContextManager[None]:
    """What is asked to end is called ended, and nothing is put on record for those who copy."""
    right = Control.cancel

    def cancel(self: Control, job: str) -> Result:
        with _for_now(self, "_journal", cancel=lambda _, entry: entry):
            return right(self, job)

    return _instead(Control, "cancel", cancel)


def _own_lane_completes() -> AbstractContextManager[None]:
    """A lane that is done completes, whatever the others lack."""
    right = finish._go_on

    def go_on(context: Context, task: Continue, page: PartPage, gaps: Any) -> Result:
        if plan.has_own(task, gaps):
            return right(context, task, page, gaps)
        written = finish._complete(context, task, page.parts, "default")
        return finish._prove(context, task, page.parts, written, 1)

    return _instead(finish, "_go_on", go_on)


def _lanes_share_ids() -> AbstractContextManager[None]:
    """Task ids do not know the lane: FC takes the second one for the first."""
    right = plan.task_id
    return _instead(plan, "task_id", lambda task: re.sub(r"-l\d+-", "-", right(task)))


def _flights_have_landed() -> AbstractContextManager[None]:
    """What was in flight at the hop before is taken for copied."""
    right = listing.parts

    def parts(context: Context, task: Continue, after: int, last: int) -> PartPage:
        page = right(context, task, after, last)
        known = {part.number for part in page.parts}
        lacking = [n for n in plan.numbers_of(task.in_flight) if after < n <= last and n not in known]
        claimed = (ListedPart(n, "P", part_of(task, n).size) for n in lacking)
        return msgspec.structs.replace(page, parts=tuple(sorted([*page.parts, *claimed], key=_number)))

    return _instead(listing, "parts", parts)


def _number(part: ListedPart) -> int:
    return part.number


def part_of(task: Continue, number: int) -> Part:
    return plan.split(task.pin.size, task.upload.part_size)[number - 1]


@contextlib.contextmanager
def _tail_counted_twice() -> Iterator[None]:
    """Of a part that was asked for twice both answers count, and answers are counted, not parts."""
    right = Workers._count

    def count(self: Workers, flight: Any, place: Any, seconds: float) -> None:
        if not self._is_wanted(flight):
            self.copied.append(flight.part)
        right(self, flight, place, seconds)

    def done(self: Supply, copied: Iterable[Part] = ()) -> int:
        there = {part.number for part in self._listed.parts}
        return len(there) + sum(part.number not in there for part in copied)

    with _instead(Workers, "_count", count), _instead(Supply, "done", done):
        yield


BUGS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "parts are not pinned": _no_pin,
    "Complete without a part check": _no_part_check,
    "completion judged on the listing from the start of the hop": _old_listing,
    "a listing that began before the last part is judged": _listing_beside_the_parts,
    "a look judged though it was asked before the parts": _looks_before_the_parts,
    "NoSuchUpload taken as failure": _gone_is_failure,
    "the last writer of a record wins": _mutable_records,
    "a second Initiate after up/": _second_initiate,
    "cancelled reported without looking": _cancel_unseen,
    "a CopyObject called cancelled without looking": _small_cancel_unseen,
    "throttling ends the upload": _abort_on_throttling,
    "Complete without reading cancel/": _cancel_unread,
    "Complete without looking at the source": _source_unseen,
    "the loser of up/ goes on": _loser_goes_on,
    "success without evidence": _no_evidence,
    "a redelivery that cannot begin ends the job": _begin_alone,
    "a sweep without generation": _no_generation,
    "generations derived from settings": _generations_of_settings,
    "a copy in its own way is a conflict": _in_its_own_way,
    "doubt is repeated, not looked at": _doubt_repeated,
    "the rest of a list is not on record": _list_without_record,
    "records forgotten early": _forgotten_early,
    "the sweep aborts a live upload": _sweep_aborts,
    "orphan uploads are left": _orphans_stay,
    "a changed source is not followed": _unfollowed,
    "a follow-up without a record": _followed_without_record,
    "new tags of the source are not seen": _tags_unseen,
    "the overwrite policy is judged once": _policy_judged_once,
    "an object is copied onto itself like any other": _itself_as_any_other,
    "uploads are not looked at when their copy is forgotten": _uploads_not_aborted_again,
    "every success is reported as failed": _all_denied,
    "every CopyObject is reported as denied": _copies_denied,
    "every CopyObject is reported as if its source had changed": _copies_changed,
    "every upload is reported as unknown": _uploads_unknown,
    "what is there is never overwritten": _skipped_at_will,
    "the second one tells its own outcome": _own_outcome_told,
    "the CRC64s of parts are not read": _part_crcs_unread,
    "no CRC64 is read": _crc_unread,
    "threads are not joined": _threads_not_joined,
    "an archived source is not waited for": _restore_not_awaited,
    "an archived source is not restored": _restored_by_itself,
    "what waits for its source is cancelled, whatever that is": _waiting_is_cancelled,
    "an upload that is gone was aborted": _gone_is_cancelled,
    "a symlink that was followed is not looked at again": _link_unseen,
    "any symlink is the copy of one": _link_unproved,
    "a symlink that changed twice is deleted": _changed_link_deleted,
    "what is too large for CopyObject has failed": _size_is_final,
    "only the first page of parts is listed": _first_page_only,
    "a chain that is replaced goes on": _replaced_chain_goes_on,
    "a conflict after a lost Complete is a failure": _relist_is_failure,
    "what is delivered again is taken for the first": _list_as_first,
    "an attempt before the record is not thought of": _uncertain_taken_for_copied,
    "a cancel that is not on record": _cancel_refused_by_nobody,
    "a lane completes on its own parts only": _own_lane_completes,
    "two lanes share a task id": _lanes_share_ids,
    "the next hop trusts that what was in flight has landed": _flights_have_landed,
    "a tail copy counted twice": _tail_counted_twice,
}
