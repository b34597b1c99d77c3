"""The looks of a check at what no HEAD shows: tags, and the targets of symlinks."""

from __future__ import annotations

from osscopy.copying.invocation.context import Context
from osscopy.copying.invocation.questions import Question
from osscopy.model import Head, Item, Source
from osscopy.plan import bulk


def tags(context: Context, item: Item) -> bulk.End:
    """Return the row of an object by its tags on either side."""
    request, there = item.request, _there(item)
    one = Question(lambda: context.ask(context.store.tags, request, request.source))
    other = Question(lambda: context.ask(context.store.tags, request, there))
    context.together(one, other)
    return bulk.judge_tags(one.get(), other.get())


def links(context: Context, item: Item) -> bulk.End:
    """Return the row of a symlink by its targets on either side."""
    request, there = item.request, _there(item)
    one = Question(lambda: context.ask(context.store.link, request, request.source))
    other = Question(lambda: context.ask(context.store.link, request, there))
    context.together(one, other)
    return bulk.judge_targets(_target(one.get()), _target(other.get()))


def _target(link: Head | None) -> str | None:
    return None if link is None else link.link


def _there(item: Item) -> Source:
    return Source(item.request.destination.bucket, item.request.destination.key)
