"""The end of a copy in parts: listing, source, `done/` and `cancel/`, Complete, proof, `done/`.

Knows Complete and what has to be asked before and after it; how an outcome is named is in `outcome`. All
looks before Complete are asked at once, after the hop's own last part was answered, and judged in this
order: the listing, the source, the destination where the overwrite policy needs it, `done/` and `cancel/`,
the ACL if it is copied.

If the instance dies after Complete, FC delivers the hop again, or the sweep starts a new chain. That hop's
ListParts raises UploadGone, and `outcome.find` compares the destination with what was promised.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from osscopy import plan
from osscopy.copying import follow_up, outcome, results, submit, verify
from osscopy.copying.invocation import destination, listing, looks, source
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.looks import Completion
from osscopy.copying.invocation.questions import Question
from osscopy.copying.outcome import CHANGED
from osscopy.copying.submit import where
from osscopy.model import (
    Acl,
    Conflict,
    Continue,
    Failed,
    ListedPart,
    PartPage,
    Result,
    SourceChanged,
    Written,
)

LISTINGS = 3  # times that OSS may refuse the part list before the copy has failed


class _Relist(Exception):
    """OSS knows other parts than were listed."""


def finish(context: Context, task: Continue, beside: Sequence[Question[None]] = ()) -> Result:
    """Complete and prove the copy; hand over if parts are missing, raise what speaks against it.

    What has to be done `beside` and was not yet is done with the looks.
    """
    for _ in range(LISTINGS):
        asked = looks.of_completion(context, task)
        context.together(*asked.questions, *beside)
        page = listing.found(asked.pages)
        listed = page.parts
        if gaps := plan.gaps(task.pin, task.upload, listed):
            return _go_on(context, task, page, gaps)
        _check(context, task, asked, listed)
        if (over := outcome.end_if_over(context, task, asked.ends)) is not None:  # written late
            return over
        acl = asked.acl.get()
        context.options.judge_acl(task.request, acl)
        try:
            written = _complete(context, task, listed, acl)
        except _Relist:
            continue
        return _prove(context, task, listed, written, asked.hops.get())
    raise Failed("InvalidPart", "OSS refused the part list three times")


def _go_on(context: Context, task: Continue, page: PartPage, gaps: Sequence[int]) -> Result:
    """Leave what is missing to the next hop, or to other lanes: each ends when its own parts are there.

    The last one to end sees all of them. The first lane comes again for lanes that seem not to have started.
    """
    view = plan.view(task, page.parts, page.seen_at, context.parallel(task.request), 0.0)
    wait = plan.seconds_until_silent(view) if task.lane == 1 else 0
    done = len(page.parts)
    if plan.has_own(task, gaps):
        return submit.next_hop(context, task, delay=0, stalls=task.stalls + 1, done=done)
    if wait:
        return submit.next_hop(context, task, delay=wait, stalls=task.stalls, done=done)
    context.log("laneDone", **where(task), missing=len(gaps))
    return results.under_way(task, done)


def _check(context: Context, task: Continue, asked: Completion, listed: Sequence[ListedPart]) -> None:
    """Judge source, CRC64 and overwrite policy; raise what speaks against Complete.

    Where OSS gives no CRC64s of parts, the proof comes after.
    """
    request, pin = task.request, task.pin
    if (head := source.same(context, request, pin, asked.source)) is None:
        raise SourceChanged(*CHANGED)
    combined = plan.combined_crc64(pin, task.upload, listed)
    if combined is not None and pin.crc64 is not None and combined != int(pin.crc64):
        text = f"the parts make CRC64 {combined}, not the source's {pin.crc64}"
        raise Failed("VerificationFailed", f"{text}; the destination was not touched")
    destination.judge_overwrite(context, request, head, asked.destination.get(), task.follows)


def _complete(context: Context, task: Continue, listed: Sequence[ListedPart], acl: Acl) -> Written | None:
    """Complete with `listed`; _Relist if OSS knows another part by now.

    None: our own object is in the way, after an answer that was lost. Else the repetition of a Complete that
    took effect raises UploadGone.
    """
    attempts = context.attempts()
    try:
        return attempts.run(lambda: context.store.complete(task.request, task.upload.id, listed, acl))
    except Conflict:
        # after a lost answer it may be our own object that is in the way
        seen = destination.look(context, task.request) if attempts.in_doubt else None
        if plan.differences(task.pin, seen, task.upload.opened_at, None):
            raise
    except Failed as error:
        if error.code != "InvalidPart":
            raise
        raise _Relist from error
    return None


def _prove(
    context: Context, task: Continue, listed: Sequence[ListedPart], written: Written | None, hops: int
) -> Result:
    """Look at the destination and, of a copy that a rule made, once more at the source; write `done/`."""
    request, pin = task.request, task.pin
    etag = plan.multipart_etag(part.etag for part in listed)
    shown = Question(partial(verify.look, context, request, pin, written))
    again = source.looks(context, request, pin)
    is_followed = task.follows is not None and not request.is_onto_itself  # else it is what was just written
    context.together(shown, *(again.questions if is_followed else ()))
    found = verify.upload(context, request, pin, written, etag, shown)
    if found.problem is None and is_followed and not source.is_same(context, request, pin, again):
        context.log("sourceChangedAfter", **where(task))
        follow_up.follow(context, task.job, request, pin, task.follows, task.origin)
    result = results.multipart(task, found.seen, found.problem, context.now())
    return outcome.close(context, task, result, hops)
