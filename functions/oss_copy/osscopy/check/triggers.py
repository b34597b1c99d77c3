"""What is wrong with a function's triggers: pure, from what FC or a template says of them to judgements.

Knows rules, settings, and how FC writes a trigger's configuration; asks nothing. Triggers of functions that
are not given cannot be seen from here, nor whatever else brings events: an HTTP client, a rule of EventBridge
that FC does not keep. The check tells these judgements of what is deployed, the deployer's tool of what is to
be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from itertools import combinations
from typing import TypeVar

import msgspec

from osscopy import events
from osscopy.check.config import no_plain_text
from osscopy.check.findings import ok
from osscopy.events import CREATED
from osscopy.model import Copy, Grade, Line, Refused, Rule, Sweep, Trigger
from osscopy.plan import keys
from osscopy.settings import Settings

CHECK = "triggers"
EVENTS = (
    "list the six events that s.yaml has, those of replicated objects (oss:ObjectReplication:ObjectCreated, "
    "oss:ObjectReplication:ObjectModified) if there are any, and no others"
)
# How a client or a tool makes a plain object: by size and taste, not by intention.
WAYS = frozenset(
    f"ObjectCreated:{operation}"
    for operation in ("PutObject", "PostObject", "CopyObject", "CompleteMultipartUpload")
)
# How objects of another kind appear: who leaves them out may mean it.
KINDS = frozenset({"ObjectCreated:AppendObject", "ObjectCreated:PutSymlink"})
METHODS = frozenset({"GET", "HEAD", "POST", "DELETE"})  # of the API in openapi.json
MOST_NOTIFICATIONS = 10  # of one bucket (OSS documentation, limits of event notification)

_MOMENT = datetime(2000, 1, 2, 3, 4, 5, tzinfo=timezone.utc)

T = TypeVar("T")


class Judgement(msgspec.Struct, frozen=True):
    """What is to be said of triggers.

    `place` is a path below the function's properties, in which a trigger stands under its name: where a
    deployer has to change something. `subject`: the triggers or the rule it is about; None: all triggers.
    """

    place: str
    grade: Grade
    found: str
    advice: str
    subject: str | None = None

    @property
    def line(self) -> Line:
        """As a line of the check."""
        return Line(CHECK, self.grade, self.found, self.advice, self.subject)


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


class _Http(msgspec.Struct, frozen=True, rename="camel"):
    auth_type: str | None = None
    methods: tuple[str, ...] | None = None


class _Bridge(msgspec.Struct, frozen=True, rename="camel"):
    event_rule_filter_pattern: str = ""
    trigger_enable: bool = True


class _Watch(msgspec.Struct, frozen=True):
    """What an OSS trigger tells of: objects of a bucket, created in these ways."""

    name: str
    bucket: str
    key: _Key
    events: frozenset[str]  # without `oss:`, as in an event

    def place(self, below: str) -> str:
        return f"triggers.{self.name}.triggerConfig.{below}"

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


def lines(settings: Settings, rules: Sequence[Rule] | None, given: Sequence[Trigger]) -> list[Line]:
    """The check's lines about a function's triggers. `rules` None: unknown."""
    found = [each.line for each in (*judge(settings, rules, given), *together(given))]
    return found or [ok(", ".join(f"{each.name} ({each.kind})" for each in given)).line(CHECK)]


def judge(settings: Settings, rules: Sequence[Rule] | None, given: Sequence[Trigger]) -> Iterator[Judgement]:
    """What the triggers of one function tell of in vain, not at all, or otherwise than it is meant."""
    watches = [_watch(each) for each in given if each.kind == "oss"]
    bridges = [each for each in given if each.kind == "eventbridge"]
    telling = [each.name for each in bridges if _tells_of_oss(each)]
    for watch in watches:
        yield from _events(watch)
        yield from _filter(watch)
        if settings.may_hold_records(watch.bucket, watch.key.prefix, watch.key.suffix):
            text = f"it fires for the function's records, {settings.state_bucket}/{settings.state_prefix}*"
            advice = "watch another bucket or prefix: each record that is written would be an invocation"
            yield Judgement(watch.place("filter.key.prefix"), "failed", text, advice, watch.name)
    yield from _bridged(watches, telling)
    if rules is not None:
        yield from _untold(rules, watches, telling)
        yield from _in_vain(rules, watches)
    for bridge in bridges:
        yield from _pattern(bridge)
    for timer in (each for each in given if each.kind == "timer"):
        yield from _payload(timer, settings)
    for http in (each for each in given if each.kind == "http"):
        yield from _http(http, settings)


def together(given: Sequence[Trigger]) -> Iterator[Judgement]:
    """What is wrong between triggers, whichever functions they belong to."""
    watches = [_watch(each) for each in given if each.kind == "oss"]
    yield from _conflicts(watches)
    for bucket, count in Counter(each.bucket for each in watches).items():
        if count > MOST_NOTIFICATIONS:
            text = f"{count} OSS triggers of bucket {bucket}: OSS takes {MOST_NOTIFICATIONS}"
            yield Judgement("triggers", "failed", text, "remove some, or widen the prefix of one")
    if not any(each.kind == "timer" and _sweeps(each) for each in given):
        text = "no timer asks for the sweep: lost copies stay lost"
        advice = 'add the trigger `sweep` of s.yaml, with the payload {"action": "sweep"}, and enable it'
        yield Judgement("triggers", "failed", text, advice)


def _read(trigger: Trigger, kind: type[T]) -> T:
    """The configuration; what is written otherwise than expected is an empty one."""
    try:
        return msgspec.json.decode(trigger.config or "{}", type=kind)
    except msgspec.MsgspecError:
        return kind()


# --- OSS ---------------------------------------------------------------------------------------------------


def _watch(trigger: Trigger) -> _Watch:
    config = _read(trigger, _Oss)
    told = frozenset(each.removeprefix("oss:") for each in config.events)
    return _Watch(trigger.name, trigger.source.rpartition(":")[2], config.filter.key, told)


def _events(watch: _Watch) -> Iterator[Judgement]:
    place = watch.place("events")
    if other := sorted(watch.events - CREATED):
        why = (
            "for each part of an upload, too" if "ObjectCreated:*" in other else "which nothing is done about"
        )
        text = f"it fires for {', '.join(other)}: {why}"
        yield Judgement(place, "failed", text, EVENTS, watch.name)
        if "ObjectCreated:*" in other:
            return
    grades: tuple[tuple[frozenset[str], Grade], ...] = ((WAYS, "failed"), (KINDS, "warning"))
    for ways, grade in grades:
        if unheard := sorted(ways - watch.events):
            text = f"it does not fire for {', '.join(unheard)}: such objects are not copied"
            yield Judgement(place, grade, text, EVENTS, watch.name)


def _filter(watch: _Watch) -> Iterator[Judgement]:
    for name, text in (("prefix", watch.key.prefix), ("suffix", watch.key.suffix)):
        if wrong := no_plain_text(text):
            found, advice = wrong
            yield Judgement(watch.place(f"filter.key.{name}"), "failed", found, advice, watch.name)


def _conflicts(watches: Sequence[_Watch]) -> Iterator[Judgement]:
    """OSS refuses a notification that may tell twice of one thing (OSS documentation)."""
    for one, other in combinations(watches, 2):
        shared = sorted(one.events & other.events)
        if shared and one.meets(other.bucket, other.key.prefix, other.key.suffix):
            longest = max(one.key.prefix, other.key.prefix, key=len)
            text = f"both tell of {one.bucket}/{longest}* by {shared[0]}: OSS refuses the second of them"
            advice = "remove one of them, or separate their prefixes, suffixes or events"
            yield Judgement(other.place("filter.key"), "failed", text, advice, f"{one.name}, {other.name}")


def _untold(rules: Sequence[Rule], watches: Sequence[_Watch], bridges: Sequence[str]) -> Iterator[Judgement]:
    for number, rule in enumerate(rules):
        source = rule.source
        held = any(each.holds(source.bucket, source.prefix, source.suffix) for each in watches)
        if not held and not bridges:
            text = f"no OSS trigger tells of all of {source.bucket}/{source.prefix}*{source.suffix}"
            advice = "add an OSS trigger of that bucket, with the rule's prefix and suffix as its filter"
            name = f"COPY_RULES[{number}]"
            yield Judgement(f"environmentVariables.{name}", "warning", text, advice, name)


def _in_vain(rules: Sequence[Rule], watches: Sequence[_Watch]) -> Iterator[Judgement]:
    advice = "narrow the trigger's prefix, or remove it"
    for watch in watches:
        sources = [each.source for each in rules]
        if not any(watch.meets(each.bucket, each.prefix, each.suffix) for each in sources):
            near = any(watch.meets(each.bucket, each.prefix, watch.key.suffix) for each in sources)
            place = watch.place(f"filter.key.{'suffix' if near else 'prefix'}")
            text = f"no rule is about what it tells of: {watch.bucket}/{watch.key.prefix}*{watch.key.suffix}"
            yield Judgement(
                place, "failed", text, "correct it, add a rule, or remove the trigger", watch.name
            )
        for number, rule in enumerate(rules):
            made = keys.fixed_prefix(rule.destination.key, rule.source.prefix)
            if watch.meets(rule.destination.bucket, made, ""):
                text = f"it fires for what COPY_RULES[{number}] writes, too: an invocation for nothing"
                yield Judgement(watch.place("filter.key.prefix"), "warning", text, advice, watch.name)


# --- EventBridge -------------------------------------------------------------------------------------------


def _tells_of_oss(trigger: Trigger) -> bool:
    config = _read(trigger, _Bridge)
    return config.trigger_enable and "acs.oss" in config.event_rule_filter_pattern


def _bridged(watches: Sequence[_Watch], bridges: Sequence[str]) -> Iterator[Judgement]:
    if len(watches) + len(bridges) > 1:
        for bridge in bridges:
            text = "objects of which EventBridge tells and other triggers, too, are asked for twice"
            advice = "remove one of them, or separate their prefixes"
            yield Judgement(f"triggers.{bridge}", "warning", text, advice, bridge)


def _pattern(bridge: Trigger) -> Iterator[Judgement]:
    place = f"triggers.{bridge.name}.triggerConfig.eventRuleFilterPattern"
    pattern = _read(bridge, _Bridge).event_rule_filter_pattern
    advice = 'write a JSON object as text, for example {"source": ["acs.oss"]}'
    try:
        msgspec.json.decode(pattern, type=dict[str, object])
    except msgspec.MsgspecError as error:
        text = f"the pattern is no JSON object: {error}"
        yield Judgement(place, "failed", text, advice, bridge.name)
        return
    if "acs.oss" not in pattern:
        text = "the pattern does not name acs.oss, and the function knows no other events"
        yield Judgement(place, "warning", text, advice, bridge.name)


# --- timers ------------------------------------------------------------------------------------------------


def _asked(payload: str) -> events.Event:
    """What a timer with this payload asks for; Refused if nothing."""
    if not payload.strip():
        raise Refused("InvalidJson", "it is empty")
    told = {"triggerTime": _MOMENT.isoformat(), "triggerName": "timer", "payload": payload}
    return events.parse(msgspec.json.encode(told), events.Arrival("", _MOMENT), ())


def _sweeps(trigger: Trigger) -> bool:
    config = _read(trigger, _Timer)
    try:
        return config.enable and isinstance(_asked(config.payload), Sweep)
    except Refused:
        return False


def _payload(trigger: Trigger, settings: Settings) -> Iterator[Judgement]:
    """A timer asks for what can be done; one that is off may ask for nothing."""
    config = _read(trigger, _Timer)
    if not config.enable and config.payload.strip() in {"", "[]"}:
        return
    for wrong in _objections(config.payload, settings):
        text = wrong if config.enable else f"{wrong}; it is off, and would fail if it were not"
        advice = "give a copy request, a list of them, or an action, as JSON text"
        place = f"triggers.{trigger.name}.triggerConfig.payload"
        yield Judgement(place, "failed" if config.enable else "warning", text, advice, trigger.name)


def _objections(payload: str, settings: Settings) -> Iterator[str]:
    try:
        parsed = _asked(payload)
    except Refused as error:
        yield _told(error)
        return
    if not isinstance(parsed, events.Batch):
        return
    if not parsed.items:
        yield "it asks for nothing"
    for index, item in enumerate(parsed.items):
        at = f"[{index}]" if parsed.many else ""
        if isinstance(item, Refused):
            yield _told(item, at)
        elif isinstance(item, Copy):
            try:
                settings.allow(item.request)
            except Refused as error:
                yield _told(error, at)


def _told(error: Refused, at: str = "") -> str:
    where = ".".join(filter(None, (at, error.field)))
    return f"{where}: {error.message}" if where else error.message


# --- HTTP --------------------------------------------------------------------------------------------------


def _http(trigger: Trigger, settings: Settings) -> Iterator[Judgement]:
    config, place = _read(trigger, _Http), f"triggers.{trigger.name}.triggerConfig"
    if config.auth_type not in {None, settings.http_auth}:
        text = f"{config.auth_type}, but HTTP_AUTH_TYPE is {settings.http_auth}"
        yield Judgement(f"{place}.authType", "failed", text, "let both be the same", trigger.name)
    if config.auth_type == "anonymous" and settings.api_token is None:
        text = "anonymous needs API_TOKEN, or every request is answered 403"
        yield Judgement(
            f"{place}.authType", "failed", text, "set API_TOKEN (16 characters or more)", trigger.name
        )
    missing = sorted(METHODS.difference(METHODS if config.methods is None else config.methods))
    if missing:
        text = f"{', '.join(missing)} of the API would not arrive"
        advice = f"list {', '.join(sorted(METHODS))}"
        yield Judgement(f"{place}.methods", "failed", text, advice, trigger.name)
