"""Judgements of a function's triggers: pure, from FC's or a template's description of them.

This is not where events are read: that is `events`. Knows rules, settings, and how FC writes a trigger's
configuration; asks nothing. It cannot see triggers of functions that are not given, nor what else brings
events: an HTTP client, a rule of EventBridge that FC does not keep. The check judges by it what is deployed,
the deployer's tool what is to be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

import msgspec

from osscopy import events
from osscopy.check.config import MOMENT, may_lack, nested, no_plain_text
from osscopy.check.report import Finding, ok
from osscopy.events import CREATED, REMOVED
from osscopy.model import Bulk, Command, Copy, Grade, Line, Refused, Remove, ReportPlace, Rule, Sweep, Trigger
from osscopy.plan import bulk, templates
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
GONE = frozenset({"ObjectRemoved:DeleteObject", "ObjectRemoved:DeleteObjects"})  # by a client, or a list
METHODS = frozenset({"GET", "HEAD", "POST", "DELETE"})  # of the API in openapi.json
MOST_NOTIFICATIONS = 10  # of one bucket (OSS documentation, limits of event notification)


class Judgement(msgspec.Struct, frozen=True):
    """A judgement of triggers.

    `place` is a path below the function's properties, in which a trigger stands under its name: where a
    deployer has to change something. `subject`: the triggers or the rule it is about; None: all triggers.
    `is_of_a_lack`: none of the triggers does what is needed, so that a trigger more would end it.
    """

    place: str
    grade: Grade
    found: str
    advice: str
    subject: str | None = None
    is_of_a_lack: bool = False

    @property
    def line(self) -> Line:
        """Return it as a line of the check."""
        return Line(CHECK, self.grade, self.found, self.advice, self.subject)


class _Key(msgspec.Struct, frozen=True):
    prefix: str = ""
    suffix: str = ""


class _Filter(msgspec.Struct, frozen=True):
    key: _Key = _Key()


class _Config(msgspec.Struct, frozen=True, rename="camel"):
    """The configuration of a trigger of any kind; each kind has fields of its own."""

    events: tuple[str, ...] = ()  # of an OSS trigger, as `filter`
    filter: _Filter = _Filter()
    payload: str = ""  # of a timer, as `enable`
    enable: bool = True
    auth_type: str | None = None  # of an HTTP trigger, as `methods`
    methods: tuple[str, ...] | None = None
    event_rule_filter_pattern: str = ""  # of EventBridge, as `trigger_enable`
    trigger_enable: bool = True


class _Trigger(msgspec.Struct, frozen=True):
    """A trigger that is read. `bucket`: what an OSS trigger watches."""

    name: str
    kind: str
    bucket: str
    config: _Config

    @classmethod
    def read(cls, given: Trigger) -> _Trigger:
        """Read its configuration; one in another form than expected is an empty one."""
        try:
            config = msgspec.json.decode(given.config or "{}", type=_Config)
        except msgspec.MsgspecError:
            config = _Config()
        return cls(given.name, given.kind, given.source.rpartition(":")[2], config)

    @property
    def key(self) -> _Key:
        return self.config.filter.key

    @property
    def events(self) -> frozenset[str]:
        """The events of an OSS trigger, without `oss:`, as in an event."""
        return frozenset(each.removeprefix("oss:") for each in self.config.events)

    @property
    def is_about_oss(self) -> bool:
        """Tell if EventBridge brings OSS's events by it."""
        config = self.config
        named = config.trigger_enable and "acs.oss" in config.event_rule_filter_pattern
        return self.kind == "eventbridge" and named

    def judged(self, below: str, grade: Grade, found: str, advice: str) -> Judgement:
        """Return a judgement of one of its settings."""
        return Judgement(f"triggers.{self.name}.triggerConfig.{below}", grade, found, advice, self.name)

    def meets(self, bucket: str, prefix: str, suffix: str) -> bool:
        """Return whether a key may be both watched by it and of this prefix and suffix."""
        near = nested(prefix, self.key.prefix) and nested(suffix[::-1], self.key.suffix[::-1])
        return bucket == self.bucket and near

    def holds(self, bucket: str, prefix: str, suffix: str) -> bool:
        """Return whether it watches all keys of this prefix and suffix."""
        within = prefix.startswith(self.key.prefix) and suffix.endswith(self.key.suffix)
        return bucket == self.bucket and within


