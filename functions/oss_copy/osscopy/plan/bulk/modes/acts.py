"""What to do with one object, in each mode of a job."""

from __future__ import annotations

from osscopy.model import Item
from osscopy.plan.bulk import decisions
from osscopy.plan.bulk.decisions import Act, Policy
from osscopy.plan.bulk.modes import check


def decide(policy: Policy, item: Item) -> Act:
    """Return what to do with an object, from what listings show."""
    if policy.mode == "check":
        return check.judge(policy, item)
    if policy.deletes and item.problem is None and item.source is None and item.destination is not None:
        status = "wouldDelete" if policy.mode == "dry" else "planned"
        return decisions.End(status, "", "the source has no such object")  # type: ignore[arg-type]  # of two literals
    return decisions.decide(policy, item)


def decide_compared(policy: Policy, item: Item) -> Act:
    """Return what to do with an object after a HEAD of either side."""
    if policy.mode == "check":
        return check.judge_heads(policy, item)
    return decisions.decide_compared(policy, item)
