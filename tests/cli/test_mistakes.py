"""No mistake in s.yaml passes: each is refused, and the property is named."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.cli.account import calls
from functions.cli.commands.deployment import judged
from functions.cli.errors import TemplateError
from functions.cli.template import Deployment, Mistake, Mistaken
from functions.cli.template.judging import mistakes
from tests.cli.conftest import GENUINE, OWN, changed, load

SWEEP = 'payload: \'{"action": "sweep"}\''
EVENT = "- oss:ObjectCreated:PutSymlink"


def said(path: Path) -> list[Mistake]:
    """Everything that is to be said of a template."""
    try:
        return judged.find_mistakes(load(path))
    except Mistaken as error:
        return judged.collect_mistakes(error)
    except TemplateError as error:
        return [Mistake("", str(error))]


def judge(path: Path) -> str:
    """Everything that is wrong with a template."""
    return "\n".join(str(each) for each in said(path) if each.is_error)


OTHER = "1111111111111111"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (
            "    component: fc3@0.1.22\n",
            "    component: fc3@0.1.22\n    actions: {pre-deploy: [{run: id}]}\n",
            "oss_copy_dropped.actions: runs commands on this machine",
        ),
        (
            "    component: fc3@0.1.22\n",
            "    component: fc3@0.1.22\n    extend: {name: common}\n",
            "oss_copy_dropped.extend: adds what is not judged",
        ),
        ("component: fc3@0.1.22", "component: fc3@latest", "component: 'fc3@latest' is neither fc3 nor fc3@"),
        ("component: fc3@0.1.22", "component: ./fc3", "component: './fc3' is neither"),
        (
            "acs:fc:${vars.region}:${vars.accountId}:layers/",
            f"acs:fc:${{vars.region}}:{OTHER}:layers/",
            "layers: .* is of another account",
        ),
        ("code: functions/oss_copy", "code: ../elsewhere", "code: ../elsewhere lies outside"),
        ("code: functions/oss_copy", "code: /etc", "code: /etc lies outside"),
        (
            "code: functions/oss_copy",
            "code: {src: functions/../../x}",
            "code: functions/../../x lies outside",
        ),
        (
            "LOG_LEVEL: INFO",
            "OSS_ENDPOINT: http://oss-cn-hangzhou-internal.aliyuncs.com",
            "environmentVariables.OSS_ENDPOINT: is not https",
        ),
        (
            "LOG_LEVEL: INFO",
            "INVOKE_ENDPOINT: http://127.0.0.1.example.com",
            "environmentVariables.INVOKE_ENDPOINT: is not https",
        ),
        (
            "destination: acs:fc:${vars.region}:${vars.accountId}:",
            f"destination: acs:fc:${{vars.region}}:{OTHER}:",
            "onFailure.destination: not of the account of `role`",
        ),
        ("name: oss-copy\n", "name: oss-copy\nflow: {a: b}\n", "unknown property `flow`"),
    ],
)
def test_a_template_of_somebody_else_gets_no_further(tmp_path: Path, old: str, new: str, named: str) -> None:
    found = judge(changed(tmp_path, (old, new)))
    assert re.search(named, found), found or "nothing was found"


def test_what_is_of_this_machine_or_of_function_compute_itself_is_taken(tmp_path: Path) -> None:
    official = (
        "        - acs:fc:",
        "        - acs:fc:cn-hangzhou:official:layers/X/versions/1\n        - acs:fc:",
    )
    here = ("LOG_LEVEL: INFO", "OSS_ENDPOINT: http://127.0.0.1:80")
    assert judge(changed(tmp_path, official, here)) == ""


@pytest.mark.parametrize(
    ("component", "told"),
    [
        ("fc3", "names no version: `s` runs whatever is newest; fc3@0.1.22 was tried"),
        ("devsapp/fc3", "names no version: `s` runs whatever is newest; fc3@0.1.22 was tried"),
        ("fc3@0.1.23", "0.1.23 was not tried; fc3@0.1.22 was tried"),
        ("devsapp/fc3@0.1.22", None),
    ],
)
def test_a_component_of_another_version_or_of_none_is_warned_of(
    tmp_path: Path, component: str, told: str | None
) -> None:
    found = said(changed(tmp_path, ("component: fc3@0.1.22", f"component: {component}")))
    assert [each.text for each in found] == ([told] if told else [])
    assert not any(each.is_error for each in found)


RULE = '[{"source": {"bucket": "oss-copy-source"}, "destination": {"bucket": "oss-copy-destination"}}]'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("asyncTask: true", "asynctask: true"),  # not also: must be true
        (
            "triggerName: sweep\n          triggerType: timer",
            "triggerName: sweep\n          triggerType: tmer",
        ),
        ("triggerType: oss", "triggerType: os"),
    ],
)
def test_what_only_follows_from_a_property_that_cannot_be_read_is_not_said(
    tmp_path: Path, old: str, new: str
) -> None:
    (found,) = said(changed(tmp_path, (old, new)))
    assert "triggerType" in found.path or "asynctask" in found.path


@pytest.mark.parametrize("misspelt", ["triggerName: sweep", "triggerType: oss"])
def test_a_rule_without_its_trigger_is_told_unless_a_trigger_cannot_be_read(
    tmp_path: Path, misspelt: str
) -> None:
    """The judgement is known by its kind, not by its words."""
    rules = ('MAX_PARALLEL: "256"', f"MAX_PARALLEL: \"256\"\n        COPY_RULES: '{RULE}'")
    found = [each for each in said(changed(tmp_path, rules)) if each.lacks_trigger]
    assert [each.path.rpartition(".")[2] for each in found] == ["COPY_RULES[0]"]
    unread = (misspelt, misspelt.replace("trigger", "triger"))
    assert not any(each.lacks_trigger for each in said(changed(tmp_path, rules, unread)))


def test_the_template_of_the_repository_has_no_mistake(deployment: Deployment) -> None:
    assert judged.find_mistakes(deployment) == []


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        # names
        ("memorySize: ${", "memorysize: ${", "memorysize"),
        ("asyncTask: true", "asynctask: true", "asynctask"),
        ("cronExpression: ", "cronExpresion: ", "cronExpresion"),
        ('suffix: ""', 'sufix: ""', "sufix"),
        ("authType: ", "authtype: ", "authtype"),
        ("instanceLifecycleConfig:", "instanceLifeCycleConfig:", "instanceLifeCycleConfig"),
        ("reservedConcurrency: ${", "reservedConcurency: ${", "reservedConcurency"),
        ("maxAsyncEventAgeInSeconds", "maxAsyncEventAge", "maxAsyncEventAge"),
        ("triggerName: oss", "name: oss", "triggers"),
        ("${vars.watchedPrefix}", "${vars.watchPrefix}", "vars.watchPrefix"),
        # types
        ("timeout: 600", 'timeout: "600"', "timeout"),
        ("memorySize: 512", "memorySize: lots", "memorySize"),
        ("timerEnabled: false", "timerEnabled: sometimes", "enable"),
        ("MAX_PARALLEL: ", "MAX_PARALLEL: 256\n        X: ", "environmentVariables"),
        ("methods: [GET, HEAD, POST, DELETE]", "methods: GET", "methods"),
        # enums
        ("runtime: python3.12", "runtime: python3.11", "runtime"),
        ("triggerType: timer", "triggerType: tmer", "triggerType"),
        (EVENT, "- oss:ObjectCreated:Put", "events"),
        ("httpAuthType: function", "httpAuthType: functions", "authType"),
        ("[GET, HEAD, POST, DELETE]", "[GET, HEAD, POST, DELET]", "methods"),
        ("diskSize: 512", "diskSize: 513", "diskSize"),
        ("edition: 3.0.0", "edition: 1.0.0", "edition"),
        # ranges
        ("timeout: 600", "timeout: 86401", "timeout"),
        ("memorySize: 512", "memorySize: 100", "memorySize"),
        ("memorySize: 512", "memorySize: 500", "memorySize"),
        ("cpu: 0.35", "cpu: 4", "`cpu` is 4.0 and `memorySize` 512 MB.* 0.15 to 0.5 vCPU would fit"),
        ("memorySize: 512", "memorySize: 128", "`cpu` is 0.35 and `memorySize` 128 MB.* 0.05 to 0.1 vCPU"),
        ("memorySize: 512", "memorySize: 2048", "`cpu` is 0.35 and `memorySize` 2048 MB.* 0.5 to 2 vCPU"),
        ("maxAsyncRetryAttempts: 3", "maxAsyncRetryAttempts: 9", "maxAsyncRetryAttempts"),
        (
            "maxAsyncEventAgeInSeconds: 86400",
            "maxAsyncEventAgeInSeconds: 604801",
            "maxAsyncEventAgeInSeconds",
        ),
        ("reservedConcurrency: 20", "reservedConcurrency: 0", "reservedConcurrency"),
        ('sweepSchedule: "@every 15m"', 'sweepSchedule: "*/15 * * * *"', "cronExpression"),
        ('MAX_PARALLEL: "256"', 'MAX_PARALLEL: "0"', "MAX_PARALLEL"),
        ("region: cn-hangzhou", "region: Hangzhou", "region"),
        # between fields
        ("          sourceArn: acs", "          # sourceArn: acs", "sourceArn"),
        ("          invocationRole: acs", "          # invocationRole: acs", "invocationRole"),
        (EVENT, "- oss:ObjectCreated:*", r"events: it fires for ObjectCreated:\*: for each part"),
        (EVENT, "- oss:ObjectCreated:UploadPartCopy", "events: it fires for ObjectCreated:UploadPartCopy"),
        ("acs:fc:${vars.region}:", "acs:fc:cn-beijing:", "layers"),
        ("sourceArn: acs:oss:${vars.region}", "sourceArn: acs:oss:cn-beijing", "sourceArn"),
        (
            "sourceArn: acs:oss:${vars.region}:${vars.accountId}",
            "sourceArn: acs:oss:${vars.region}:1",
            "sourceArn",
        ),
        ("asyncTask: true", "asyncTask: false", "asyncTask"),
        ('"bucket": "${vars.destinationBucket}"', '"bucket": "${vars.sourceBucket}"', "COPY_RULES.*again"),
        ("LOG_LEVEL: INFO", "NOTIFY_FUNCTION: oss-copy", "NOTIFY_FUNCTION: .* function of this deployment"),
        ("LOG_LEVEL: INFO", "NOTIFY_FUNCTION: oss-copy-dropped", "NOTIFY_FUNCTION: .* takes no such message"),
        ("LOG_LEVEL: INFO", "NOTIFY_URL: http://hooks.example.com/a", "NOTIFY_URL: only https"),
        ("LOG_LEVEL: INFO", "NOTIFY_URL: https://100.100.100.200/", "NOTIFY_URL: its host is no public name"),
        ("LOG_LEVEL: INFO", "NOTIFY_SECRET: SECret-of-a-robot", "NOTIFY_SECRET: it signs .* NOTIFY_URL"),
        (
            "LOG_LEVEL: INFO",
            "NOTIFY_ULR: https://hooks.example.com/",
            "NOTIFY_ULR: .* mean NOTIFY_URL",
        ),
        ('"key": "{key}"', '"ky": "{key}"', "COPY_RULES.*ky"),
        ('"key": "{key}"', '"key": "{kee}"', "COPY_RULES.*destination.key"),
        (
            "ALLOWED_SOURCES: ${vars.sourceBucket}/*",
            "ALLOWED_SOURCES: ${vars.sourceBucket}/x/*",
            "ALLOWED_SOURCES",
        ),
        (
            "ALLOWED_DESTINATIONS: ${vars.destinationBucket}/*",
            "ALLOWED_DESTINATIONS: ${vars.destinationBucket}/x*",
            "ALLOWED_DESTINATIONS",
        ),
        (
            "ALLOWED_DESTINATIONS: ",
            "ALLOWED_DESTINATIONS: ${vars.stateBucket}/*,",
            "ALLOWED_DESTINATIONS: oss-copy-state/.* covers oss-copy/, where the records of copies are",
        ),
        ("LOG_LEVEL: INFO", "FC_LOG_LEVEL: INFO", "FC_LOG_LEVEL"),
        ("LOG_LEVEL: INFO", f"BIG: {'x' * 4000}", "environmentVariables.*4096"),
        ("LOG_LEVEL: INFO", "LOG_LEVEL: LOUD", "LOG_LEVEL"),
        ("STATE_BUCKET: ", "STATES_BUCKET: ", "STATE_BUCKET"),
        ("httpAuthType: function", "httpAuthType: anonymous", "authType: anonymous needs API_TOKEN"),
        ("HTTP_AUTH_TYPE: ${vars.httpAuthType}", "HTTP_AUTH_TYPE: anonymous", "HTTP_AUTH_TYPE"),
        ("[GET, HEAD, POST, DELETE]", "[GET, HEAD, POST]", "methods: DELETE"),
        (SWEEP, 'payload: "[]"', "sweep"),
        ("enable: true", "enable: false", "sweep"),
        ("role: acs:ram", "# role: acs:ram", "role"),
        ("prefix: ${vars.watchedPrefix}", "prefix: other/", "filter.key.prefix"),
        ("component: fc3@0.1.22", "component: fc4", "component"),
        ("MAX_PARALLEL: ", "MAX_PARALEL: ", "environmentVariables.MAX_PARALEL.* did you mean MAX_PARALLEL"),
        # what is meant
        ("memorySize: ${", "memorysize: ${", "memorysize: unknown property .* did you mean memorySize"),
        ("triggerType: timer", "triggerType: tmer", "triggerType: .* did you mean timer"),
        (EVENT, "- oss:ObjectCreated:PutSymLink", "events.* did you mean oss:ObjectCreated:PutSymlink"),
        (
            "${vars.watchedPrefix}",
            "${vars.watchPrefix}",
            r"\$\{vars.watchPrefix\}; did you mean watchedPrefix",
        ),
        (
            'MAX_PARALLEL: "256"',
            "MAX_PARALLEL: 256",
            'MAX_PARALLEL: .* put it in quotes, MAX_PARALLEL: "256"',
        ),
        ("LOG_LEVEL: INFO", "LOG_LEVEL: true", 'LOG_LEVEL: .* put it in quotes, LOG_LEVEL: "true"'),
        # what is known before it is deployed
        ("- oss:ObjectCreated:PostObject\n", "\n", "events: it does not fire for ObjectCreated:PostObject"),
        ("- oss:ObjectCreated:CopyObject\n", "\n", "events: it does not fire for ObjectCreated:CopyObject"),
        (
            "- oss:ObjectCreated:CompleteMultipartUpload\n",
            "\n",
            "events: it does not fire for ObjectCreated:CompleteMultipartUpload: such objects are not copied",
        ),
        ("watchedPrefix: incoming/", "watchedPrefix: incoming/*", r"prefix: 'incoming/\*' is plain text"),
        ("watchedPrefix: incoming/", 'watchedPrefix: "^incoming/"', "prefix: .* is plain text"),
        (
            "watchedPrefix: incoming/",
            "watchedPrefix: oss://oss-copy-source/x",
            "prefix: .* begins with oss://",
        ),
        ("watchedPrefix: incoming/", "watchedPrefix: /incoming/", "prefix: '/incoming/' begins with /"),
        ('suffix: ""', 'suffix: "*.gz"', "suffix: .* is plain text"),
        (SWEEP, 'payload: \'{"action": "swep"}\'', "payload: action: .*'swep'"),
        ('timerSchedule: "0 0 2 * * *"', 'timerSchedule: "0 0 2 L * *"', "cronExpression: .* days"),
        ('accountId: "1234567890123456"', "accountId: 1234", "vars.accountId: .* 16 digits"),
        ('accountId: "1234567890123456"', "accountId: 9007199254740993", "vars.accountId: .* in quotes"),
        ('accountId: "1234567890123456"', "accountId: mine", "role"),
        (
            "role/aliyunosseventnotificationrole",
            "role/mine",
            "invocationRole: `oss-copy setup` makes no role mine",
        ),
        ("invocationRole: acs:ram::${vars.accountId}:role/", "invocationRole: ", "invocationRole: .* form"),
        ("role/oss-copy", "role/oss copy", "props.role"),
    ],
)
def test_a_planted_mistake_is_refused_and_the_property_named(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    found = judge(changed(tmp_path, (old, new)))
    assert re.search(named, found), found or "nothing was found"


@pytest.mark.parametrize(
    ("region", "named"),
    [
        ("cn-hangzou", r"region: .* no region 'cn-hangzou'; did you mean cn-hangzhou\?"),
        ("CN-Shanghai", r"no region 'CN-Shanghai'; did you mean cn-shanghai\?"),
        ("cn-nowhere", r"no region 'cn-nowhere'; it has ap-northeast-1, .*us-west-1"),
        ("ap-south-1", r"no region 'ap-south-1'; did you mean "),  # FC has left it; the schema still has it
    ],
)
def test_a_region_that_function_compute_does_not_have_is_refused(
    tmp_path: Path, region: str, named: str
) -> None:
    found = judge(changed(tmp_path, ("region: cn-hangzhou", f"region: {region}")))
    assert re.search(named, found), found or "nothing was found"


@pytest.mark.parametrize(
    ("cpu", "advice"), [(0.33, "0.3 or 0.35"), (0.351, "0.35 or 0.4"), (0.36, "0.35 or 0.4")]
)
def test_a_cpu_between_the_steps_of_function_compute_is_refused(
    tmp_path: Path, cpu: float, advice: str
) -> None:
    found = judge(changed(tmp_path, ("cpu: 0.35", f"cpu: {cpu}")))
    assert f"props.cpu: `cpu` is {cpu}, but FC has vCPUs in steps of 0.05: write {advice}" in found


@pytest.mark.parametrize("hundredths", range(15, 55, 5))
def test_every_step_that_goes_with_the_memory_is_taken(tmp_path: Path, hundredths: int) -> None:
    assert judge(changed(tmp_path, ("cpu: 0.35", f"cpu: {hundredths / 100}"))) == ""


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        (
            "oss:/my-state/rules.json",
            "nor an object oss://BUCKET/KEY; did you mean oss://my-state/rules.json?",
        ),
        ("OSS://my-state/rules.json", "did you mean oss://my-state/rules.json?"),
        ("s3://my-state/rules.json", "did you mean oss://my-state/rules.json?"),
        ("my-state/rules.json", "did you mean oss://my-state/rules.json?"),
        ("rules.json", "'rules.json' is neither a JSON list of rules nor an object oss://BUCKET/KEY"),
        ("oss://my-state", "oss://my-state names no object: write oss://my-state/KEY"),
        ("oss://my-state/", "such as oss://my-state/rules.json"),
        ("oss://My_State/rules.json", "'My_State' is no bucket name"),
        ('[{"sorce": {"bucket": "aaa"}}]', "unknown field `sorce`; did you mean source?"),
        (
            '[{"source": {"bucket": "aaa", "prefx": ""}}]',
            "at [0].source.prefx: Object contains unknown field `prefx`; did you mean prefix?",
        ),
    ],
)
def test_rules_that_are_misspelt_are_refused_with_what_was_meant(
    tmp_path: Path, rules: str, named: str
) -> None:
    text = GENUINE.read_text(encoding="utf-8")
    own = text[text.index("COPY_RULES: ") : text.index("        HTTP_AUTH_TYPE: ")]
    found = judge(changed(tmp_path, (own, f"COPY_RULES: {json.dumps(rules)}\n")))
    assert re.search(rf"environmentVariables\.COPY_RULES: .*{re.escape(named)}", found), found


ENABLED = ("timerEnabled: false", "timerEnabled: true")
ASKED = (
    '{"source": {"bucket": "oss-copy-source", "key": "a"}, "destination": {"bucket": "oss-copy-destination"}}'
)


MANY = ASKED.replace("key", "prefix").replace('"a"', '""')


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        (MANY.replace("oss-copy-source", "elsewhere"), "source: ALLOWED_SOURCES does not name"),
        (MANY.replace("oss-copy-destination", "elsewhere"), "destination: ALLOWED_DESTINATIONS"),
        (MANY.replace("prefix", "inventory"), r"source.inventory: Expected `object \| null`"),
        (f'{MANY[:-1]}, "delete": true}}', "destination.prefix: spell it out where objects are deleted"),
        (f'{MANY[:-1]}, "maxWorkers": 19}}', "maxWorkers: 18 at most"),
        ('[{"source":1}]', r"\[0\].source: Expected `object`, got `int`"),
        ("[]", "it asks for nothing"),
        ("", "it is empty"),
        ("[{", "not JSON"),
        ('{"action": "chek"}', "action: .*'chek'"),
        (ASKED.replace("source", "sauce", 1), "sauce"),
        (ASKED.replace("oss-copy-source", "elsewhere"), "source: ALLOWED_SOURCES does not name"),
        (
            ASKED.replace("oss-copy-destination", "elsewhere"),
            "destination: ALLOWED_DESTINATIONS does not name",
        ),
    ],
)
def test_an_enabled_timer_asks_for_what_can_be_done(tmp_path: Path, payload: str, named: str) -> None:
    asking = ('timerPayload: "[]"', f"timerPayload: {json.dumps(payload)}")
    path = changed(tmp_path, asking, ENABLED)
    assert re.search(rf"triggers.timer.triggerConfig.payload: .*{named}", judge(path)), judge(path)
    path = changed(tmp_path, asking)
    assert judge(path) == ""
    warned = [each.path for each in said(path) if "payload" in each.path]
    assert len(warned) == (payload not in {"", "[]"})


@pytest.mark.parametrize("asked", [ASKED, MANY])
def test_a_timer_that_asks_for_what_is_allowed_is_right(tmp_path: Path, asked: str) -> None:
    asking = ('timerPayload: "[]"', f"timerPayload: {json.dumps(asked)}")
    assert said(changed(tmp_path, asking, ENABLED)) == []


SECOND = """\
        - triggerName: second
          triggerType: oss
          sourceArn: acs:oss:${vars.region}:${vars.accountId}:%s
          invocationRole: acs:ram::${vars.accountId}:role/aliyunosseventnotificationrole
          triggerConfig:
            events: [%s]
            filter: {key: {prefix: "%s", suffix: ""}}
