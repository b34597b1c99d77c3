"""The check's judgements: values in, lines out; and what it does when the world breaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace

from osscopy import plan, settings
from osscopy.check import answers, config, report, run, sources, trials, triggers
from osscopy.check.config import Deployment
from osscopy.check.run import Checkup
from osscopy.check.world import World
from osscopy.events import CREATED
from osscopy.jobs.journal import RecordJournal
from osscopy.model import (
    KIB,
    MIB,
    BucketInfo,
    Conflict,
    Destination,
    Encryption,
    Failed,
    LifecycleRule,
    Line,
    ListedObject,
    ObjectPage,
    OpenUpload,
    OssCopyError,
    Retention,
    Rule,
    RuleSource,
    SourceChanged,
    Transient,
    Trigger,
    Tuning,
    UploadPage,
)
from osscopy.plan.allowed.options import ANY_OPTION
from osscopy.plan.keys import Pattern
from osscopy.plan.telling.choice import Telling
from osscopy.plan.telling.receivers import Receiver
from osscopy.settings import Settings

UNNAMED = "ALLOWED_SOURCES does not name other/in/*: every copy of this rule is answered NotAllowed"
ELSEWHERE = "The bucket you are attempting to access must be addressed using the specified endpoint."


def deployment(timeout: float = 600, memory: int = 512, **changes: Any) -> Deployment:
    allowed = {
        "allowed_sources": (Pattern.parse("src/*"),),
        "allowed_destinations": (Pattern.parse("dst/*"),),
    }
    return Deployment(Settings("state", **{**allowed, **changes}), "cn-x", "1", timeout, memory)


SETTINGS = deployment().settings


def rule(source: str, destination: str, suffix: str = "") -> Rule:
    """`bucket/prefix` to `bucket/key template`."""
    a, _, prefix = source.partition("/")
    b, _, key = destination.partition("/")
    return Rule(source=RuleSource(a, prefix, suffix), destination=Destination(b, key or "{key}"))


def told(lines: Sequence[Line]) -> list[tuple[str, str]]:
    return [(each.status, each.found) for each in lines]


# --- settings ----------------------------------------------------------------------------------------------


def test_empty_allow_lists_are_failed() -> None:
    lines = [*config.allow_lists(deployment(allowed_sources=(), allowed_destinations=()))]
    assert [(each.status, each.subject) for each in lines] == [
        ("failed", "ALLOWED_SOURCES"),
        ("failed", "ALLOWED_DESTINATIONS"),
    ]


@pytest.mark.parametrize(
    ("pattern", "status"), [("src/*", "ok"), ("src/in/*", "ok"), ("src/in/a", "ok"), ("src/in*", "warning")]
)
def test_a_prefix_that_ends_within_a_name_is_suspicious(pattern: str, status: str) -> None:
    line, _ = config.allow_lists(deployment(allowed_sources=(Pattern.parse(pattern),)))
    assert line.status == status


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], [("ok", "there are none: the OSS trigger copies nothing")]),
        ([rule("src/in/", "dst")], [("ok", "1 rule")]),
        ([rule("src/a/", "dst"), rule("src/b/", "dst")], [("ok", "2 rules")]),
        ([rule("src/in/", "dst/{name}", ".gz"), rule("src/in/", "dst/{name}", ".txt")], [("ok", "2 rules")]),
        ([rule("other/in/", "dst")], [("failed", UNNAMED)]),
        (
            [rule("src/in", "dst")],
            [("warning", "prefix 'in' watches inx as well as in/x")],
        ),
        (
            [rule("src/in/*", "dst")],
            [("failed", "'in/*' is plain text: * match nothing")],
        ),
        (
            [rule("src/in/", "dst/x/{name}"), rule("src/in/", "dst/x/{stem}{ext}", ".gz")],
            [("failed", "both copy in/example.gz to dst/x/example.gz: whichever comes last stays")],
        ),
        (
            [rule("src/", "dst/1/{key}"), rule("src/in/", "dst/2/{key}")],
            [
                (
                    "warning",
                    "both copy in/example: it is copied twice, to dst/1/in/example and to dst/2/in/example",
                )
            ],
        ),
    ],
)
def test_rules_that_copy_in_vain_or_twice_are_told(
    rules: list[Rule], expected: list[tuple[str, str]]
) -> None:
    assert told(config.rules(deployment(), rules)) == expected


def test_records_are_not_to_be_overwritten() -> None:
    loose = deployment(allowed_destinations=(Pattern.parse("dst/*"), Pattern.parse("state/*")))
    (failed,) = (each for each in config.allow_lists(loose) if each.status == "failed")
    assert failed.found == "state/* covers oss-copy/, where the records of copies are"
    beside = deployment(allowed_destinations=(Pattern.parse("state/out/*"),))
    assert {each.status for each in config.allow_lists(beside)} == {"ok"}


def test_a_rule_with_one_destination_may_be_allowed_just_that() -> None:
    exact = deployment(allowed_destinations=(Pattern.parse("dst/latest"),))
    assert told(config.rules(exact, [rule("src/in/", "dst/latest")])) == [("ok", "1 rule")]


def test_a_prefix_that_is_no_plain_text_is_not_advised_to_become_a_folder() -> None:
    (line,) = config.rules(deployment(), [rule("src/in/*", "dst")])
    assert line.advice == "write 'in/' (here and in the trigger's filter)"


def test_a_rule_that_is_allowed_in_part_is_warned_of() -> None:
    narrow = deployment(allowed_sources=(Pattern.parse("src/in/a/*"),))
    (line,) = config.rules(narrow, [rule("src/in/", "dst")])
    assert line.status == "warning"
    assert "only a part of src/in/*" in line.found
    (line,) = config.rules(
        deployment(allowed_destinations=(Pattern.parse("dst/a/*"),)), [rule("src/in/", "dst/{name}")]
    )
    assert line.status == "warning"  # what a name may be, nobody knows


@pytest.mark.parametrize(
    ("options", "status", "word"),
    [
        ({"acl": "public-read"}, "failed", "public-acl"),
        ({"request_payer": True}, "failed", "requester-pays"),
        ({"acl": "copy"}, "warning", "public-acl"),
        ({"storage_class": "IA"}, "warning", "colder-class"),
        ({"archive": "restore"}, "warning", "restore"),
        ({"encryption": "bucket"}, "warning", "weaker-encryption"),
        ({"storage_class": "Standard", "encryption": Encryption("KMS")}, "ok", ""),
    ],
)
def test_a_rule_or_a_timer_that_lacks_a_word_is_told(options: dict[str, Any], status: str, word: str) -> None:
    asked = replace(rule("src/in/", "dst/in/{name}"), **options)
    (found,) = config.rules(deployment(), [asked])
    assert (found.status, word in found.found) == (status, True)
    every = deployment(options=ANY_OPTION)
    assert [each.status for each in config.rules(every, [asked])] == ["ok"]
    copy = replace(asked.request("in/a"), destination=Destination("dst", "in/a"))
    judged = triggers.judge(SETTINGS, (), [timer(msgspec.json.encode(copy).decode())])
    assert [each.grade for each in judged] == [status] * bool(word)


def test_a_deployment_without_a_key_is_told_who_is_believed() -> None:
    found = config.state_key(deployment())
    assert (found.status, "STATE_KEY" in found.found) == ("ok", True)
    assert "signed" in config.state_key(deployment(seal=plan.Seal((b"k" * 32,)))).found


def test_who_is_told_of_failed_jobs_is_said_without_the_secrets() -> None:
    assert "nobody is told" in config.telling(deployment()).found
    receiver = Receiver("https://oapi.dingtalk.com/robot/send?access_token=t0ken", "dingtalk", "SECret")
    found = config.telling(deployment(telling=Telling("on-call", receiver, "all")))
    assert found.found == (
        "jobs that have ended are told: function on-call and dingtalk at https://oapi.dingtalk.com"
    )
    assert "failed jobs are told" in config.telling(deployment(telling=Telling("on-call"))).found


def test_where_somebody_is_told_the_records_of_that_expire_and_what_is_to_be_told_stays() -> None:
    assert [each.status for each in answers.state_lifecycle("p/", RIGHT, tells=True)] == ["warning"]
    told = (*RIGHT, expiring("p/told/", 30))
    assert [each.status for each in answers.state_lifecycle("p/", told, tells=True)] == ["ok"]
    early = (*told, expiring("p/tell/", 30))
    assert [each.status for each in answers.state_lifecycle("p/", early, tells=True)] == ["failed"]


def test_a_long_list_of_bad_rules_is_cut() -> None:
    lines = config.rules(deployment(), [rule("other/in/", "dst")] * 30)
    assert len(lines) == config.MOST_LINES + 1
    assert "more findings" in lines[-1].found


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "ok"),
        ({"http_auth": "anonymous"}, "warning"),
        ({"http_auth": "anonymous", "api_token": "0123456789abcdef"}, "ok"),
    ],
)
def test_an_anonymous_trigger_needs_a_token(changes: dict[str, Any], status: str) -> None:
    assert config.http(deployment(**changes)).status == status


@pytest.mark.parametrize(
    ("threads", "memory", "status"),
    [(32, 128, "ok"), (512, 512, "ok"), (512, 256, "warning"), (32, 0, "skipped")],
)
def test_threads_need_memory(threads: int, memory: int, status: str) -> None:
    assert config.memory(deployment(memory=memory, max_parallel=threads)).status == status


@pytest.mark.parametrize(
    ("timeout", "largest", "statuses"),
    [
        (600, 0, ["ok", "ok"]),
        (60, 48 * 2**40, ["failed", "ok"]),
        (10, 0, ["warning", "warning"]),
    ],
)
def test_the_timeout_bounds_what_can_be_copied(timeout: float, largest: int, statuses: list[str]) -> None:
    assert [each.status for each in config.timeout(deployment(timeout), largest)] == statuses


def test_the_largest_object_that_is_promised_can_be_cut_into_parts() -> None:
    for timeout in (5, 60, 600, 86_400):
        budget = plan.part_budget(timeout)
        most = min(plan.MAX_OBJECT, min(plan.MAX_PART, int(budget * plan.PART_RATE)) * plan.MAX_PARTS)
        assert plan.part_size(most, Tuning(), 32, budget)


@pytest.mark.parametrize(
    ("endpoint", "status", "word"),
    [
        (None, "ok", "https://oss-cn-x-internal.aliyuncs.com"),
        ("https://oss-cn-x-internal.aliyuncs.com", "ok", "internal"),
        ("http://oss-cn-x-internal.aliyuncs.com", "warning", "not encrypted"),
        ("https://oss-cn-x.aliyuncs.com", "warning", "public"),
        ("https://oss-cn-y-internal.aliyuncs.com", "failed", "cn-y"),
        ("https://files.example.com", "warning", "none of Alibaba Cloud's"),
    ],
)
def test_endpoints_are_of_the_region_internal_and_encrypted(
    endpoint: str | None, status: str, word: str
) -> None:
    line, fc = config.endpoints(deployment(oss_endpoint=endpoint))
    assert (line.status, fc.status) == (status, "ok")
    assert word in line.found
    assert fc.found == "https://1.cn-x-internal.fc.aliyuncs.com"


# --- triggers ----------------------------------------------------------------------------------------------

TOLD = [f"oss:{each}" for each in sorted(triggers.WAYS | triggers.KINDS)]
COPIED = [f"oss:{each}" for each in sorted(CREATED)]


def timer(payload: str, name: str = "timer", *, enable: bool = True) -> Trigger:
    return Trigger(name, "timer", "", json.dumps({"payload": payload, "enable": enable}))


SWEEP = timer('{"action": "sweep"}', "sweep")
ASLEEP = timer('{"action": "sweep"}', "sweep", enable=False)
BRIDGE = Trigger("bridge", "eventbridge", "", '{"eventRuleFilterPattern": "{\\"source\\": [\\"acs.oss\\"]}"}')


def watching(
    name: str, prefix: str, bucket: str = "src", events: Sequence[str] = TOLD, suffix: str = ""
) -> Trigger:
    config = {"events": events, "filter": {"key": {"prefix": prefix, "suffix": suffix}}}
    return Trigger(name, "oss", f"acs:oss:cn-x:1:{bucket}", json.dumps(config))


@pytest.mark.parametrize(
    ("given", "status", "word"),
    [
        ([watching("a", "in/"), SWEEP], "ok", "a (oss), sweep (timer)"),
        ([watching("a", ""), SWEEP], "ok", "a (oss)"),
        ([watching("a", "in/", events=COPIED), SWEEP], "ok", "a (oss)"),
        ([BRIDGE, SWEEP], "ok", "bridge (eventbridge)"),
        ([watching("a", "in/")], "failed", "no timer asks for the sweep"),
        ([watching("a", "in/"), ASLEEP], "failed", "no timer asks for the sweep"),
        ([SWEEP], "warning", "no OSS trigger tells of all of src/in/*"),
        ([watching("a", "in/x/"), SWEEP], "warning", "no OSS trigger tells of all of src/in/*"),
        ([watching("a", "in/"), watching("b", "in/x/"), SWEEP], "failed", "both tell of src/in/x/*"),
        ([watching("a", "in/"), BRIDGE, SWEEP], "warning", "asked for twice"),
        ([watching("a", "in/"), watching("b", "out/"), SWEEP], "failed", "no rule is about"),
        ([watching("a", "in/", events=["oss:ObjectCreated:*"]), SWEEP], "failed", "each part of an upload"),
        (
            [watching("a", "in/", events=[*TOLD, "oss:ObjectCreated:UploadPart"]), SWEEP],
            "failed",
            "for ObjectCreated:UploadPart: which nothing is done about",
        ),
        (
            [watching("a", "in/", events=TOLD[1:]), SWEEP],
            "warning",
            "not fire for ObjectCreated:AppendObject",
        ),
        ([watching("a", "in/", events=TOLD[:-1]), SWEEP], "warning", "not fire for ObjectCreated:PutSymlink"),
        (
            [watching("a", "in/", events=[each for each in TOLD if "Complete" not in each]), SWEEP],
            "failed",
            "not fire for ObjectCreated:CompleteMultipartUpload: such objects are not copied",
        ),
    ],
)
def test_what_triggers_tell_is_told_once_and_for_something(
    given: list[Trigger], status: str, word: str
) -> None:
    found = triggers.lines(SETTINGS, [rule("src/in/", "dst")], given)
    assert {each.status for each in found} == {status}
    assert any(word in each.found for each in found), found


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (watching("b", "", "dst"), "COPY_RULES[0] writes"),
        (msgspec.structs.replace(watching("b", "in/"), config="?"), "does not fire for"),
        (watching("b", "", "state"), "it fires for the function's records, state/oss-copy/*"),
        (watching("b", "oss-copy/done/", "state"), "it fires for the function's records"),
        (watching("b", "in/*"), "'in/*' is plain text: * match nothing"),
        (watching("b", "^in/"), "'^in/' is plain text: ^ match nothing"),
        (watching("b", "oss://src/in/"), "begins with oss://"),
        (watching("b", "/in/"), "'/in/' begins with /, and no key does"),
        (watching("b", "in/", suffix="*.gz"), "'*.gz' is plain text"),
    ],
)
def test_what_one_more_trigger_tells_in_vain_is_named_with_it(given: Trigger, word: str) -> None:
    found = triggers.lines(SETTINGS, [rule("src/in/", "dst")], [watching("a", "in/"), given, SWEEP])
    assert any(word in each.found and each.subject == "b" and each.advice for each in found), found


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (watching("a", "in/"), watching("b", "in/"), True),
        (watching("a", ""), watching("b", "in/"), True),
        (watching("a", "in/", suffix=".gz"), watching("b", "in/", suffix="tar.gz"), True),
        (watching("a", "in/", suffix=".gz"), watching("b", "in/"), True),
        (watching("a", "in/", events=TOLD[:2]), watching("b", "in/", events=TOLD[1:]), True),
        (watching("a", "in/", events=TOLD[:2]), watching("b", "in/", events=TOLD[2:]), False),
        (watching("a", "in/", suffix=".gz"), watching("b", "in/", suffix=".tar"), False),
        (watching("a", "in/"), watching("b", "out/"), False),
        (watching("a", "in/"), watching("b", "in/", "dst"), False),
    ],
)
def test_two_triggers_conflict_that_may_tell_of_one_object_by_one_event(
    one: Trigger, other: Trigger, meet: bool
) -> None:
    found = [each for each in triggers.together([one, other, SWEEP]) if "OSS refuses" in each.found]
    assert [each.grade for each in found] == ["failed"] * meet
    assert [each.subject for each in found] == ["a, b"] * meet


def test_a_bucket_takes_ten_triggers() -> None:
    several = [watching(f"t{number}", f"{number}/") for number in range(10, 21)]
    assert [*triggers.together([*several[1:], SWEEP])] == []
    (judgement,) = triggers.together([*several, SWEEP])
    assert judgement.found == "11 OSS triggers of bucket src: OSS takes 10"


REQUEST = '{"source": {"bucket": "src", "key": "a"}, "destination": {"bucket": "dst"}}'
MANY = '{"source": {"bucket": "src", "prefix": ""}, "destination": {"bucket": "dst"}, "maxWorkers": 18}'
REPORT = '{"source": {"report": {"job": "b-' + "0" * 32 + '"}}, "destination": {"bucket": "dst"}}'


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ('{"action": "check"}', None),
        (REQUEST, None),
        (f"[{REQUEST}]", None),
        (MANY, None),
        (REPORT, None),
        (MANY.replace("dst", "other"), "destination: ALLOWED_DESTINATIONS does not name"),
        (MANY.replace("src", "other"), "source: ALLOWED_SOURCES does not name"),
        (MANY.replace("18", "19"), "maxWorkers: 18 at most"),
        (
            MANY.replace('"prefix"', '"inventory"'),
            "source.inventory: Expected `object | null`",
        ),
        ("", "it is empty"),
        ("[]", "it asks for nothing"),
        ("{}", "required field `source`"),
        ("[1", "not JSON"),
        ('[{"source":1}]', "[0].source: Expected `object`, got `int`"),
        ('{"action": "swep"}', "action: Invalid enum value 'swep'; known are"),
        ('{"acton": "sweep"}', "unknown field `acton`"),
        (REQUEST.replace("dst", "other"), "destination: ALLOWED_DESTINATIONS does not name"),
        (f"[{REQUEST}, {REQUEST.replace('src', 'other')}]", "[1].source: ALLOWED_SOURCES does not name"),
    ],
)
def test_a_timer_asks_for_what_can_be_done(payload: str, told: str | None) -> None:
    found = triggers.lines(SETTINGS, [], [timer(payload), SWEEP])
    bad = [each for each in found if each.status != "ok"]
    assert [each.status for each in bad] == ["failed"] * (told is not None)
    assert told is None or told in bad[0].found
    found = triggers.lines(SETTINGS, [], [timer(payload, enable=False), SWEEP])
    bad = [each for each in found if each.status != "ok"]
    assert [each.status for each in bad] == ["warning"] * (told is not None and payload not in {"", "[]"})


def test_a_trigger_tells_of_deletions_where_a_rule_follows_them() -> None:
    follows = msgspec.structs.replace(rule("src/in/", "dst/{key}"), deletes="follow")
    deleted = ("oss:ObjectRemoved:DeleteObject", "oss:ObjectRemoved:DeleteObjects")

    def bad(events: Sequence[str], given: Sequence[Rule] | None) -> list[str]:
        found = triggers.lines(SETTINGS, given, [watching("in", "in/", events=events), SWEEP])
        return [each.found for each in found if each.status == "failed"]

    assert bad((*TOLD, *deleted), [follows]) == []
    assert bad((*TOLD, *deleted), None) == []
    assert bad(TOLD, None) == []
    (found,) = bad((*TOLD, deleted[0]), [follows])
    assert found == "it does not fire for ObjectRemoved:DeleteObjects: such deletions are not followed"
    (found,) = bad((*TOLD, deleted[0]), [rule("src/in/", "dst/{key}")])
    assert "which nothing is done about" in found


def test_a_timer_that_reconciles_tells_which_rules_it_cannot() -> None:
    asks = '{"action": "reconcile"}'
    rules = [rule("src/in/", "dst/{key}"), rule("src/more/", "dst/more/{date:%Y}/{key}")]
    watch = [watching("in", "in/"), watching("more", "more/")]

    def bad(timers: Trigger, given: Sequence[Rule] | None) -> list[tuple[str, str]]:
        found = triggers.lines(SETTINGS, given, [*watch, timers, SWEEP])
        return [(each.status, each.found) for each in found if each.subject == timers.name]

    (told,) = bad(timer(asks), rules)
    status, found = told
    assert (status, found.partition(": its")[0]) == ("warning", "not reconciled: COPY_RULES[1]")
    assert bad(timer(asks), rules[:1]) == []
    assert bad(timer(asks), None) == []
    assert bad(timer(asks, enable=False), rules) == []
    assert bad(timer(asks, enable=False), []) == []
    assert bad(timer(asks), []) == [("failed", "it asks for nothing")]


@pytest.mark.parametrize(
    ("pattern", "status"),
    [
        ('{"source": ["acs.oss"]}', "ok"),
        ('{"source": ["acs.ecs"]}', "warning"),
        ("acs.oss", "failed"),
        ('["acs.oss"]', "failed"),
        ("", "failed"),
    ],
)
def test_a_pattern_of_eventbridge_is_a_json_object_about_oss(pattern: str, status: str) -> None:
    bridge = Trigger("b", "eventbridge", "", json.dumps({"eventRuleFilterPattern": pattern}))
    assert {each.status for each in triggers.lines(SETTINGS, [], [bridge, SWEEP])} == {status}


def test_an_http_trigger_is_as_the_settings_say_and_takes_all_methods() -> None:
    def judged(auth: str, *methods: str, **changes: Any) -> list[str]:
        http = Trigger("h", "http", "", json.dumps({"authType": auth, "methods": methods}))
        return [each.found for each in triggers.judge(Settings("state", **changes), [], [http])]

    every = ("GET", "HEAD", "POST", "DELETE")
    assert judged("function", *every) == []
    assert judged("function", *every[:3]) == ["DELETE of the API would not arrive"]
    assert judged("jwt", *every) == ["jwt, but HTTP_AUTH_TYPE is function"]
    assert judged("anonymous", *every, http_auth="anonymous") == [
        "anonymous needs API_TOKEN, or every request is answered 403"
    ]
    assert judged("anonymous", *every, http_auth="anonymous", api_token="0123456789abcdef") == []


# --- answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "advice"),
    [
        (Failed("AccessDenied", "no", status=403), "skipped", "grant the function's role oss:X"),
        (Failed("AccessDenied", ELSEWHERE, status=403), "failed", "function's region"),
        (Failed("NoSuchBucket", "no", status=404), "failed", "create the bucket"),
        (
            Failed("AccessDenied", "This request is forbidden by kms", status=403),
            "failed",
            "kms:GenerateDataKey",
        ),
        (
            Failed("AccessDenied", "Access denied for requester pay bucket.", status=403),
            "failed",
            "requestPayer",
        ),
        (Failed("KmsServiceNotEnabled", "no", status=403), "failed", "the message"),
        (Failed("InvalidObjectState", "no", status=403), "failed", "the message"),
        (Failed("UserDisable", "no", status=403), "failed", "the message"),
        (Failed("FunctionNotFound", "no", status=404), "failed", "INVOKE_FUNCTION"),
        (Failed("InvalidArgument", "Invalid signing region", status=400), "failed", "OSS_ENDPOINT"),
        (Failed("InvalidArgument", "no", status=400), "failed", "the message"),
        (SourceChanged("SourceChanged", "no", status=412), "warning", "run the check again"),
        (Transient("NetworkError", "refused"), "failed", "remove OSS_ENDPOINT"),
        (Transient("RequestTimeTooSkewed", "no", status=403), "failed", "clock"),
        (Transient("ServiceUnavailable", "no", status=503), "warning", "run the check again"),
        (Transient("SecurityTokenExpired", "no", status=403), "failed", "`role` in s.yaml"),
        (Conflict("FileImmutable", "no", status=409), "failed", "another one"),
        (Failed("Strange", "no", status=400), "failed", "request id"),
    ],
)
def test_what_is_refused_says_what_to_do(error: OssCopyError, status: str, advice: str) -> None:
    line = answers.refusal("oss:X", error, "skipped")
    assert line.status == status
    assert advice in (line.advice or "")


@pytest.mark.parametrize(
    ("skew", "status"), [(0, "ok"), (299, "ok"), (-301, "warning"), (301, "warning"), (901, "failed")]
)
def test_a_clock_may_differ_by_five_minutes(skew: int, status: str) -> None:
    line = answers.clock(1_000_000, 1_000_000 + skew)
    assert line.status == status
    assert ("fast" in line.found, "slow" in line.found) == (skew > 1, skew < -1)


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_versions_are_wrong_for_records_only(status: str) -> None:
    info = BucketInfo("cn-x", status, 0)
    found = {
        role: answers.versioning(role, info).status
        for role in ("stateBucket", "sourceBucket", "destinationBucket")
    }
    assert found == {"stateBucket": "failed", "sourceBucket": "ok", "destinationBucket": "warning"}


def test_a_retention_policy_is_wrong_for_records_only() -> None:
    policy = Retention("Locked", 7)
    assert answers.retention("stateBucket", policy).status == "failed"
    assert answers.retention("destinationBucket", policy).status == "warning"
    assert answers.retention("destinationBucket", None).status == "ok"


def expiring(prefix: str, days: int, *, tagged: bool = False) -> LifecycleRule:
    return LifecycleRule(prefix or "all", prefix, tagged, days, None)


RIGHT = tuple(expiring(f"p/{kind}/", 30) for kind in ("done", "cancel", "key"))


@pytest.mark.parametrize(
    ("rules", "statuses"),
    [
        (RIGHT, ["ok"]),
        ((), ["warning"]),
        (RIGHT[:2], ["warning"]),
        ((*RIGHT, expiring("p/open/", 90)), ["failed"]),
        ((*RIGHT, expiring("p/open/c-1", 90)), ["failed"]),
        ((*RIGHT, expiring("p/u", 90)), ["failed"]),
        ((expiring("p/", 30),), ["failed"]),
        ((*RIGHT, expiring("", 30, tagged=True)), ["ok"]),
        ((*RIGHT[1:], expiring("p/done/", 7)), ["warning"]),
        ((*RIGHT[1:], expiring("p/done/", 0)), ["warning"]),
        ((*RIGHT, LifecycleRule("l", "", False, None, 1)), ["ok"]),
    ],
)
def test_records_of_open_copies_stay_and_others_expire_after_a_week(
    rules: Sequence[LifecycleRule], statuses: list[str]
) -> None:
    assert [each.status for each in answers.state_lifecycle("p/", rules)] == statuses


def aborting(prefix: str, days: int, *, tagged: bool = False) -> LifecycleRule:
    return LifecycleRule("a", prefix, tagged, None, days)


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([], "no AbortMultipartUpload rule for out/*"),
        ([aborting("", 8)], "uploads that are lost are aborted"),
        ([aborting("out/", 7)], "uploads that are lost are aborted"),
        ([aborting("out/x", 30)], "no AbortMultipartUpload rule"),
        ([aborting("", 8, tagged=True)], "no AbortMultipartUpload rule"),
        ([aborting("", 6)], "aborts uploads after 6 days"),
        ([aborting("", 8), aborting("out/x/", 1)], "aborts uploads after 1 days"),
        ([aborting("", 0)], "aborts uploads by date"),
        ([aborting("", 8), aborting("in/", 1)], "uploads that are lost are aborted"),
    ],
)
def test_uploads_are_aborted_some_day_but_not_within_a_week(rules: list[LifecycleRule], found: str) -> None:
    line = answers.destination_lifecycle(["out/"], rules)
    assert found in line.found
    assert (line.status == "ok") == (found == "uploads that are lost are aborted")


@pytest.mark.parametrize(
    ("first", "second", "status"), [(True, False, "ok"), (True, True, "failed"), (False, False, "failed")]
)
def test_a_task_id_is_to_be_accepted_once(first: bool, second: bool, status: str) -> None:
    assert answers.invocations(first, second).status == status


@pytest.mark.parametrize(
    ("count", "oldest", "over", "status"),
    [
        (0, 0, False, "ok"),
        (3, 60, True, "ok"),
        (3, 6 * 86_400, False, "ok"),  # a large copy
        (3, 7200, True, "warning"),  # a sweep would have forgotten it
        (3, 9 * 86_400, False, "warning"),  # a sweep would have ended it
    ],
)
def test_a_sweep_that_does_not_run_leaves_old_records(
    count: int, oldest: int, over: bool, status: str
) -> None:
    assert answers.sweep(count, oldest, over, 3600, False).status == status


# --- what to try with --------------------------------------------------------------------------------------


def listed(key: str, size: int, storage_class: str = "Standard", kind: str = "Normal") -> ListedObject:
    return ListedObject(key, size, storage_class, kind, 0)


@pytest.mark.parametrize(
    ("objects", "key"),
    [
        ([], None),
        ([listed("empty", 0)], None),
        ([listed("cold", 5, "Archive"), listed("link", 5, kind="Symlink")], None),
        ([listed("big", 200 * MIB), listed("small", 5)], "small"),
        ([listed("small", 5), listed("two", 101 * KIB), listed("more", MIB)], "two"),
        ([listed("big", 200 * MIB)], "big"),
        ([listed("log", 101 * KIB, kind="Appendable"), listed("big", 200 * MIB)], "big"),
    ],
)
def test_the_smallest_object_of_two_parts_is_tried_with(objects: list[ListedObject], key: str | None) -> None:
    assert sources.choose(objects) == key


# --- the world breaks --------------------------------------------------------------------------------------


class Clock:
    """Time stands still but for sleeping."""

    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def random(self) -> float:
        return 0.5

    def nonce(self) -> str:
        return "0123456789abcdef"


class Broken:
    """Stands for any port: whatever is asked of it fails in a way that nobody foresaw."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError(f"{name} is broken")

        return fail


