"""The resources that grants name, as RAM writes them: ARNs of one deployment. Knows no action."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from functions.cli.rights.reach import Reach
from functions.cli.template import LAYER
from functions.cli.template.props import TRIGGER_ROLE
from osscopy.plan.keys import Pattern

TRIGGER_POLICY = "AliyunOSSEventNotificationRolePolicy"  # a system policy


def resources(to: Reach) -> dict[str, tuple[str, ...]]:
    """Return the ARNs by the names that the tables of `grants` use."""
    state = f"acs:oss:*:*:{to.state_bucket}"
    records = f"{state}/{to.state_prefix}*"
    source_buckets, destination_buckets = _buckets(to.sources), _buckets(to.destinations)
    function = _functions(to, [to.function])
    projects = _projects(to)
    roles = tuple(f"acs:ram:*:{to.account}:role/{name}" for name in (*to.roles, TRIGGER_ROLE))
    layer = f"acs:fc:{to.region}:{to.account}:layers/{LAYER}"
    return {
        "anything": ("*",),
        "sources": _objects(to.sources),
        "destinations": _objects(to.destinations),
        "destination buckets": destination_buckets,
        "buckets": _unique((*source_buckets, *destination_buckets)),
        "state bucket": (state,),
        "state and destination buckets": _unique((state, *destination_buckets)),
        "watched buckets": tuple(f"acs:oss:*:*:{bucket}" for bucket in to.watched),
        "records": (records,),
        "rules": (f"acs:oss:*:*:{to.rules.bucket}/{to.rules.key}",) if to.rules else (),
        "function": function,
        "functions": _functions(to, to.functions),
        "told": _functions(to, [to.told] if to.told else []),
        "checked": _unique((*source_buckets, *destination_buckets, state, *function)),
        "layer": (layer, f"{layer}/*"),
        "keys": (f"acs:kms:{to.region}:{to.account}:key/*",),
        "log stores": tuple(f"{project}/logstore/*" for project in projects),
        "log projects": tuple(each for project in projects for each in (project, f"{project}/*")),
        "roles": roles,
        "passed roles": _unique((*roles, *map(str.lower, roles))),  # ARNs write roles in lower case
        "policies": (
            *(f"acs:ram:*:{to.account}:policy/{name}" for name in to.roles),
            f"acs:ram:*:system:policy/{TRIGGER_POLICY}",
        ),
    }


def _objects(patterns: Sequence[Pattern]) -> tuple[str, ...]:
    return _unique(f"acs:oss:*:*:{each.bucket}/{each.key}{'*' * each.is_prefix}" for each in patterns)


def _buckets(patterns: Sequence[Pattern]) -> tuple[str, ...]:
    return _unique(f"acs:oss:*:*:{each.bucket}" for each in patterns)


def _functions(to: Reach, names: Iterable[str]) -> tuple[str, ...]:
    """Return each function, and everything below it: versions, aliases, triggers."""
    arns = [f"acs:fc:{to.region}:{to.account}:functions/{name}" for name in names]
    return tuple(each for arn in arns for each in (arn, f"{arn}/*"))


def _projects(to: Reach) -> tuple[str, ...]:
    """Return the projects of the log service, as `logConfig: auto` names them."""
    starts = (f"serverless-{to.region}", f"aliyun-fc-{to.region}")
    return tuple(f"acs:log:{to.region}:{to.account}:project/{start}-*" for start in starts)


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
