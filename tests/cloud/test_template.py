"""s.yaml is read as the `s` tool reads it, and more strictly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from functions.cli import template
from functions.cli.errors import TemplateError
from functions.cli.template import Deployment
from functions.cli.template.props import OssTrigger, TimerTrigger

TEMPLATE = """
edition: 3.0.0
name: app
access: default
vars:
  region: cn-hangzhou
  name: fn
  full: ${vars.name}-${vars.region}
  timeout: 30
  enabled: true
  sourceBucket: src
  copyBucket: ${env('COPY_BUCKET', 'dst')}
  accountId: ${config('AccountID')}
resources:
  fn:
    component: fc3
    props:
      functionName: ${vars.full}
      region: ${vars.region}
      runtime: python3.12
      handler: index.handler
      code: ./code
      timeout: ${vars.timeout}
      environmentVariables:
        WHERE: "oss://${vars.sourceBucket}/x"
        SELF: ${this.props.handler}
        SECRET: ${env('SECRET')}
      triggers:
        - triggerName: t
          triggerType: timer
          triggerConfig: {cronExpression: "@every 5m", enable: "${vars.enabled}"}
        - triggerName: o
          triggerType: oss
          sourceArn: acs:oss:${vars.region}:${vars.accountId}:${vars.sourceBucket}
          invocationRole: acs:ram::${vars.accountId}:role/x
          triggerConfig:
            events: [oss:ObjectCreated:PutObject]
            filter: {key: {prefix: "", suffix: ""}}
"""


def _load(
    tmp_path: Path,
    text: str = TEMPLATE,
    variables: dict[str, str] | None = None,
    environment: dict[str, str] | None = None,
    process: dict[str, str] | None = None,
) -> Deployment:
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return template.load(
        path,
        new_vars=variables or {},
        extra_variables=environment or {},
        s_config={"AccountID": "42"},
        shell={"SECRET": "s"} if process is None else process,
    )


def test_references_are_resolved_also_inside_vars(tmp_path: Path) -> None:
    function = _load(tmp_path).functions[0]
    assert function.function_name == "fn-cn-hangzhou"
    assert function.environment_variables == {
        "WHERE": "oss://src/x",
        "SELF": "index.handler",
        "SECRET": "s",
    }
    assert isinstance(function.triggers[1], OssTrigger)
    assert function.triggers[1].source_arn == "acs:oss:cn-hangzhou:42:src"


def test_a_value_that_is_one_reference_keeps_its_type(tmp_path: Path) -> None:
    function = _load(tmp_path).functions[0]
    assert function.timeout == 30
    assert isinstance(function.triggers[0], TimerTrigger)
    assert function.triggers[0].trigger_config.enable is True


def test_a_var_given_on_the_command_line_is_yaml(tmp_path: Path) -> None:
    assert _load(tmp_path, variables={"timeout": "5", "name": "other"}).functions[0].timeout == 5
    with pytest.raises(TemplateError, match="timeout"):
        _load(tmp_path, variables={"timeout": '"5"'})


@pytest.mark.parametrize(
    "text", ["@every 1m", "*x", "%x", "`x`", "[", "[]", '{"a": 1}', "", "2026", "true", "a: b"]
)
def test_a_var_that_is_text_takes_what_is_no_text_in_yaml_as_it_is(tmp_path: Path, text: str) -> None:
    assert _load(tmp_path, variables={"copyBucket": text}).vars["copyBucket"] == text


@pytest.mark.parametrize("text", ["@every 1m", "[]", ""])
def test_a_var_in_the_quotes_of_json_is_what_they_hold(tmp_path: Path, text: str) -> None:
    assert _load(tmp_path, variables={"copyBucket": json.dumps(text)}).vars["copyBucket"] == text


@pytest.mark.parametrize(
    "text", ["@every 1m", "[", "", "2026-99-99", "&a [*a]", "[" * 5000, "${vars.timeout}"]
)
def test_a_var_that_fits_nowhere_is_a_mistake_of_the_template(tmp_path: Path, text: str) -> None:
    with pytest.raises(TemplateError):
        _load(tmp_path, variables={"timeout": text})


def test_a_var_that_is_not_there_cannot_be_overridden(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="timeuot"):
        _load(tmp_path, variables={"timeuot": "5"})


def test_environment_given_on_the_command_line_wins(tmp_path: Path) -> None:
    function = _load(tmp_path, environment={"SELF": "me", "NEW": "1"}).functions[0]
    assert function.environment_variables["SELF"] == "me"
    assert function.environment_variables["NEW"] == "1"


def test_variables_come_from_a_file_beside_the_template_unless_they_are_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRET=of a file\nCOPY_BUCKET=from-file\n", encoding="utf-8")
    for given, secret in (({}, "of a file"), ({"SECRET": "set"}, "set")):
        loaded = _load(tmp_path, process=given)
        assert loaded.functions[0].environment_variables["SECRET"] == secret
        assert loaded.vars["copyBucket"] == "from-file"
        assert loaded.asked == {"SECRET", "COPY_BUCKET"}


def test_every_var_whose_name_ends_in_bucket_is_a_bucket(tmp_path: Path) -> None:
    assert _load(tmp_path).buckets == ("src", "dst")
    assert _load(tmp_path, process={"SECRET": "s", "COPY_BUCKET": "src"}).buckets == ("src",)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("${vars.full}", "${vars.ful}", "vars.ful"),
        ("${vars.full}", "${region}", "region"),
        ("${config('AccountID')}", "${config('AccountId')}", "AccountId"),
        ("${env('SECRET')}", "${env('NO_SUCH')}", r"s\.yaml:27: .*SECRET: environment variable NO_SUCH"),
        ("${env('SECRET')}", "${env(SECRET)}", "SECRET"),
        ("${env('SECRET')}", "${file('x')}", "file"),
        ("full: ${vars.name}-", "full: ${vars.full}-", "circle"),
        ("      timeout:", "      timout:", "timout"),
        ("enable:", "enabel:", "enabel"),
        ('suffix: ""', 'sufix: ""', "sufix"),
        ("oss:ObjectCreated:PutObject", "oss:ObjectCreated:Put", "oss:ObjectCreated:Put"),
        ("triggerType: timer", "triggerType: tmer", "tmer"),
        ("python3.12", "python3.11", "python3.11"),
        ('WHERE: "oss', 'FC_WHERE: "oss', "FC_WHERE"),
        ("WHERE: ", "WHERE: 1\n        X: ", "environmentVariables"),
        ("WHERE: ", f"BIG: {'x' * 4096}\n        WHERE: ", "4096"),
        ("edition: 3.0.0", "edition: 1.0.0", "edition"),
        ("component: fc3", "component: fc", "fc3"),
        ("          invocationRole: acs:ram::${vars.accountId}:role/x\n", "", "invocationRole"),
        ("      handler: index.handler\n", "", "handler"),
        ("timeout: 30", "timeout: 90000", "timeout"),
    ],
)
def test_what_cannot_be_deployed_is_refused_by_name(tmp_path: Path, old: str, new: str, named: str) -> None:
    assert old in TEMPLATE
    with pytest.raises(TemplateError, match=named):
        _load(tmp_path, TEMPLATE.replace(old, new))


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"absent\.yaml"):
        template.load(tmp_path / "absent.yaml", new_vars={}, extra_variables={}, s_config={}, shell={})
