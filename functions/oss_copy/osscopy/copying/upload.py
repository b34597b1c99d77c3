"""The beginning of a copy in parts: `open/`, read `done/`, Initiate, `up/`, then the first hop.

Knows the records before the first part and Initiate; not how parts are copied. Several deliveries may open an
upload; the one whose `up/` is created goes on, the others abort their own. `done/` may be read beside the
write of `open/`, since it is read again after `up/` was written: who writes it reads `up/` afterwards.
"""

from __future__ import annotations

import contextlib

import msgspec

from osscopy import plan
from osscopy.copying import hop, outcome, results, submit
from osscopy.copying.invocation import destination, source
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.looks import Start
from osscopy.copying.invocation.questions import Question, known
from osscopy.copying.outcome import CHANGED, task_of
from osscopy.model import (
    Copy,
    Done,
    Entered,
    Head,
    Opened,
    Result,
    SourceChanged,
    Transient,
    Upload,
    UploadGone,
)


class _Records(msgspec.Struct, frozen=True):
    """The records of a copy in parts; `entered` is asked if it is not known yet."""

    opened: Opened
    done: Done | None
    entered: Question[Entered | None]


def start(
    context: Context,
    copy: Copy,
    head: Head,
    on_record: Opened | None,
    asked: Start,
    *,
    inline: bool,
    in_doubt: bool,
) -> Result:
    """Put the copy on record; then open its upload, or go on with the one another delivery opened.

    `asked`: what was asked of this copy, or may be. `in_doubt`: a CopyObject without an answer came before.
    Not `inline`: another invocation opens the upload.
    """
    request = copy.request
    parallel, budget = context.parallel(request), context.limits.part_budget
    division = plan.divide(
        head.size, request.tuning, parallel, budget, plan.rate(request), context.limits.lanes
    )
    tags = source.tags(context, request, head, asked.tags)
    pin = plan.bind(request, head, tags)
    mine = context.opening(copy, pin, head, "multipart", in_doubt=in_doubt)
    # with an overwrite policy somebody has looked
    is_looked_at = inline and request.overwrite == "always" and not request.is_onto_itself
    readable: Question[Head | None] = asked.destination if is_looked_at else known(None)
    records = _records(context, mine, on_record, asked, readable)
    opened = records.opened
    if (done := records.done) is not None:
        # an upload that another delivery has opened after that end is aborted by its hop
        resumed = resume(context, opened) if done.result.status != "succeeded" else None
        return resumed or done.result
    if not inline:
        return hand_over(context, copy, opened)
    if (entered := records.entered.get()) is not None:
        return hop.begin(context, task_of(opened, entered.upload, copy.generation))
    if msgspec.structs.replace(opened.pin, encryption=pin.encryption) != pin:
        raise SourceChanged(*CHANGED)
    destination.check_readable(request, readable)
    return _open(context, opened, head, tags, division, copy.generation)


def _records(
    context: Context, mine: Opened, on_record: Opened | None, asked: Start, readable: Question[Head | None]
) -> _Records:
    """Write `open/` and read `done/` at once, and whether the destination can be looked at.

    What is on record is not written again; then `up/` is read, too.
    """
    if on_record is not None:
        context.together(asked.ends.done, asked.entered, readable)
        return _Records(on_record, asked.ends.done.get(), asked.entered)
    journal, job = context.journal, mine.job
    opening, done = context.question(journal.open, mine), context.question(journal.done, job)
    context.together(opening, done, readable)
    opened = opening.get()
    if opened.nonce == mine.nonce:
        return _Records(opened, done.get(), known(None))
    return _Records(opened, done.get(), context.question(journal.entered, job))


def resume(context: Context, opened: Opened) -> Result | None:
    """Go on with what an earlier delivery put on record; None if there is nothing to go on with.

    What speaks against a copy now may speak only against beginning it: the source that is gone may have been
    copied, the object in the way may be ours. The upload tells, and nobody else would end it.
    """
    if opened.may_land and (landed := outcome.close_if_landed(context, opened)) is not None:
        return landed
    entered = context.ask(context.journal.entered, opened.job)
    return hop.begin(context, task_of(opened, entered.upload)) if entered else None


def hand_over(context: Context, copy: Copy, opened: Opened) -> Result:
    """Let an invocation of its own begin a copy that is on record; if that fails, the sweep does."""
    asked = plan.asked(copy.request, opened.pin)
    try:
        submit.submit(context, msgspec.structs.replace(submit.dated(copy), request=asked, keep=True))
    except Transient as error:
        context.log("leftToSweep", job=copy.job, error=str(error))
    return results.opened(opened, context.now())


def _open(
    context: Context,
    opened: Opened,
    head: Head,
    tags: dict[str, str],
    division: plan.Division,
    generation: int,
) -> Result:
    """Initiate and write `up/`; go on with the `up/` on record, and abort our upload if that is another."""
    request = opened.request
    attributes = plan.attributes(request, head, tags, "default", carried=True)
    upload_id = context.ask(context.store.initiate, request, attributes)
    upload = Upload(upload_id, division.part_size, division.parts, division.lanes, opened_at=head.seen_at)
    mine = Entered(context.clock.nonce(), upload)
    entered = context.ask(context.journal.enter, opened.job, mine)
    is_new = entered.nonce == mine.nonce
    if not is_new:
        with contextlib.suppress(UploadGone):
            outcome.abort(context, task_of(opened, upload))
    context.log(
        "opened",
        job=opened.job,
        parts=upload.parts,
        partSize=upload.part_size,
        size=head.size,
        lanes=upload.lanes,
        lanesAsked=request.tuning.lanes,
    )
    return hop.begin(context, task_of(opened, entered.upload, generation), is_new=is_new)
