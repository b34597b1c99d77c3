"""One CopyObject and its evidence: asked, looked at where its answer is lost, and judged.

Knows CopyObject and what may be asked of the destination; not when it is the way to copy, and not what is
done in parts. Doubt is looked at before it is repeated: an attempt without an answer may have written the
destination, or may do so yet. What was written is on record before an error that comes after it is raised.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from osscopy import plan
from osscopy.copying import follow_up, results, verify
from osscopy.copying.invocation.context import Session
from osscopy.copying.outcome import CHANGED, Ending
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
    """CopyObject is not the way to copy this. `in_doubt`: one may land yet."""

    in_doubt: bool


class Landed(msgspec.Struct, frozen=True):
    """The destination shows what an attempt without an answer was to write."""

    pin: Pin
    seen: Head


Outcome: TypeAlias = Result | InParts


class SimpleCopy:
    """One CopyObject of `head`. `shallow`: it should move no bytes: it is asked once, and not for long."""

    def __init__(self, session: Session, ending: Ending, copy: Copy, head: Head, *, shallow: bool) -> None:
        self._session = session
        self._ending = ending
        self._copy = copy
        self._head = head
        self._shallow = shallow
        named = plan.names_all(copy.request, head)
        self._tags = session.tags(copy.request, head) if named else None
        self._pin = plan.bind(copy.request, head, self._tags)
        self._attempts = session.attempts()
        self.opened: Opened | None = None  # what is on record, once it is

    def run(self) -> Outcome:
        """The outcome, or InParts where that is the better way. Failed, Transient: surely nothing is written.

        Transient, too, after a write that could not be looked at: the copy is on record then.
        """
        try:
            answer = self._ask()
        except Transient:
            if self._attempts.in_doubt:
                self.put_on_record()
            raise
        except Failed as error:
            return self._refused(error)
        match answer:
            case InParts():
                return answer
            case Landed(pin=pin, seen=seen):
                return self._close(results.simple(self._copy, pin, seen, None, self._session.now()))
            case Written():
                return self._judge(answer)

    def put_on_record(self) -> Opened:
        """Let the sweep look again at what may land yet, or could not be looked at; what is on record."""
        request = self._copy.request  # with tags: parts may follow
        pin = plan.bind(request, self._head, self._session.tags_if_readable(request, self._head))
        mine = self._session.opening(self._copy, pin, self._head, "simple")
        self.opened = self._session.ask(lambda: self._session.journal.open(mine))
        return self.opened

    # --- asking ----------------------------------------------------------------------------------------

    def _ask(self) -> Written | Landed | InParts:
        """What CopyObject answers, repeated while that may help."""
        request, store = self._copy.request, self._session.store
        acl = self._session.acl(request, self._pin)
        carried = self._tags is not None
        attributes = plan.attributes(request, self._head, self._tags, acl, carried=carried)
        while True:
            wait = self._wait()
            try:
                return self._attempts.once(lambda: store.copy(request, self._pin, attributes, wait))  # noqa: B023 - called before the loop goes on
            except Transient as error:
                if error.in_doubt and (landed := self._look()) is not None:
                    return landed
                if self._goes_on_in_parts(error):
                    self._session.log("notAtOnce", job=self._copy.job, error=str(error))
                    return InParts(in_doubt=self._attempts.in_doubt)
                self._attempts.pause(error)

    def _wait(self) -> float:
        """Seconds to wait for the next answer: what comes after it needs the time that is reserved."""
        if self._shallow:
            return plan.shallow_timeout(self._session.seconds_left())
        return self._session.wait(plan.read_timeout(self._session.limits.timeout))

    def _goes_on_in_parts(self, error: Transient) -> bool:
        """Whether parts are the better way from here on: one that took too long would do so again."""
        request = self._copy.request
        if error.throttled or request.tuning.method != "auto":
            return False
        parts_help = self._head.link is None and self._head.size > plan.smallest_part(request.tuning)
        return self._shallow or (error.outlasted and parts_help)

    def _look(self) -> Landed | None:
        """Whether an attempt without an answer has written the destination by now."""
        request = self._copy.request
        found = verify.of_doubt(self._session, request, self._pin, self._head.seen_at)
        if found is None or (found[0].link is None and found[0].etag != self._pin.etag):
            return None
        return Landed(*found)

    # --- judging ---------------------------------------------------------------------------------------

    def _refused(self, error: Failed) -> Outcome:
        """What a refusal means: parts, our own copy in the way, or the error itself."""
        copy, in_doubt = self._copy, self._attempts.in_doubt
        if error.code == "EntityTooLarge" and copy.request.tuning.method == "auto":
            return InParts(in_doubt=in_doubt)
        if isinstance(error, SourceChanged):
            follow_up.up(self._session, copy.job, copy.request, self._pin, copy.follows)
        if not in_doubt:
            raise error
        self.put_on_record()  # an earlier attempt may land yet
        if isinstance(error, (Conflict, SourceChanged)) and (landed := self._look()) is not None:
            return self._close(results.simple(copy, landed.pin, landed.seen, None, self._session.now()))
        raise error

    def _judge(self, written: Written) -> Result:
        """The outcome of what OSS says that it has written."""
        copy, request = self._copy, self._copy.request
        try:
            found = verify.of_copy_object(self._session, request, self._pin, written)
        except Transient:  # it is written: whoever asks again is to find that out
            self.put_on_record()
            raise
        result = results.simple(copy, self._pin, found.seen, found.problem, self._session.now())
        if self._attempts.in_doubt:
            return self._close(result)
        if found.problem is None or found.problem.code == CHANGED[0]:
            self._follow_up()
        must_tell = result.status == "failed" or self.opened is not None or copy.needs_record
        on_record = copy.keep or copy.may_land_late or must_tell
        return self._put(result) if on_record else result

    def _follow_up(self) -> None:
        """See whether a rule's source has changed; where OSS does not let us look, the sweep tries again.

        The copy is proved by now: it does not fail of that.
        """
        copy = self._copy
        try:
            follow_up.up(self._session, copy.job, copy.request, self._pin, copy.follows)
        except Failed as error:
            self._session.log("notFollowed", job=copy.job, error=str(error))
            self.put_on_record()

    def _close(self, result: Result) -> Result:
        """On record where an attempt without an answer may land yet, so that the sweep looks again."""
        if self._attempts.in_doubt:
            self.put_on_record()
        return self._put(result)

    def _put(self, result: Result) -> Result:
        """Put it on record, to be asked for again as it was asked for."""
        asked = plan.asked(self._copy.request, self._pin)
        return self._ending.close(msgspec.structs.replace(self._copy, request=asked), result)