"""
EVERY = ", ".join(
    f"oss:ObjectCreated:{each}"
    for each in (
        "PutObject",
        "PostObject",
        "CopyObject",
        "CompleteMultipartUpload",
        "AppendObject",
        "PutSymlink",
    )
)


@pytest.mark.parametrize("prefix", ["incoming/", "incoming/deeper/", "", "inc"])
def test_conflicting_triggers_are_refused_across_functions(tmp_path: Path, prefix: str) -> None:
    second = SECOND % ("${vars.sourceBucket}", EVERY, prefix)
    conflict = "triggerConfig.filter.key: .*both tell of .*: OSS refuses the second"
    found = judge(changed(tmp_path, (SWEEPING, second + SWEEPING)))
    assert re.search(f"resources.oss_copy.props.triggers.second.{conflict}", found), found
    found = judge(changed(tmp_path, ("      triggers: []", f"      triggers:\n{second}")))
    assert re.search(f"resources.oss_copy.props.triggers.oss.{conflict}", found), "the later one is refused"


SWEEPING = "        - triggerName: sweep\n"


def test_triggers_that_share_no_event_or_no_prefix_do_not_conflict(tmp_path: Path) -> None:
    elsewhere = SECOND % ("${vars.sourceBucket}", EVERY, "other/")
    assert "OSS refuses" not in judge(changed(tmp_path, (SWEEPING, elsewhere + SWEEPING)))


@pytest.mark.parametrize(("bucket", "prefix"), [("oss-copy-state", ""), ("oss-copy-state", "oss-copy/done/")])
def test_a_trigger_on_the_function_s_records_is_refused(tmp_path: Path, bucket: str, prefix: str) -> None:
    second = SECOND % (bucket, EVERY, prefix)
    found = judge(changed(tmp_path, (SWEEPING, second + SWEEPING)))
    assert "triggers.second.triggerConfig.filter.key.prefix: it fires for the function's records" in found


def test_a_rule_on_the_function_s_records_is_refused(tmp_path: Path) -> None:
    path = changed(
        tmp_path,
        ("stateBucket: oss-copy-state", "stateBucket: oss-copy-source"),
        ("watchedPrefix: incoming/", 'watchedPrefix: ""'),
    )
    assert "environmentVariables.COPY_RULES: rule 0 watches the function's records" in judge(path)


BRIDGE = """\
        - triggerName: bridge
          triggerType: eventbridge
          triggerConfig:
            eventRuleFilterPattern: '%s'
            eventSourceConfig: {eventSourceType: Default}