def lines(settings: Settings, rules: Sequence[Rule] | None, given: Sequence[Trigger]) -> list[Line]:
    """Return the check's lines about a function's triggers. `rules` None: unknown."""
    found = [each.line for each in (*judge(settings, rules, given), *together(given))]
    return found or [ok(", ".join(f"{each.name} ({each.kind})" for each in given)).line(CHECK)]


def judge(settings: Settings, rules: Sequence[Rule] | None, given: Sequence[Trigger]) -> Iterator[Judgement]:
    """Judge the triggers of one function: what they bring in vain, not at all, or otherwise than meant."""
    known = [_Trigger.read(each) for each in given]
    watches = [each for each in known if each.kind == "oss"]
    bridges = [each for each in known if each.is_about_oss]
    for watch in watches:
        yield from _events(watch, rules)
        yield from _filter(watch, settings)
    if len(watches) + len(bridges) > 1:
        for bridge in bridges:
            text = "objects of which EventBridge tells and other triggers, too, are asked for twice"
            advice = "remove one of them, or separate their prefixes"
            yield Judgement(f"triggers.{bridge.name}", "warning", text, advice, bridge.name)
    if rules is not None:
        if not bridges:
            yield from _untold(rules, watches)
        for watch in watches:
            yield from _in_vain(rules, watch)
    for each in known:
        match each.kind:
            case "eventbridge":
                yield from _pattern(each)
            case "timer":
                yield from _payload(each, settings, rules)
            case "http":
                yield from _http(each, settings)


def together(given: Sequence[Trigger]) -> Iterator[Judgement]:
    """Judge triggers beside one another, whichever functions they belong to."""
    known = [_Trigger.read(each) for each in given]
    watches = [each for each in known if each.kind == "oss"]
    yield from _conflicts(watches)
    for bucket, count in Counter(each.bucket for each in watches).items():
        if count > MOST_NOTIFICATIONS:
            text = f"{count} OSS triggers of bucket {bucket}: OSS takes {MOST_NOTIFICATIONS}"
            yield Judgement("triggers", "failed", text, "remove some, or widen the prefix of one")
    if not any(each.kind == "timer" and _sweeps(each.config) for each in known):
        text = "no timer asks for the sweep: lost copies stay lost"
        advice = 'add the trigger `sweep` of s.yaml, with the payload {"action": "sweep"}, and enable it'
        yield Judgement("triggers", "failed", text, advice, is_of_a_lack=True)


def _events(watch: _Trigger, rules: Sequence[Rule] | None) -> Iterator[Judgement]:
    sources = [each.source for each in rules or () if each.deletes == "follow"]
    follows = any(watch.meets(each.bucket, each.prefix, each.suffix) for each in sources)
    if follows and (untold := sorted(GONE - watch.events)):
        text = f"it does not fire for {', '.join(untold)}: such deletions are not followed"
        advice = f"list oss:{' and oss:'.join(untold)} too, or leave `deletes` out of the rule"
        yield watch.judged("events", "failed", text, advice)
    heard = CREATED | REMOVED if follows or rules is None else CREATED
    if other := sorted(watch.events - heard):
        each_part = "ObjectCreated:*" in other
        why = "for each part of an upload, too" if each_part else "which nothing is done about"
        yield watch.judged("events", "failed", f"it fires for {', '.join(other)}: {why}", EVENTS)
        if each_part:
            return
    grades: tuple[tuple[frozenset[str], Grade], ...] = ((WAYS, "failed"), (KINDS, "warning"))
    for ways, grade in grades:
        if ignored := sorted(ways - watch.events):
            text = f"it does not fire for {', '.join(ignored)}: such objects are not copied"
            yield watch.judged("events", grade, text, EVENTS)


