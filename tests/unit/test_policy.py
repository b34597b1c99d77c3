"""The generated policies, as values: from the template, up to date, least power."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from functions.cli import rights
from functions.cli.__main__ import main
from functions.cli.commands.deployment import policy
from functions.cli.errors import Status
from functions.cli.rights import Grant, Reach, reach
from functions.cli.template import ROOT

TEMPLATE = ROOT / "s.yaml"


def resources(grants: tuple[rights.Grant, ...], name: str) -> tuple[str, ...]:
    (found,) = (each.resources for each in grants if each.name == name)
    return found


def changed(directory: Path, **environment: str) -> Path:
    """The template with other environment variables."""
    template = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    template["resources"]["oss_copy"]["props"]["environmentVariables"] |= environment
    path = directory / "s.yaml"
    path.write_text(yaml.safe_dump(template), encoding="utf-8")
    return path


def test_the_committed_document_is_what_the_command_writes() -> None:
    assert policy.DOCUMENT.read_text(encoding="utf-8") == rights.rendered(reach.read())


def test_vars_given_on_the_command_line_replace_those_of_the_template() -> None:
    given = {
        "region": "cn-beijing",
        "accountId": '"42"',
        "functionName": "mover",
        "sourceBucket": "from",
        "destinationBucket": "into",
        "stateBucket": "notes",
    }
    text = rights.rendered(reach.read(TEMPLATE, given))
    assert "acs:fc:cn-beijing:42:functions/mover" in text
    assert "acs:oss:*:*:notes/oss-copy/*" in text
    for default in (
        "oss-copy-source",
        "oss-copy-destination",
        "oss-copy-state",
        "cn-hangzhou",
        "1234567890123456",
    ):
        assert default not in text


def test_the_account_may_be_the_environments_and_names_may_be_anywhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--deployer", "--var", "accountId=${config('AccountID')}"]
    arguments += ["--var", "stateBucket=${env('STATE', 'notes')}"]
    monkeypatch.delenv("AccountID", raising=False)
    assert main(["policy", *arguments]) == 1
    assert "set the environment variable AccountID" in capsys.readouterr().err
    monkeypatch.setenv("AccountID", "42")
    assert main(["policy", *arguments]) == 0
    printed = capsys.readouterr().out
    assert "acs:fc:cn-hangzhou:42:functions/oss-copy-dropped/*" in printed
    assert "acs:oss:*:*:notes/oss-copy/*" in printed
    assert "1234567890123456" not in printed


@pytest.mark.parametrize(("command", "code"), [(["policy", "--deployer"], 0), (["setup"], Status.DENIED)])
def test_a_token_in_a_file_beside_the_template_is_known(
    command: list[str],
    code: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("API_TOKEN", "ALIBABA_CLOUD_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    path = changed(tmp_path, API_TOKEN="${env('API_TOKEN')}")
    arguments = [*command, "--template", str(path)]
    assert main(arguments) == 1
    assert "API_TOKEN is not set: export it, or write API_TOKEN=" in capsys.readouterr().err
    (tmp_path / ".env").write_text("API_TOKEN='0123456789abcdef'\n", encoding="utf-8")
    assert main(arguments) == code
    said = capsys.readouterr()
    assert "0123456789abcdef" not in said.out + said.err
    assert code == 0 or "no credentials" in said.err, "that is the next thing it needs"


def test_rights_go_no_further_than_the_allow_lists(tmp_path: Path) -> None:
    path = changed(
        tmp_path, ALLOWED_SOURCES="aaa/in/*,bbb/one.bin", ALLOWED_DESTINATIONS="ccc/out/*,ccc/more/*"
    )
    grants = rights.function_grants(reach.read(path))
    assert resources(grants, "source") == ("acs:oss:*:*:aaa/in/*", "acs:oss:*:*:bbb/one.bin")
    assert resources(grants, "destination") == ("acs:oss:*:*:ccc/out/*", "acs:oss:*:*:ccc/more/*")
    assert resources(grants, "uploads") == ("acs:oss:*:*:ccc",)


def test_rules_in_an_object_may_be_read_and_nothing_else_beside_it(tmp_path: Path) -> None:
    path = changed(tmp_path, COPY_RULES="oss://oss-copy-state/rules.json")
    grants = rights.function_grants(reach.read(path))
    assert resources(grants, "rules") == ("acs:oss:*:*:oss-copy-state/rules.json",)


@pytest.mark.parametrize("part", rights.OPTIONAL)
def test_optional_power_is_left_out_unless_asked_for(part: str) -> None:
    to = reach.read()
    more = {each.name for each in rights.function_grants(to, [part])}
    assert more - {each.name for each in rights.function_grants(to)} == {part}


def test_no_grant_has_a_wildcard_for_an_action_or_for_a_bucket() -> None:
    to = reach.read()
    for grant in rights.function_grants(to, rights.OPTIONAL):
        assert not any("*" in action for action in grant.actions), grant
        assert "*" not in grant.resources, grant
        assert not any(each.startswith("acs:oss:*:*:*") for each in grant.resources), grant


def test_documents_fit_into_a_custom_policy_of_ram() -> None:
    to = reach.read()
    functions = rights.function_grants(to, rights.OPTIONAL)
    for grants in (functions, rights.setup_grants(to), rights.deployer_grants(to)):
        assert len(json.dumps(rights.document(grants))) <= 6144


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["--var", "nothing=1"], "no var nothing"),
        (["--template", "README.md"], "README.md: "),
        (["--var", "stateBucket=Bad_Name"], "STATE_BUCKET"),
        (
            ["--var", "accountId=x"],
            "resources.oss_copy_dropped.props.role: 'acs:ram::x:role/oss-copy-dropped' is not of the form",
        ),
    ],
)
def test_what_cannot_be_read_is_named_and_nothing_is_written(
    arguments: list[str], wrong: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["policy", *arguments, "--output", str(tmp_path / "out.json")]) == 1
    assert wrong in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("option", "grants"), [("--setup", rights.setup_grants), ("--deployer", rights.deployer_grants)]
)
def test_the_policies_of_people_are_printed(
    capsys: pytest.CaptureFixture[str], option: str, grants: Callable[[Reach], tuple[Grant, ...]]
) -> None:
    assert main(["policy", option]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == rights.document(grants(reach.read()))


def test_who_deploys_makes_no_roles_no_policies_and_no_buckets() -> None:
    deploying = {action for grant in rights.deployer_grants(reach.read()) for action in grant.actions}
    assert {each for each in deploying if each.startswith("ram:")} == {"ram:PassRole"}
    assert not deploying & {"oss:PutBucket", "oss:PutBucketLifecycle", "oss:PutObject"}
