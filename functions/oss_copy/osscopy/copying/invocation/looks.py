"""The questions that a start, a hop and the end of an upload ask at once, as values.

Knows which questions do not depend on one another; not what an answer means, nor in which order they are
judged. None of them is asked by making it.
"""

from __future__ import annotations

from functools import partial
from typing import Any, TypeAlias

import msgspec

from osscopy import plan
from osscopy.copying.invocation import destination, listing, source
from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.listing import Pages
from osscopy.copying.invocation.questions import Question, known
from osscopy.model import Acl, Cancelled, Continue, Copy, CopyRequest, Done, Entered, Head, Opened

Questions: TypeAlias = tuple[Question[Any], ...]


class Ends(msgspec.Struct, frozen=True):
    """`done/` and `cancel/`: what ends a job that has begun."""

    done: Question[Done | None]
    cancelled: Question[Cancelled | None]

    @property
    def questions(self) -> Questions:
        return (self.done, self.cancelled)


def of_ends(context: Context, job: str) -> Ends:
    """Return the questions about what ends a job."""
    journal = context.journal
    return Ends(context.question(journal.done, job), context.question(journal.cancelled, job))


class Start(msgspec.Struct, frozen=True):
    """The source and the destination of a copy to begin, and what earlier deliveries have put on record."""

    copy: Copy
    head: Question[Head]
    opened: Question[Opened | None]
    entered: Question[Entered | None]
    ends: Ends
    destination: Question[Head | None]
    tags: Question[dict[str, str]]

    @property
    def due(self) -> Questions:
        """Return those that this delivery surely needs, or that the parts of a copy on record would need."""
        copy, request = self.copy, self.copy.request
        due: Questions = (self.head, self.opened)
        if copy.may_be_on_record or copy.since is not None:
            due += (self.ends.done,)
        if copy.may_be_on_record:
            due += (self.entered, self.ends.cancelled)
        judges = request.overwrite != "always" or copy.follows
        if judges or (copy.may_be_on_record and not request.is_onto_itself):
            due += (self.destination,)
        if request.tags == "copy" and (copy.may_be_on_record or plan.is_meant_for_parts(request.tuning)):
            due += (self.tags,)
        return due

    def of(self, context: Context, request: CopyRequest) -> Start:
        """Return them for what is copied in the end: another reading of the key, or the target of a symlink.

        Then tags and destination are asked for anew.
        """
        if request == self.copy.request:
            return self
        other = of_start(context, msgspec.structs.replace(self.copy, request=request))
        return msgspec.structs.replace(self, destination=other.destination, tags=other.tags)


def of_start(context: Context, copy: Copy) -> Start:
    """Return the questions with which a copy begins."""
    request, journal = copy.request, context.journal
    return Start(
        copy,
        Question(partial(source.look, context, request, request.conditions)),
        context.question(journal.opened, copy.job),
        context.question(journal.entered, copy.job),
        of_ends(context, copy.job),
        Question(partial(destination.look, context, request)),
        Question(partial(source.read_tags, context, request, request.source)),
    )


class Hop(msgspec.Struct, frozen=True):
    """The records that decide on a hop, and the parts of its lane."""

    generation: Question[int]
    entered: Question[Entered | None]
    ends: Ends
    pages: Pages

    @property
    def questions(self) -> Questions:
        return (self.generation, self.entered, *self.ends.questions, *self.pages)


def of_hop(context: Context, task: Continue) -> Hop:
    """Return the questions with which a hop begins."""
    return Hop(
        context.question(context.journal.generation, task.job),
        context.question(context.journal.entered, task.job),
        of_ends(context, task.job),
        listing.pages(context, task, 0, task.upload.parts),
    )


class Completion(msgspec.Struct, frozen=True):
    """All that may speak against Complete, and the ACL that it sets."""

    pages: Pages
    source: source.Looks
    destination: Question[Head | None]
    ends: Ends
    acl: Question[Acl]
    hops: Question[int]

    @property
    def questions(self) -> Questions:
        return (
            *self.pages,
            *self.source.questions,
            self.destination,
            *self.ends.questions,
            self.acl,
            self.hops,
        )


def of_completion(context: Context, task: Continue) -> Completion:
    """Return the questions before Complete; of the destination where the overwrite policy needs it."""
    request = task.request
    judges = request.overwrite != "always"  # forbid-overwrite does not hold under versioning
    return Completion(
        listing.pages(context, task, 0, task.upload.parts),
        source.looks(context, request, task.pin),
        Question(partial(destination.look, context, request)) if judges else known(None),
        of_ends(context, task.job),
        source.acl(context, request, task.pin),
        context.question(context.journal.hops, task.job, task),
    )