def _filter(watch: _Trigger, settings: Settings) -> Iterator[Judgement]:
    for name, text in (("prefix", watch.key.prefix), ("suffix", watch.key.suffix)):
        if wrong := no_plain_text(text):
            yield watch.judged(f"filter.key.{name}", "failed", *wrong)
    if settings.may_hold_records(watch.bucket, watch.key.prefix, watch.key.suffix):
        text = f"it fires for the function's records, {settings.state_bucket}/{settings.state_prefix}*"
        advice = "watch another bucket or prefix: each record that is written would be an invocation"
        yield watch.judged("filter.key.prefix", "failed", text, advice)


def _conflicts(watches: Sequence[_Trigger]) -> Iterator[Judgement]:
    """Find notifications that may tell twice of one thing: OSS refuses the second (OSS documentation)."""
    for one, other in combinations(watches, 2):
        shared = sorted(one.events & other.events)
        if shared and one.meets(other.bucket, other.key.prefix, other.key.suffix):
            longest = max(one.key.prefix, other.key.prefix, key=len)
            text = f"both tell of {one.bucket}/{longest}* by {shared[0]}: OSS refuses the second of them"
            advice = "remove one of them, or separate their prefixes, suffixes or events"
            place = f"triggers.{other.name}.triggerConfig.filter.key"
            yield Judgement(place, "failed", text, advice, f"{one.name}, {other.name}")


def _untold(rules: Sequence[Rule], watches: Sequence[_Trigger]) -> Iterator[Judgement]:
    for number, rule in enumerate(rules):
        source = rule.source
        if not any(each.holds(source.bucket, source.prefix, source.suffix) for each in watches):
            text = f"no OSS trigger tells of all of {source.bucket}/{source.prefix}*{source.suffix}"
            advice = "add an OSS trigger of that bucket, with the rule's prefix and suffix as its filter"
            name = f"COPY_RULES[{number}]"
            place = f"environmentVariables.{name}"
            yield Judgement(place, "warning", text, advice, name, is_of_a_lack=True)


def _in_vain(rules: Sequence[Rule], watch: _Trigger) -> Iterator[Judgement]:
    sources = [each.source for each in rules]
    if not any(watch.meets(each.bucket, each.prefix, each.suffix) for each in sources):
        near = any(watch.meets(each.bucket, each.prefix, watch.key.suffix) for each in sources)
        text = f"no rule is about what it tells of: {watch.bucket}/{watch.key.prefix}*{watch.key.suffix}"
        below = f"filter.key.{'suffix' if near else 'prefix'}"
        yield watch.judged(below, "failed", text, "correct it, add a rule, or remove the trigger")
    for number, rule in enumerate(rules):
        made = templates.fixed_prefix(rule.destination.key, rule.source.prefix)
        if watch.meets(rule.destination.bucket, made, ""):
            text = f"it fires for what COPY_RULES[{number}] writes, too: an invocation for nothing"
            advice = "narrow the trigger's prefix, or remove it"
            yield watch.judged("filter.key.prefix", "warning", text, advice)


def _pattern(bridge: _Trigger) -> Iterator[Judgement]:
    pattern, below = bridge.config.event_rule_filter_pattern, "eventRuleFilterPattern"
    advice = 'write a JSON object as text, for example {"source": ["acs.oss"]}'
    try:
        msgspec.json.decode(pattern, type=dict[str, object])
    except msgspec.MsgspecError as error:
        yield bridge.judged(below, "failed", f"the pattern is no JSON object: {error}", advice)
        return
    if "acs.oss" not in pattern:
        text = "the pattern does not name acs.oss, and the function knows no other events"
        yield bridge.judged(below, "warning", text, advice)


def _asked(payload: str, rules: Sequence[Rule] = ()) -> events.Event:
    """Return what a timer with this payload asks for; Refused if nothing."""
    if not payload.strip():
        raise Refused("InvalidJson", "it is empty")
    event = {"triggerTime": MOMENT.isoformat(), "triggerName": "timer", "payload": payload}
    return events.parse(msgspec.json.encode(event), events.Arrival("", MOMENT), rules)


