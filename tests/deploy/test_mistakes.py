"""No mistake in s.yaml passes: each is refused, and the property is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.deploy import calls, mistakes
from functions.deploy.template import Deployment, TemplateError
from tests.deploy.conftest import GENUINE, changed, load

SWEEP = 'payload: \'{"action": "sweep"}\''
EVENT = "- oss:ObjectCreated:PutSymlink"


def judge(path: Path) -> str:
    """Everything that is wrong with a template."""
    try:
        return "\n".join(mistakes.find(load(path)))
    except TemplateError as error:
        return str(error)


def test_the_template_of_the_repository_has_no_mistake(deployment: Deployment) -> None:
    assert mistakes.find(deployment) == []


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
        ("MAX_PARALLEL: ", "MAX_PARALLEL: 32\n        X: ", "environmentVariables"),
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
        ('MAX_PARALLEL: "32"', 'MAX_PARALLEL: "0"', "MAX_PARALLEL"),
        ("region: cn-hangzhou", "region: Hangzhou", "region"),
        # between fields
        ("          sourceArn: acs", "          # sourceArn: acs", "sourceArn"),
        ("          invocationRole: acs", "          # invocationRole: acs", "invocationRole"),
        (EVENT, "- oss:ObjectCreated:*", r"events: oss:ObjectCreated:\*"),
        (EVENT, "- oss:ObjectCreated:UploadPartCopy", "events: oss:ObjectCreated:UploadPartCopy"),
        ("acs:fc:${vars.region}:", "acs:fc:cn-beijing:", "layers"),
        ("sourceArn: acs:oss:${vars.region}", "sourceArn: acs:oss:cn-beijing", "sourceArn"),
        (
            "sourceArn: acs:oss:${vars.region}:${vars.accountId}",
            "sourceArn: acs:oss:${vars.region}:1",
            "sourceArn",
        ),
        ("asyncTask: true", "asyncTask: false", "asyncTask"),
        ('"bucket": "${vars.destinationBucket}"', '"bucket": "${vars.sourceBucket}"', "COPY_RULES.*again"),
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
            "ALLOWED_DESTINATIONS: copies could overwrite the records",
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
        ("component: fc3", "component: fc4", "component"),
        ("MAX_PARALLEL: ", "MAX_PARALEL: ", "environmentVariables.MAX_PARALEL"),
    ],
)
def test_a_planted_mistake_is_refused_and_the_property_named(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    found = judge(changed(tmp_path, (old, new)))
    assert re.search(named, found), found or "nothing was found"


@pytest.mark.parametrize(("memory", "cpu"), [(128, 0.05), (128, 0.1), (2048, 0.5), (2048, 2), (32_768, 16)])
def test_the_cpu_that_would_fit_the_memory_does(tmp_path: Path, memory: int, cpu: float) -> None:
    path = changed(tmp_path, ("memorySize: 512", f"memorySize: {memory}"), ("cpu: 0.35", f"cpu: {cpu}"))
    assert judge(path) == ""
    assert {function.cpu for function in load(path).functions} == {cpu}


REPORTED = "functions/${resources.oss_copy_dropped.props.functionName}"


def test_a_second_function_is_judged_like_the_first(tmp_path: Path) -> None:
    path = changed(tmp_path, ("functionName}-dropped\n", "functionName} dropped\n"))
    assert "oss_copy_dropped" in judge(path)
    text = GENUINE.read_text(encoding="utf-8")
    config = text[text.rindex("      asyncInvokeConfig:") : text.rindex("reservedConcurrency: 1")]
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


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = judge(
        changed(tmp_path, ("asyncTask: true", "asyncTask: false"), (EVENT, "- oss:ObjectCreated:*"))
    )
    assert len(found.splitlines()) == 2


# --- what FC's SDK knows ---


def _props() -> dict[str, Any]:
    deployment = load(GENUINE)
    return yaml.safe_load(yaml.safe_dump(dict(deployment.props["oss_copy"])))  # type: ignore[no-any-return]  # a copy


def test_fc_s_sdk_knows_every_property_that_would_be_sent() -> None:
    assert calls.unknown(_props()) == []


def _config(props: dict[str, Any], trigger: str) -> dict[str, Any]:
    (found,) = (each for each in props["triggers"] if each["triggerName"] == trigger)
    config: dict[str, Any] = found["triggerConfig"]
    return config


def test_a_property_that_fc_s_sdk_would_drop_is_named() -> None:
    props = _props()
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
