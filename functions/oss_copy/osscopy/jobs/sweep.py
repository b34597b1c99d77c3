"""The sweep: looks at all copies on record, resumes what stands still, and forgets what is over.

Knows records, uploads and submissions; what a hop does is the engine's business, and how a copy ends that of
`ending`. Liveness rests on the sweep alone; it may run twice, at the same time as hops and other sweeps. All
times are OSS's own. A page of copies at a time; when time is short, an invocation of its own goes on.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from osscopy import events, plan
from osscopy.copying import follow_up, results
from osscopy.copying.invocation.context import Session
from osscopy.copying.outcome import Ending, task_of
from osscopy.copying.start import task_id
from osscopy.jobs import lists
from osscopy.jobs.journal import RecordJournal
from osscopy.model import (
    Continue,
    Copy,
    Done,
    Doubt,
    Dropped,
    Entered,
    Failed,
    Opened,
    OssCopyError,
    Problem,
    Rest,
    Sweep,
    Swept,
    UploadGone,
)

PAGE = 200  # copies on record read at a time
MOST_DOUBTS = 100  # told of in one report; all are logged
Fate: TypeAlias = Literal["resumed", "ended", "forgotten", "waiting"]

TOO_OLD = Failed("TooOld", f"not finished {plan.MAX_AGE} s after it was asked for")


class Sweeper:
    """One invocation's look at the copies on record."""

    def __init__(
        self,
        session: Session,
        ending: Ending,
        journal: RecordJournal,
    ) -> None:
        self._session = session
        self._ending = ending
        self._journal = journal
        self._patience = plan.patience(session.limits.timeout)
        begun = session.clock.monotonic()
        self._until = begun + 0.75 * (session.submit_by - begun)  # what is looked at then can still be ended
        self._counts: Counter[str] = Counter()
        self._doubts: list[Doubt] = []

    def run(self, sweep: Sweep) -> Swept:
        """Look at the copies after job `sweep.after`; Transient if their records cannot be listed."""
        after, more = sweep.after, True
        if not after:
            self._resume_lists()
        while more and self._has_time():
            page = self._session.ask(self._journal.opens, after, PAGE)
            more = len(page.entries) == PAGE
            for job, written in page.entries:
                if not self._has_time():
                    more = True
                    break
                after = job
                if page.seen_at - written >= self._patience:  # else it has hardly begun
                    self._attend(job, written, page.seen_at)
        if more:
            following = Sweep(after)
            name = f"sweep-{int(self._session.now()) // plan.GENERATION}-{after or 'start'}"
            self._session.submit(name, events.encode(following), 0)
        report = self._report(more)
        self._session.log("swept", **{name: getattr(report, name) for name in Swept.__struct_fields__})
        return report

    def _has_time(self) -> bool:
        return self._session.clock.monotonic() < self._until

    def pick_up(self, dropped: Dropped) -> int:
        """Go on at once with what FC has given up after its retries; what cannot be is left to the sweep.

        Answers how many copies go on. Acting here is sooner than any note for the next sweep would be.
        """
        resumed = 0
        for command in dropped.commands:
            match command:
                case Continue():
                    resumed += self._pick_up_hop(command)
                case Rest():
                    resumed += self._pick_up_rest(command)
                case Copy():
                    pass  # all of them together
        copies = tuple(each for each in dropped.commands if isinstance(each, Copy))
        return resumed + self._pick_up_starts(copies, dropped)

    # --- one copy --------------------------------------------------------------------------------------

    def _attend(self, job: str, written: int, now: int) -> None:
        """One copy; what goes wrong with it keeps no other from being looked at."""
        self._counts["looked"] += 1
        try:
            fate = self._decide(job, written, now)
        except OssCopyError as error:
            self._session.log("sweepFailed", job=job, error=str(error))
            fate = "failed"
        self._counts[fate] += 1

    def _decide(self, job: str, written: int, now: int) -> str:
        opened = self._session.ask(self._journal.opened, job)
        if opened is None:  # another sweep has just forgotten it
            return "forgotten"
        done = self._session.ask(self._journal.done, job)
        if done is not None:
            return self._forget(opened, done, written, now)
        entered = self._session.ask(self._journal.entered, job)
        if self._session.is_cancelled(job):
            result = self._ending.cancel(opened, entered)
            return "waiting" if result.status == "running" else "ended"
        return self._revive(opened, entered, now)

    def _revive(self, opened: Opened, entered: Entered | None, now: int) -> Fate:
        """Submit what takes the copy on, unless it moves, or has come to an end without a word."""
        if opened.may_land and self._ending.landed(opened) is not None:
            return "ended"
        too_old = now - results.unix(opened.started_at) > plan.MAX_AGE + self._patience
        if entered is None:
            if too_old:
                ended = results.unbegun(opened, "failed", now, Problem.of(TOO_OLD))
                self._ending.close(opened, ended)
                return "ended"
            if (generation := self._generation(opened.job, now, self._patience)) is None:
                return "waiting"
            self._restart(opened, generation)
            return "resumed"
        task = task_of(opened, entered.upload)
        gone = False
        try:
            if self._session.idle(task) < self._patience:
                return "waiting"
        except UploadGone:
            gone = True  # the hop looks at the destination
        except Failed:  # OSS does not let us look: not for ever
            if not too_old:
                raise
        if too_old and not gone:  # hops that live give up by themselves
            self._ending.fail(task, TOO_OLD)
            return "ended"
        if (generation := self._generation(opened.job, now, self._patience)) is None:
            return "waiting"
        task = msgspec.structs.replace(task, generation=generation)
        self._session.ask(self._journal.supersede, task.job, generation)
        self._session.submit(task_id(task), events.encode(task), 0)
        return "resumed"

    def _restart(self, opened: Opened, generation: int) -> None:
        """Let the copy begin once more."""
        copy = Copy(
            opened.job,
            plan.asked(opened.request, opened.pin),
            opened.started_at,
            keep=True,
            follows=opened.follows,
            generation=generation,
            since=opened.not_before,
        )
        self._session.ask(self._journal.restart, opened.job, generation)
        self._session.submit(f"{copy.job}-g{generation}-l1-h1", events.encode(copy), 0)

    def _generation(self, job: str, now: int, patience: float) -> int | None:
        """The generation to start, above all on record; None if the newest one is younger than `patience`.

        It makes task ids new ones. Two sweeps at once start the same, so that one of them counts.
        """
        newest = self._session.ask(self._journal.newest_generation, job)
        if newest is not None and newest.age < patience:
            return None
        return plan.next_generation(now, newest.number if newest else 0)

    def _resume_lists(self) -> None:
        """Hand over again the lists that no invocation seems to work on any more."""
        page = self._session.ask(self._journal.lists)
        patience = max(self._patience, 2 * self._session.limits.timeout)
        for name, written in page.entries:
            if page.seen_at - written < patience or not self._has_time():
                continue
            try:
                generation = self._generation(name, page.seen_at, patience)
                if generation is not None:
                    self._hand_over_list(name, generation)
            except OssCopyError as error:
                self._session.log("sweepFailed", list=name, error=str(error))
                self._counts["failed"] += 1

    def _hand_over_list(self, name: str, generation: int) -> None:
        self._session.ask(self._journal.restart, name, generation)
        self._session.submit(f"{name}-g{generation}", events.encode(Rest(name, generation)), 0)
        self._counts["resumed"] += 1

    # --- what is over ----------------------------------------------------------------------------------

    def _forget(self, opened: Opened, done: Done, written: int, now: int) -> Fate:
        """Delete the records of a copy that is over, once nothing of it can land any more.

        Its upload is aborted once more, strangers on its key are ended, and the source of a rule-made copy is
        looked at, before.
        """
        closed = self._session.ask(self._journal.written, "done", opened.job)
        settle = max(self._session.limits.settle, opened.settle, done.settle)  # settings change
        if closed is None or now - closed[0] < settle:
            return "waiting"
        entered = self._session.ask(self._journal.entered, opened.job)
        if not self._leaves_no_upload(opened, entered, (written, closed[0]), settle):
            return "waiting"
        if done.result.status != "cancelled":
            self._follow(opened, late=now - written > plan.MAX_AGE)
        self._session.ask(self._journal.forget, opened.job)
        return "forgotten"

    def _follow(self, opened: Opened, *, late: bool) -> None:
        """Look at the source once more; Failed if that is refused, unless it is `late` by now."""
        certain = not opened.uncertain
        try:
            follow_up.up(
                self._session, opened.job, opened.request, opened.pin, opened.follows, certain=certain
            )
        except Failed as error:
            if not late:
                raise
            self._session.log("notFollowed", job=opened.job, error=str(error))

    def _leaves_no_upload(
        self, opened: Opened, entered: Entered | None, open_from: tuple[int, int], settle: int
    ) -> bool:
        """Whether no upload of this copy is open any more; with its bucket all are gone.

        `open_from`: when the copy was opened and closed.
        """
        try:
            if entered is not None:
                with contextlib.suppress(UploadGone):
                    self._ending.abort(task_of(opened, entered.upload))
            return self._end_strangers(opened, entered, open_from, settle)
        except Failed as error:
            if error.code != "NoSuchBucket":
                raise
            return True

    def _end_strangers(
        self, opened: Opened, entered: Entered | None, open_from: tuple[int, int], settle: int
    ) -> bool:
        """Abort what an Initiate of this copy left whose answer nobody heard; whether none is left.

        OSS cannot label an upload. One counts as ours only if it has exactly our key, was initiated while the
        copy was open, has no parts, is named in no `up/`, is older than anything that could still use it, and
        no other copy to that key is open. What is doubtful is reported.
        """
        page = self._session.ask(self._session.store.uploads, opened.request)
        written, closed_at = open_from
        settled = True
        for upload in page.uploads:
            if entered is not None and upload.id == entered.upload.id:
                settled = False  # a part that was in flight has brought it back
            elif not written - 1 <= upload.initiated <= closed_at + settle:
                continue
            elif page.seen_at - upload.initiated < settle or self._has_rival(opened, upload.id):
                settled = False
            elif not self._end_stranger(opened, upload.id):
                self._doubt(opened, upload.id, "it has parts, and no record names it")
        return settled

    def _has_rival(self, opened: Opened, upload_id: str) -> bool:
        """Whether another open copy to the same key has this upload, or may be about to."""
        for job in self._session.ask(self._journal.rivals, opened.job, opened.request):
            rival = self._session.ask(self._journal.opened, job)
            if rival is None or rival.request.destination != opened.request.destination:
                continue
            entered = self._session.ask(self._journal.entered, job)
            if entered is not None and entered.upload.id == upload_id:
                return True
            if entered is None and self._session.ask(self._journal.done, job) is None:
                return True
        return False

    def _end_stranger(self, opened: Opened, upload_id: str) -> bool:
        """Abort it, if it has no parts."""
        store, request = self._session.store, opened.request
        with contextlib.suppress(UploadGone):
            if self._session.ask(store.list_parts, request, upload_id, 0).parts:
                return False
            self._session.ask(store.abort, request, upload_id)
            self._counts["aborted"] += 1
            self._session.log("strangerAborted", job=opened.job, uploadId=upload_id)
        return True

    def _doubt(self, opened: Opened, upload_id: str, why: str) -> None:
        destination = opened.request.destination
        self._session.log("doubt", job=opened.job, destination=destination, uploadId=upload_id, why=why)
        if len(self._doubts) < MOST_DOUBTS:
            self._doubts.append(Doubt(destination.bucket, destination.key, upload_id, why))

    # --- what FC gave up -------------------------------------------------------------------------------

    def _pick_up_hop(self, task: Continue) -> bool:
        following = msgspec.structs.replace(task, hop=task.hop + 1, stalls=task.stalls + 1)
        if following.stalls >= plan.MAX_STALLS:  # it dies each time: at the sweep's pace from here on
            self._session.log("leftToSweep", job=task.job, hop=task.hop)
            return False
        self._session.submit(task_id(following), events.encode(following), 5)
        return True

    def _pick_up_rest(self, rest: Rest) -> bool:
        following = Rest(rest.list, rest.generation, rest.drops + 1)
        if following.drops > plan.MAX_DROPS:
            self._session.log("leftToSweep", list=rest.list)
            return False
        name = f"{rest.list}-g{rest.generation}-d{following.drops}"
        self._session.submit(name, events.encode(following), plan.drop_delay(following.drops))
        return True

    def _pick_up_starts(self, copies: Sequence[Copy], dropped: Dropped) -> int:
        """Those of a list go on as one, and with those given up too often it is the same, if time is short.

        Of one alone nothing is asked of OSS, which may be why it was given up: who begins sees how it is.
        """
        again = [msgspec.structs.replace(each.delivered_again(), drops=each.drops + 1) for each in copies]
        lasting = [each for each in again if each.drops <= plan.MAX_DROPS]
        for position, copy in enumerate(each for each in again if each.drops > plan.MAX_DROPS):
            if position and not self._has_time():
                lasting.append(copy)
            else:
                self._give_up(copy, dropped)
        if len(lasting) == 1:
            (copy,) = lasting
            name, delay = f"{copy.job}-d{copy.drops}", plan.drop_delay(copy.drops)
            self._session.submit(name, events.encode(copy), delay)
        elif lasting:
            delay = plan.drop_delay(min(plan.MAX_DROPS, lasting[0].drops))
            now = self._session.now()
            lists.hand_over(self._session, self._journal, lasting, now, f"d{lasting[0].drops}", delay)
        return len(lasting)

    def _give_up(self, copy: Copy, dropped: Dropped) -> None:
        """Call a copy failed that FC has given up too often, unless it has been begun."""
        if self._session.ask(self._journal.opened, copy.job) is None:
            error = Failed(
                "InvocationDropped",
                f"FC gave up {copy.drops} invocations, the last one for {dropped.condition}",
                request_id=dropped.request_id,
            )
            self._ending.close(copy, results.unopened(copy, "failed", self._session.now(), error))

    def _report(self, more: bool) -> Swept:
        names = ("looked", "resumed", "ended", "forgotten", "aborted", "waiting", "failed")
        return Swept(**{name: self._counts[name] for name in names}, doubts=tuple(self._doubts), more=more)