def checked(until: float) -> tuple[Sequence[Line], list[str]]:
    logged: list[str] = []

    def log(event: str, /, **_: object) -> None:
        logged.append(event)

    broken: Any = Broken()
    found = Checkup(
        deployment(),
        World(broken, broken, Clock(), until, 1.0),
        RecordJournal(broken),
        broken,
        lambda: (),
        log,
    ).run()
    return found.lines, logged


def test_a_fault_of_the_check_is_a_line_and_a_log_entry_and_stops_nothing() -> None:
    lines, logged = checked(until=100)
    broken = [each for each in lines if "RuntimeError" in each.found]
    assert [each.check for each in broken] == [
        "stateBucket.reach",
        "sourceBucket.reach",
        "destinationBucket.reach",
        "function.invoke",
        "triggers",
    ]
    assert logged == ["checkBroken"] * 5 + ["checked"]


def test_a_check_that_is_late_asks_little_more_however_many_destinations_there_are() -> None:
    clock = Clock()

    class Slow:
        """Any port: destinations that do not answer while anybody waits."""

        def info(self, _bucket: str) -> BucketInfo:
            return BucketInfo("cn-x", None, 0)

        def __getattr__(self, name: str) -> Callable[..., Any]:
            def answer(*_: object, **__: object) -> object:
                if name in {"retention", "lifecycle"}:
                    return () if name == "lifecycle" else None
                clock.time += 10
                raise Transient("NetworkError", "timed out", in_doubt=True)

            return answer

    slow: Any = Slow()
    many = tuple(Pattern.parse(f"dst/{n}/*") for n in range(50))
    world = World(slow, slow, clock, run.until(0, 160), run.seconds_for_answer(160))
    journal = RecordJournal(slow)
    Checkup(
        deployment(160, allowed_destinations=many), world, journal, slow, lambda: (), lambda *_, **__: None
    ).run()
    assert clock.time < 160


