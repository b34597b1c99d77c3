"""The checks of rules, one by one and together. Knows no trigger and no setting."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from itertools import product

from osscopy.model import Refused, Rule
from osscopy.plan.keys import check_bucket, check_no_address
from osscopy.plan.templates import fixed_prefix, keeps_markers_apart
from osscopy.plan.validate import prepare


def check_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return the rules; Refused or ValueError names what is wrong, or two rules that feed each other."""
    known = tuple(rules)
    for index, rule in enumerate(known):
        check_bucket(rule.source.bucket, f"[{index}].source.bucket")
        check_bucket(rule.destination.bucket, f"[{index}].destination.bucket")
    for (i, made), (j, watching) in product(enumerate(known), repeat=2):
        if _feeds(made, watching):
            target = f"{made.destination.bucket}/{made.destination.key}"
            source = f"{watching.source.bucket}/{watching.source.prefix}*"
            raise ValueError(
                f"rule {i} writes {target}, which rule {j} would copy again from {source}: "
                "separate them by bucket or prefix"
            )
    for index, rule in enumerate(known):
        try:
            check_rule(rule)
        except Refused as error:
            field = "source.prefix" if error.field == "source.key" else error.field
            raise Refused(error.code, error.message, field=f"[{index}].{field}") from error
    return known


def check_rule(rule: Rule) -> None:
    """Refuse a rule whose options or template are wrong whatever the key is."""
    if rule.markers == "copy" and not keeps_markers_apart(rule.destination.key):
        text = (
            "all folder markers would be copied to one key: write {key} or {dir} in destination.key, or skip"
        )
        raise Refused("InvalidField", text, field="markers")
    check_no_address(rule.source.prefix, "source.prefix")
    check_no_address(rule.destination.key, "destination.key")
    example = f"{rule.source.prefix}folder/example{rule.source.suffix}"
    prepare(rule.request(example), datetime(2000, 1, 1, tzinfo=timezone.utc))


def skips_markers(rule: Rule) -> bool:
    """Return whether folder markers are left out: the rule says so, or it would copy them all to one key."""
    if rule.markers is None:
        return not keeps_markers_apart(rule.destination.key)
    return rule.markers == "skip"


def _feeds(made: Rule, watching: Rule) -> bool:
    """Return whether `watching` might copy what `made` writes, so that the trigger would feed itself."""
    if made.destination.bucket != watching.source.bucket:
        return False
    written, watched = fixed_prefix(made.destination.key, made.source.prefix), watching.source.prefix
    return written.startswith(watched) or watched.startswith(written)
