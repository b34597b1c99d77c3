"""Rules as jobs of many objects: what events have not told of is copied. Knows no event; deletes nothing.

A rule's keys are those with its prefix and suffix. Where its template only puts something before the key,
both sides are listed; else each destination is asked. A key that has a date cannot be told from the source
alone, and of several sources that have one destination only events tell which is the newest.
"""

from __future__ import annotations

import re
from typing import Any

from osscopy.model import BulkDestination, BulkRequest, BulkSource, Filters, Refused, Rule
from osscopy.model.request import Options
from osscopy.plan.rules import skips_markers
from osscopy.plan.templates import names_one_source, prefix_before_key

_SPECIAL = re.compile(r"[*?\[\]{}\\,]|^/")  # of globs; a slash after stars would be left out


def sync_of(rule: Rule) -> BulkRequest:
    """Return the request that copies what a rule has missed; Refused where keys do not tell their source."""
    source, template = rule.source, rule.destination.key
    if not names_one_source(template):
        text = "its keys have a date, or lack {key}: nobody can tell which copy is missing, or the newest"
        raise Refused("NotReconciled", text, field="destination.key")
    before = prefix_before_key(template)
    there = rule.destination.bucket
    destination = (
        BulkDestination(bucket=there, key=template)
        if before is None
        else BulkDestination(bucket=there, prefix=f"{before}{source.prefix}")
    )
    options: dict[str, Any] = {name: getattr(rule, name) for name in Options.__struct_fields__}
    options["overwrite"] = "ifDifferent" if rule.overwrite == "always" else rule.overwrite
    return BulkRequest(
        **options,
        source=BulkSource(bucket=source.bucket, prefix=source.prefix),
        destination=destination,
        filters=Filters(include=_includes(rule), exclude=_excludes(rule)),
        allow_empty=True,
    )


def _includes(rule: Rule) -> tuple[str, ...] | None:
    """Return globs of the names below the prefix that end with the rule's suffix, which may reach into it."""
    prefix, suffix = rule.source.prefix, rule.source.suffix
    if not suffix:
        return None
    shared = [cut for cut in range(1, len(suffix) + 1) if prefix.endswith(suffix[:cut])]
    return (f"**{_literal(suffix)}", *(_literal(suffix[cut:]) for cut in shared))


def _excludes(rule: Rule) -> tuple[str, ...]:
    """Return globs of folder markers, where the rule skips them: the prefix itself may be one."""
    if not skips_markers(rule):
        return ()
    return (r"**\/", "") if rule.source.prefix.endswith("/") else (r"**\/",)


def _literal(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text)
