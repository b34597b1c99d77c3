"""The differences of two objects of one name, from listings, and from HEAD where these do not tell.

Knows no request to OSS. A check copies nothing: `missing`, `superfluous`, `different` and `same` are rows.
"""

from __future__ import annotations

from collections.abc import Mapping

from osscopy.model import Item, Shown
from osscopy.plan.bulk.decisions import Act, Compare, CompareLinks, CompareTags, End, Policy, likeness

SAME = End("same", "")


def judge(policy: Policy, item: Item) -> Act:
    """Return the row of a name, or which looks it takes."""
    source, there = item.source, item.destination
    if item.problem is not None:
        status = "skipped" if item.problem.code == "NoName" else "failed"
        return End(status, item.problem.code, item.problem.message)  # type: ignore[arg-type]  # of two literals
    if there is None:
        return End("missing", "", "the destination has no such object")
    if source is None:
        return End("superfluous", "", "the source has no such object")
    return _judge_both(policy, source, there)


def _judge_both(policy: Policy, source: Shown, there: Shown) -> Act:
    if "Symlink" in {source.kind, there.kind}:
        return _judge_links(policy, source, there)
    if source.size != there.size:
        return _different("Size", f"{source.size} bytes, at the destination {there.size}")
    match likeness(source, there, may_encrypt=policy.may_encrypt):
        case "alike":
            return Compare() if policy.headers else SAME
        case "different":
            return _different("Bytes", "the ETags differ")
    return Compare()


def _judge_links(policy: Policy, source: Shown, there: Shown) -> Act:
    """Return what to do about symlinks: one is the same as another with its target."""
    if policy.follows:
        return Compare()
    if source.kind != there.kind:
        return _different("Kind", "one of both is a symlink")
    return CompareLinks()


def judge_heads(policy: Policy, item: Item) -> Act:
    """Return the row of an object after a HEAD of either side, or that its tags are to be read."""
    source, there = item.source, item.destination
    if source is None or there is None:
        return judge(policy, item)
    if source.size != there.size:
        return _different("Size", f"HEAD tells {source.size} bytes, at the destination {there.size}")
    match source.crc64, there.crc64:
        case str(one), str(other) if one != other:
            return _different("Bytes", "the CRC64s differ")
        case (None, _) | (_, None) if source.etag != there.etag:
            return End("skipped", "NotCompared", "OSS tells no CRC64 of either")
    return _judge_headers(policy, source, there)


def _judge_headers(policy: Policy, source: Shown, there: Shown) -> Act:
    if not policy.headers or source.head is None or there.head is None:
        return SAME
    one, other = source.head, there.head
    if one.content != other.content:
        return _different("Headers", "content headers or user metadata differ")
    if (one.tag_count or 0) != (other.tag_count or 0):
        return _different("Tags", f"{one.tag_count or 0} tags, at the destination {other.tag_count or 0}")
    return CompareTags() if one.tag_count else SAME


def judge_tags(one: Mapping[str, str], other: Mapping[str, str]) -> End:
    """Return the row of an object by the tags of either side."""
    return SAME if one == other else _different("Tags", "the tags differ")


def judge_targets(one: str | None, other: str | None) -> End:
    """Return the row of a symlink by the targets of either side; None: there is no symlink any more."""
    if one is None or other is None:
        return _different("Kind", "one of both is a symlink no more")
    return SAME if one == other else _different("Target", "the targets of the symlinks differ")


def _different(code: str, message: str) -> End:
    return End("different", code, message)
