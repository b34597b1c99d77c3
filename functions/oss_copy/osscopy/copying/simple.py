"""One CopyObject and its evidence: asked, looked at where its answer is lost, and judged.

Knows CopyObject and what may be asked of the destination; not when it is the way to copy, nor what is done in
parts. An attempt without an answer may have written the destination, or may do so yet: it is looked at before
it is repeated. What was written is on record before an error that comes after it is raised.
"""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

import msgspec

from osscopy import plan
from osscopy.copying import follow_up, outcome, results, verify
from osscopy.copying.invocation import source
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question
from osscopy.copying.outcome import CHANGED
from osscopy.copying.verify import Shown
from osscopy.model import (
    Conflict,
    Copy,
    Failed,
    Head,
    Opened,
    Pin,
    Result,
    SourceChanged,
    Transient,
    Written,
)


class InParts(msgspec.Struct, frozen=True):
    """CopyObject cannot copy this. `in_doubt`: one without an answer may yet take effect."""

    in_doubt: bool


Copied: TypeAlias = Result | InParts


def put_on_record(context: Context, copy: Copy, head: Head) -> Opened:
    """Write `open/`, so that the sweep looks again at what may take effect; return what is on record."""
    request = copy.request  # with tags: parts may follow
    pin = plan.bind(request, head, source.tags_if_readable(context, request, head))
    return context.ask(context.journal.open, context.opening(copy, pin, head, "simple"))


def put_unseen_on_record(context: Context, copy: Copy) -> None:
    """Write `open/` of a copy whose source cannot be seen: what a killed attempt has sent may take effect."""
    context.ask(context.journal.open, context.opening(copy, Pin(0, "", 0), None, "simple"))


class SimpleCopy:
    """One CopyObject of `head`. `shallow`: it should move no bytes, so it is asked once, and not for long."""

    def __init__(
        self, context: Context, copy: Copy, head: Head, tags: dict[str, str] | None, *, shallow: bool
    ) -> None:
        """`tags` None: OSS copies them itself."""
        self._context = context
        self._copy = copy
        self._head = head
        self._tags = tags
        self._shallow = shallow
        self._pin = plan.bind(copy.request, head, tags)
        self._attempts = context.attempts()
        self.opened: Opened | None = None  # what is on record, once it is

    def run(self) -> Copied:
        """Return the result, or InParts where that is the better way.

        Failed and Transient: nothing is written, or the copy is on record, so that the sweep looks again.
        """
        try:
            answer = self._ask()
        except Transient:
            if self._attempts.in_doubt:
                self._put_on_record()
            raise
        except Failed as error:
            return self._refused(error)
        match answer:
            case InParts():
                return answer
            case Shown():
                return self._close_shown(answer)
            case Written():
                return self._judge(answer)

    def _put_on_record(self) -> None:
        self.opened = self.opened or put_on_record(self._context, self._copy, self._head)

    # --- asking ----------------------------------------------------------------------------------------

    def _ask(self) -> Written | Shown | InParts:
        """Send CopyObject, again while that may help, and look whenever an answer is lost."""
        context, request, carried = self._context, self._copy.request, self._tags is not None
        acl = source.acl(context, request, self._pin).get()
        context.options.judge_acl(request, acl)
        attributes = plan.attributes(request, self._head, self._tags, acl, carried=carried)

        def send() -> Written:
            return context.store.copy(request, self._pin, attributes, self._wait())

        while True:
            try:
                return self._attempts.once(send)
            except Transient as error:
                if error.in_doubt and (shown := self._look()) is not None:
                    return shown
                if self._is_for_parts(error):
                    context.log("notAtOnce", job=self._copy.job, error=str(error))
                    return InParts(in_doubt=self._attempts.in_doubt)
                self._attempts.pause(error)

    def _wait(self) -> float:
        """Return the seconds to wait for the next answer: what comes after it needs the time reserved."""
        if self._shallow:
            return plan.shallow_timeout(self._context.seconds_left())
        return self._context.wait(plan.read_timeout(self._context.limits.timeout))

    def _is_for_parts(self, error: Transient) -> bool:
        """Return whether parts are the better way from here on: what took too long would do so again."""
        request = self._copy.request
        if error.throttled or request.tuning.method != "auto":
            return False
        parts_help = self._head.link is None and self._head.size > plan.smallest_part(request.tuning)
        return self._shallow or (error.outlasted and parts_help)

    def _look(self) -> Shown | None:
        """Return what an attempt without an answer has written by now, None if it has not."""
        request = self._copy.request
        found = verify.unanswered(self._context, request, self._pin, self._head.seen_at)
        if found is None or (found.pin.link is None and found.pin.etag != self._pin.etag):
            return None
        return found

    # --- judging ---------------------------------------------------------------------------------------

    def _refused(self, error: Failed) -> Copied:
        """Judge a refusal: parts, our own copy in the way, or the error itself."""
        copy, in_doubt = self._copy, self._attempts.in_doubt
        if error.code == "EntityTooLarge" and copy.request.tuning.method == "auto":
            return InParts(in_doubt=in_doubt)
        if isinstance(error, SourceChanged):
            follow_up.follow(self._context, copy.job, copy.request, self._pin, copy.follows, copy.origin)
        if not in_doubt:
            raise error
        self._put_on_record()  # an earlier attempt may yet take effect
        if isinstance(error, (Conflict, SourceChanged)) and (shown := self._look()) is not None:
            return self._close_shown(shown)
        raise error

    def _judge(self, written: Written) -> Result:
        """Look at what OSS says that it has written, and close where a record is needed.

        The source of a rule is looked at once more, at the same time.
        """
        copy, context, request, pin = self._copy, self._context, self._copy.request, self._pin
        shown = Question(partial(verify.look, context, request, pin, written))
        again = follow_up.look(context, request, pin)
        is_followed = copy.follows is not None and not self._attempts.in_doubt
        context.together(shown, *((again,) if is_followed else ()))
        try:
            found = verify.copy_object(context, request, pin, written, shown)
        except Transient:  # it is written: whoever asks again has to find that out
            self._put_on_record()
            raise
        result = results.simple(copy, pin, found.seen, found.problem, context.now())
        if self._attempts.in_doubt:
            self._put_on_record()
            return self._close(result)
        if found.problem is None or found.problem.code == CHANGED[0]:
            self._follow_up(again)
        must_tell = result.status == "failed" or self.opened is not None or copy.needs_record
        return self._close(result) if copy.keep or copy.may_land_late or must_tell else result

    def _follow_up(self, seen: Question[Head]) -> None:
        """Follow a rule's source, as it was `seen`; where OSS does not let us look, the sweep tries again.

        The copy is proved by now: it does not fail because of that.
        """
        copy = self._copy
        try:
            follow_up.follow(
                self._context, copy.job, copy.request, self._pin, copy.follows, copy.origin, seen=seen
            )
        except Failed as error:
            self._context.log("notFollowed", job=copy.job, error=str(error))
            self._put_on_record()

    def _close_shown(self, shown: Shown) -> Result:
        """Close with what is shown; on record as open, too, where an attempt may yet take effect."""
        if self._attempts.in_doubt:
            self._put_on_record()
        return self._close(results.simple(self._copy, shown.pin, shown.seen, None, self._context.now()))

    def _close(self, result: Result) -> Result:
        """Write `done/`, so that it can be asked for again as it was asked for."""
        asked = plan.asked(self._copy.request, self._pin)
        return outcome.close(self._context, msgspec.structs.replace(self._copy, request=asked), result)
