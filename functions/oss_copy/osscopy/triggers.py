"""What the check makes of the function's triggers: pure, from what FC tells of them to lines.

Knows rules, and how FC writes a trigger's configuration; asks nothing. Triggers of other functions cannot be
seen from here, nor whatever else brings events: an HTTP client, a rule of EventBridge that FC does not keep.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TypeVar

import msgspec

from osscopy import names
from osscopy.events import CREATED, WRITTEN
from osscopy.model import Line, Rule, Trigger
from osscopy.suspicions import line

CHECK = "triggers"
EVENTS = (
    "list the six events that s.yaml has, those of replicated objects (oss:ObjectReplication:ObjectCreated, "
    "oss:ObjectReplication:ObjectModified) if there are any, and no others"
)

T = TypeVar("T")


class _Key(msgspec.Struct, frozen=True):
    prefix: str = ""
    suffix: str = ""


class _Filter(msgspec.Struct, frozen=True):
    key: _Key = _Key()


class _Oss(msgspec.Struct, frozen=True):
    events: tuple[str, ...] = ()
    filter: _Filter = _Filter()


class _Timer(msgspec.Struct, frozen=True):
    payload: str = ""
    enable: bool = True


class _Bridge(msgspec.Struct, frozen=True, rename="camel"):
    event_rule_filter_pattern: str = ""
    trigger_enable: bool = True


class _Watch(msgspec.Struct, frozen=True):
    """What an OSS trigger tells of: objects of a bucket, created in these ways."""

    name: str
    bucket: str
    key: _Key
    events: frozenset[str]  # without `oss:`, as in an event

    def meets(self, bucket: str, prefix: str, suffix: str) -> bool:
        """Whether some key may be of both."""
        return (
            bucket == self.bucket
            and _nested(prefix, self.key.prefix)
            and _nested(suffix[::-1], self.key.suffix[::-1])
        )

    def holds(self, bucket: str, prefix: str, suffix: str) -> bool:
        """Whether all those keys are of this one."""
        return (
            bucket == self.bucket and prefix.startswith(self.key.prefix) and suffix.endswith(self.key.suffix)
        )


def _nested(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def lines(rules: Sequence[Rule] | None, given: Sequence[Trigger]) -> list[Line]:
    """What is told twice, for nothing, or not at all. `rules` None: unknown."""
    watches = [_watch(each) for each in given if each.kind == "oss"]
    bridges = [each.name for each in given if each.kind == "eventbridge" and _tells_of_oss(each)]
    found = [*_events(watches), *_twice(watches, bridges)]
    if rules is not None:
        found += [*_untold(rules, watches, bridges), *_in_vain(rules, watches)]
    if not any(each.kind == "timer" and _sweeps(each) for each in given):
        advice = 'add the trigger `sweep` of s.yaml, with the payload {"action": "sweep"}, and enable it'
        found.append(line(CHECK, "failed", "no timer asks for the sweep: lost copies stay lost", advice))
    if not found:
        found.append(line(CHECK, "ok", ", ".join(f"{each.name} ({each.kind})" for each in given)))
    return found


def _read(trigger: Trigger, kind: type[T]) -> T:
    """The configuration; what is written otherwise than expected is an empty one."""
    try:
        return msgspec.json.decode(trigger.config or "{}", type=kind)
    except msgspec.MsgspecError:
        return kind()


def _watch(trigger: Trigger) -> _Watch:
    config = _read(trigger, _Oss)
    events = frozenset(each.removeprefix("oss:") for each in config.events)
    return _Watch(trigger.name, trigger.source.rpartition(":")[2], config.filter.key, events)


def _tells_of_oss(trigger: Trigger) -> bool:
    config = _read(trigger, _Bridge)
    return config.trigger_enable and "acs.oss" in config.event_rule_filter_pattern


def _sweeps(trigger: Trigger) -> bool:
    config = _read(trigger, _Timer)
    return config.enable and '"sweep"' in config.payload


def _events(watches: Sequence[_Watch]) -> Iterator[Line]:
    for watch in watches:
        if other := sorted(watch.events - CREATED):
            why = (
                "for each part of an upload, too"
                if "ObjectCreated:*" in other
                else "which nothing is done about"
            )
            text = f"it fires for {', '.join(other)}: {why}"
            yield line(CHECK, "warning", text, EVENTS, watch.name)
        elif unheard := sorted(WRITTEN - watch.events):
            text = f"it does not fire for {', '.join(unheard)}: such objects are not copied"
            yield line(CHECK, "warning", text, EVENTS, watch.name)


def _twice(watches: Sequence[_Watch], bridges: Sequence[str]) -> Iterator[Line]:
    advice = "remove one of them, or separate their prefixes"
    for one, other in combinations(watches, 2):
        if one.meets(other.bucket, other.key.prefix, other.key.suffix):
            longest = max(one.key.prefix, other.key.prefix, key=len)
            text = f"both tell of {one.bucket}/{longest}*: each object is asked for twice"
            yield line(CHECK, "warning", text, advice, f"{one.name}, {other.name}")
    for bridge, several in ((each, [*watches, *bridges]) for each in bridges):
        if len(several) > 1:
            text = "objects of which EventBridge tells and other triggers, too, are asked for twice"
            yield line(CHECK, "warning", text, advice, bridge)


def _untold(rules: Sequence[Rule], watches: Sequence[_Watch], bridges: Sequence[str]) -> Iterator[Line]:
    for number, rule in enumerate(rules):
        source = rule.source
        held = any(each.holds(source.bucket, source.prefix, source.suffix) for each in watches)
        if not held and not bridges:
            text = f"no OSS trigger tells of all of {source.bucket}/{source.prefix}*{source.suffix}"
            advice = "add an OSS trigger of that bucket, with the rule's prefix and suffix as its filter"
            yield line(CHECK, "warning", text, advice, f"COPY_RULES[{number}]")


def _in_vain(rules: Sequence[Rule], watches: Sequence[_Watch]) -> Iterator[Line]:
    advice = "narrow the trigger's prefix, or remove it"
    for watch in watches:
        sources = [each.source for each in rules]
        if not any(watch.meets(each.bucket, each.prefix, each.suffix) for each in sources):
            yield line(CHECK, "warning", "no rule is about what it tells of", advice, watch.name)
        for number, rule in enumerate(rules):
            made = names.fixed_prefix(rule.destination.key, rule.source.prefix)
            if watch.meets(rule.destination.bucket, made, ""):
                text = f"it fires for what COPY_RULES[{number}] writes, too: an invocation for nothing"
                yield line(CHECK, "warning", text, advice, watch.name)