def _sweeps(timer: _Config) -> bool:
    try:
        return timer.enable and isinstance(_asked(timer.payload), Sweep)
    except Refused:
        return False


def _payload(timer: _Trigger, settings: Settings, rules: Sequence[Rule] | None) -> Iterator[Judgement]:
    """Judge if a timer asks for what can be done; one that is off may ask for nothing."""
    payload, is_on = timer.config.payload, timer.config.enable
    needs_rules = events.needs_rules(payload.encode())
    if not is_on and (needs_rules or payload.strip() in {"", "[]"}):
        return
    if rules is None and needs_rules:
        return
    for wrong in _objections(payload, settings, rules or ()):
        text = wrong if is_on else f"{wrong}; it is off, and would fail if it were not"
        advice = "give a copy request, a list of them, or an action, as JSON text"
        yield timer.judged("payload", "failed" if is_on else "warning", text, advice)
    for each in _left_out(payload, rules or ()):
        advice = "write {key} and no date in the rule's destination.key, or copy such keys yourself"
        yield timer.judged("payload", "warning", f"not reconciled: {each}", advice)
    for found in _doubts(payload, settings, rules or ()) if is_on else ():
        yield timer.judged("payload", "warning", found.found, found.advice or "")


def _doubts(payload: str, settings: Settings, rules: Sequence[Rule]) -> Iterator[Finding]:
    """Yield which options of what a timer asks for may be refused, by what there is to copy."""
    try:
        parsed = _asked(payload, rules)
    except Refused:
        return
    for item in parsed.items if isinstance(parsed, events.Batch) else ():
        if isinstance(item, Copy | Bulk):
            yield from may_lack(None, settings, item.request)


def _objections(payload: str, settings: Settings, rules: Sequence[Rule]) -> Iterator[str]:
    try:
        parsed = _asked(payload, rules)
    except Refused as error:
        yield _told(error)
        return
    if not isinstance(parsed, events.Batch):
        return
    if not parsed.items:
        yield "it asks for nothing"
    for index, item in enumerate(parsed.items):
        at = f"[{index}]" if parsed.many else ""
        try:
            _refuse(item, settings)
        except Refused as error:
            yield _told(error, at)


def _left_out(payload: str, rules: Sequence[Rule]) -> Iterator[str]:
    """Yield the rules that a timer asks to reconcile in vain."""
    try:
        parsed = _asked(payload, rules)
    except Refused:
        return
    if isinstance(parsed, events.Batch):
        yield from (each.what for each in parsed.passed if each.why == "rule")


def _refuse(item: Command | Bulk | Remove | Refused, settings: Settings) -> None:
    """Raise why the settings refuse what a timer asks for; a former job's report is not looked for."""
    match item:
        case Refused():
            raise item
        case Copy():
            settings.allow(item.request)
        case Bulk():
            state = ReportPlace(settings.state_bucket, settings.state_prefix)
            premises = bulk.Premises(
                settings.allow, settings.allow_writing, state, settings.workers, settings.options
            )
            bulk.refuse_places(bulk.defaults(item.request), premises)


def _told(error: Refused, at: str = "") -> str:
    where = ".".join(filter(None, (at, error.field)))
    return f"{where}: {error.message}" if where else error.message


def _http(http: _Trigger, settings: Settings) -> Iterator[Judgement]:
    auth, methods = http.config.auth_type, http.config.methods
    if auth not in {None, settings.http_auth}:
        text = f"{auth}, but HTTP_AUTH_TYPE is {settings.http_auth}"
        yield http.judged("authType", "failed", text, "let both be the same")
    if auth == "anonymous" and not settings.has_tokens:
        text = "anonymous needs API_TOKEN, or every request is answered 403"
        yield http.judged("authType", "failed", text, "set API_TOKEN (16 characters or more)")
    if missing := sorted(METHODS.difference(METHODS if methods is None else methods)):
        text = f"{', '.join(missing)} of the API would not arrive"
        yield http.judged("methods", "failed", text, f"list {', '.join(sorted(METHODS))}")