def test_without_time_everything_that_is_to_be_asked_is_skipped() -> None:
    lines, _ = checked(until=0)
    late = {each.check for each in lines if each.found == report.LATE}
    assert {"stateBucket.reach", "source.list", "destination.write", "function.invoke", "sweep"} <= late
    assert lines[-1].check == "time"


# --- what earlier checks have left -------------------------------------------------------------------------


class Leftovers:
    """A bucket with remains of checks, of which some go."""

    def __init__(self) -> None:
        self.gone: list[str] = []

    def uploads(self, _bucket: str, prefix: str) -> UploadPage:
        found = (
            OpenUpload("U1", f"{prefix}ours", 10_000),
            OpenUpload("U2", f"{prefix}old", 0),
            OpenUpload("U3", f"{prefix}young", 10_000),
        )
        return UploadPage(found, 10_000)

    def objects(self, _bucket: str, prefix: str, _limit: int) -> ObjectPage:
        return ObjectPage((ListedObject(f"{prefix}old", 1, "Standard", "Normal", 0),), 10_000)

    def abort(self, _request: Any, upload_id: str) -> None:
        if upload_id == "U1":
            raise Failed("AccessDenied", "no", status=403)
        self.gone.append(upload_id)

    def delete(self, _bucket: str, key: str) -> None:
        self.gone.append(key)


def test_remains_of_an_interrupted_check_are_taken_away_and_what_stays_is_named() -> None:
    bucket = Leftovers()
    world = World(cast("Any", bucket), cast("Any", bucket), Clock(), 100, 1.0)
    left, ended = trials.clear(world, "b", "p/.oss-copy-check-", "ours", "both")
    assert bucket.gone == ["U2", "p/.oss-copy-check-old"]
    assert (left, ended) == (["upload U1 of b/p/.oss-copy-check-ours"], 2)


def test_the_check_ends_well_before_the_invocation() -> None:
    for timeout in (5, 60, 600, 86_400):
        wait = run.seconds_for_answer(timeout)
        assert 0 < run.until(0, timeout) < timeout - 5 * wait
        assert run.until(0, timeout) <= run.LONGEST


def test_settings_that_are_valid_are_not_judged_by_load() -> None:
    loaded = settings.load({"STATE_BUCKET": "state"})
    assert {each.status for each in config.allow_lists(Deployment(loaded, "cn-x", "1", 600))} == {"failed"}
