"""The beginning of a copy in parts: `open/`, read `done/`, Initiate, `up/`, then the first hop.

Knows the records before the first part and Initiate; not how parts are copied. Several deliveries may open an
upload; the one whose `up/` is created goes on, the others abort their own.
"""

from __future__ import annotations

import contextlib

import msgspec

from osscopy import plan
from osscopy.copying import hop, outcome, results, submit
from osscopy.copying.invocation import destination, source
from osscopy.copying.invocation.context import Context
from osscopy.copying.outcome import CHANGED, task_of
from osscopy.model import (
    Copy,
    Entered,
    Head,
    Opened,
    Result,
    SourceChanged,
    Transient,
    Upload,
    UploadGone,
)


def start(
    context: Context, copy: Copy, head: Head, on_record: Opened | None, *, inline: bool, in_doubt: bool
) -> Result:
    """Put the copy on record; then open its upload, or go on with the one another delivery opened.

    `in_doubt`: a CopyObject without an answer came before. Not `inline`: another invocation opens the upload.
    """
    request = copy.request
    parallel, budget = context.parallel(request), context.part_budget()
    part_size = plan.part_size(head.size, request.tuning, parallel, budget, plan.rate(request))
    tags = source.tags(context, request, head)
    pin = plan.bind(request, head, tags)
    mine = context.opening(copy, pin, head, "multipart", in_doubt=in_doubt)
    opened = on_record or context.ask(context.journal.open, mine)
    if (done := context.ask(context.journal.done, copy.job)) is not None:
        # an upload that another delivery has opened after that end is aborted by its hop
        resumed = resume(context, opened) if done.result.status != "succeeded" else None
        return resumed or done.result
    if not inline:
        return hand_over(context, copy, opened)
    is_first = opened.nonce == mine.nonce
    entered = None if is_first else context.ask(context.journal.entered, copy.job)
    if entered is None:
        if msgspec.structs.replace(opened.pin, encryption=pin.encryption) != pin:
            raise SourceChanged(*CHANGED)
        entered = _open(context, opened, head, tags, part_size)
    return hop.begin(context, task_of(opened, entered.upload, copy.generation))


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


def _open(context: Context, opened: Opened, head: Head, tags: dict[str, str], part_size: int) -> Entered:
    """Initiate and write `up/`; return the `up/` on record, and abort our upload if that is another one."""
    request = opened.request
    if request.overwrite == "always" and not request.is_onto_itself:  # else somebody has looked
        destination.check_readable(context, request)
    attributes = plan.attributes(request, head, tags, "default", carried=True)
    upload_id = context.ask(context.store.initiate, request, attributes)
    upload = Upload(upload_id, part_size, -(-head.size // part_size), lanes=1, opened_at=head.seen_at)
    mine = Entered(context.clock.nonce(), upload)
    entered = context.ask(context.journal.enter, opened.job, mine)
    if entered.nonce != mine.nonce:
        with contextlib.suppress(UploadGone):
            outcome.abort(context, task_of(opened, upload))
    context.log("opened", job=opened.job, parts=upload.parts, partSize=part_size, size=head.size)
    return entered