"""


def test_a_pattern_of_eventbridge_is_json(tmp_path: Path) -> None:
    right = changed(tmp_path, (SWEEPING, BRIDGE % '{"source": ["acs.oss"]}' + SWEEPING))
    assert judge(right) == ""
    found = judge(changed(tmp_path, (SWEEPING, BRIDGE % "acs.oss" + SWEEPING)))
    assert "triggers.bridge.triggerConfig.eventRuleFilterPattern: the pattern is no JSON object" in found


def test_functions_do_not_tell_each_other_of_their_failures_for_ever(tmp_path: Path) -> None:
    reporting = """\
        destinationConfig:
          onFailure: {destination: "acs:fc:cn-hangzhou:1234567890123456:functions/${vars.functionName}"}
      concurrencyConfig:
        reservedConcurrency: 1
"""
    silent = re.sub(r"        destinationConfig:\n.*\n", "", reporting)
    found = judge(changed(tmp_path, (silent, reporting)))
    assert found.count("tells of its failures in turn") == 2, found


@pytest.mark.parametrize("placeholder", sorted(mistakes.PLACEHOLDERS))
def test_what_s_yaml_comes_with_is_warned_of(deployment: Deployment, placeholder: str) -> None:
    (found,) = (each for each in mistakes.placeholders(deployment) if placeholder in each.text)
    assert not found.is_error
    assert found.path.startswith("vars.")


def test_only_what_a_deployer_has_to_change_is_a_placeholder(tmp_path: Path) -> None:
    assert mistakes.placeholders(load(changed(tmp_path, *OWN))) == []


@pytest.mark.parametrize(("memory", "cpu"), [(128, 0.05), (128, 0.1), (2048, 0.5), (2048, 2), (32_768, 16)])
def test_the_cpu_that_would_fit_the_memory_does(tmp_path: Path, memory: int, cpu: float) -> None:
    path = changed(tmp_path, ("memorySize: 512", f"memorySize: {memory}"), ("cpu: 0.35", f"cpu: {cpu}"))
    assert judge(path) == ""
    assert {function.cpu for function in load(path).functions} == {cpu}


@pytest.mark.parametrize("name", ["nobody", "${vars.functionName}-dropped"])
def test_requests_are_passed_on_to_a_function_that_copies(tmp_path: Path, name: str) -> None:
    text = GENUINE.read_text(encoding="utf-8")
    old = text[text.index("  oss_copy_http:") :]
    new = old.replace("INVOKE_FUNCTION: ${vars.functionName}\n", f"INVOKE_FUNCTION: {name}\n")
    assert "oss_copy_http.props.environmentVariables.INVOKE_FUNCTION" in judge(changed(tmp_path, (old, new)))


def test_http_is_left_fewer_instances_than_there_are(tmp_path: Path) -> None:
    path = changed(tmp_path, ("httpConcurrency: 10", "httpConcurrency: 20"))
    (found,) = [each for each in said(path) if "oss_copy_http" in each.path]
    assert (found.is_error, "could take all those of oss-copy" in found.text) == (False, True)


REPORTED = "functions/${resources.oss_copy_dropped.props.functionName}"


def test_a_second_function_is_judged_like_the_first(tmp_path: Path) -> None:
    path = changed(tmp_path, ("functionName}-dropped\n", "functionName} dropped\n"))
    assert "oss_copy_dropped" in judge(path)
    text = GENUINE.read_text(encoding="utf-8")
    config = text[text.index("      asyncInvokeConfig:") : text.index("reservedConcurrency: 1")]
    path = changed(tmp_path, (config, config.replace("true", "false")))
    assert judge(path).startswith("resources.oss_copy_dropped.props.asyncInvokeConfig.asyncTask")


@pytest.mark.parametrize("name", ["${vars.functionName}", "nobody"])
def test_failures_are_reported_to_another_function_that_is_deployed(tmp_path: Path, name: str) -> None:
    path = changed(tmp_path, (REPORTED, f"functions/{name}"))
    assert "destinationConfig.onFailure.destination" in judge(path)


def test_success_is_not_told_to_who_takes_it_for_a_failure(tmp_path: Path) -> None:
    path = changed(tmp_path, ("          onFailure:", "          onSuccess:"))
    assert "onSuccess.destination: oss-copy-dropped would take what succeeded for given up" in judge(path)
    path = changed(
        tmp_path,
        ("          onFailure:", "          onSuccess:"),
        (
            f"acs:fc:${{vars.region}}:${{vars.accountId}}:{REPORTED}",
            "acs:mns:cn-hangzhou:1:/topics/done/messages",
        ),
    )
    assert not judge(path)


def test_rules_in_an_object_are_left_to_the_function(tmp_path: Path) -> None:
    text = GENUINE.read_text(encoding="utf-8")
    rules = text[text.index("COPY_RULES: ") : text.index("HTTP_AUTH_TYPE: ")]
    path = changed(tmp_path, (rules, "COPY_RULES: oss://${vars.stateBucket}/rules.json\n        "))
    assert judge(path) == ""


@pytest.mark.parametrize("name", ["ObjectCreated", "ObjectModified"])
def test_a_trigger_may_tell_of_what_is_replicated(tmp_path: Path, name: str) -> None:
    more = f"{EVENT}\n              - oss:ObjectReplication:{name}"
    assert judge(changed(tmp_path, (EVENT, more))) == ""


def test_a_robot_beyond_a_function_without_internet_is_warned_of(tmp_path: Path) -> None:
    url = ("LOG_LEVEL: INFO", "NOTIFY_URL: https://hooks.example.com/a")
    assert not [each for each in said(changed(tmp_path, url)) if "internetAccess" in str(each)]
    found = said(changed(tmp_path, url, ("internetAccess: true", "internetAccess: false")))
    named = [each for each in found if "internetAccess: NOTIFY_URL is told over the internet" in str(each)]
    assert [each.is_error for each in named] == [False, False, False], "every function has the setting"


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = judge(
        changed(tmp_path, ("asyncTask: true", "asyncTask: false"), (EVENT, "- oss:ObjectCreated:*"))
    )
    assert len(found.splitlines()) == 2


# --- what FC's SDK knows ---


def _props(name: str = "oss_copy") -> dict[str, Any]:
    deployment = load(GENUINE)
    return yaml.safe_load(yaml.safe_dump(dict(deployment.props[name])))  # type: ignore[no-any-return]  # a copy


def test_fc_s_sdk_knows_every_property_that_would_be_sent() -> None:
    for name in load(GENUINE).resources:
        assert calls.unknown(_props(name)) == []


def _config(props: dict[str, Any], trigger: str) -> dict[str, Any]:
    (found,) = (each for each in props["triggers"] if each["triggerName"] == trigger)
    config: dict[str, Any] = found["triggerConfig"]
    return config


def test_a_property_that_fc_s_sdk_would_drop_is_named() -> None:
    props = _props()
    props["triggers"].insert(1, _props("oss_copy_http")["triggers"][0])
    props["memorysize"] = props.pop("memorySize")
    props["instanceLifecycleConfig"]["initialiser"] = {}
    props["asyncInvokeConfig"]["asynctask"] = True
    props["concurrencyConfig"]["reserved"] = 1
    _config(props, "sweep")["cronExpresion"] = "@every 1m"
    _config(props, "oss")["filter"]["key"]["sufix"] = ""
    _config(props, "http")["authtype"] = "function"
    props["triggers"][0]["sourceARN"] = "acs:oss:x:1:y"
    assert calls.unknown(props) == [
        "instanceLifecycleConfig.initialiser",
        "memorysize",
        "triggers[0].sourceARN",
        "triggers[0].triggerConfig.filter.key.sufix",
        "triggers[1].triggerConfig.authtype",
        "triggers[2].triggerConfig.cronExpresion",
        "asyncInvokeConfig.asynctask",
        "concurrencyConfig.reserved",
    ]
