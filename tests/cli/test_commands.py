"""The deployer's commands as programs of their own: on the local cloud, with an `s` that notes its calls."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alibabacloud_fc20230330 import models

from functions.cli.account.credentials import TOOL_KEY
from functions.cli.errors import Status
from functions.cli.template import LAYER
from tests.cli.conftest import ACCOUNT, OWN, changed
from tests.cli.deployer import Deployer
from tests.cloud.client import ROOT, LocalCloud

SOURCE, DESTINATION, STATE = "oss-copy-source", "oss-copy-destination", "oss-copy-state"
MIB = 1 << 20
TOKEN = "a-token-of-some-length"


# --- deploy ---


def test_a_layer_is_published_once_for_each_content_and_handed_to_the_template(
    acting: Deployer, shared_account: LocalCloud, own: Path
) -> None:
    acting.build(b"new")
    first = acting.run("deploy", template=own)
    assert first.returncode == 0, first.stdout + first.stderr
    again = acting.run("deploy", "--", "--debug", template=own)
    assert again.returncode == 0, again.stderr
    acting.build(b"other")
    assert acting.run("deploy", template=own).returncode == 0
    versions = [int(note["OSS_COPY_LAYER_VERSION"]) for note in acting.notes()]
    assert versions == [versions[0], versions[0], versions[0] + 1]
    call, key = ["deploy", "-y", "-t", str(own)], ["-a", TOOL_KEY]
    assert [note["arguments"] for note in acting.notes()] == [
        [*call, *key],
        [*call, "--debug", *key],
        [*call, *key],
    ]
    assert "holds the same already" in again.stdout
    published = (
        shared_account.control().list_layer_versions(LAYER, models.ListLayerVersionsRequest()).body.layers
    )
    assert max(each.version for each in published) == versions[-1]
    assert published[-1].compatible_runtime == ["python3.12"]


def test_a_layer_with_the_same_checksum_that_somebody_else_published_is_not_taken(
    acting: Deployer, shared_account: LocalCloud, own: Path
) -> None:
    content = (acting.layers / "sdk-3.12.zip").read_bytes()
    code = models.InputCodeLocation(zip_file=base64.b64encode(content).decode())
    for description in ("Dependencies of oss-copy", f"SHA-256 {'0' * 64}"):
        given = models.CreateLayerVersionInput(
            code=code, compatible_runtime=["python3.12"], description=description
        )
        request = models.CreateLayerVersionRequest(body=given)
        theirs = shared_account.control().create_layer_version(LAYER, request).body
        done = acting.run("deploy", template=own)
        assert done.returncode == 0, done.stdout + done.stderr
        assert int(acting.notes()[-1]["OSS_COPY_LAYER_VERSION"]) == theirs.version + 1


def test_the_tool_gets_the_credentials_and_its_exit_code_counts(
    deployer: Deployer, cloud: LocalCloud, own: Path
) -> None:
    deployer.environment["EXIT_CODE"] = "7"
    assert deployer.run("deploy", template=own).returncode == 7
    (note,) = deployer.notes()
    assert note["key"] == {
        "AccountID": cloud.account_id,
        "AccessKeyID": cloud.owner.access_key_id,
        "AccessKeySecret": cloud.owner.access_key_secret,
    }


def test_the_tool_gets_a_temporary_token_and_nothing_that_would_come_before_it(
    deployer: Deployer, cloud: LocalCloud, own: Path
) -> None:
    who = cloud.assume("deployer")
    deployer.be(who)
    deployer.environment |= {"AccessKeyID": "other", "AccessKeySecret": "other", "EXIT_CODE": "7"}
    done = deployer.run("deploy", template=own)
    (note,) = deployer.notes()
    assert note["key"]["SecurityToken"] == who.security_token
    assert (note["AccessKeyID"], note["AccessKeySecret"], note["SecurityToken"]) == (None, None, None)
    said = [*note["arguments"], done.stdout, done.stderr]
    assert not any(secret in text for secret in (who.access_key_secret, who.security_token) for text in said)


def test_credentials_for_the_tool_in_a_file_are_refused(deployer: Deployer, own: Path) -> None:
    (own.parent / ".env").write_text("AccessKeyID=x\nAccessKeySecret=y\n", encoding="utf-8")
    refused = deployer.run("deploy", template=own)
    assert (refused.returncode, deployer.notes()) == (1, [])
    assert ".env sets AccessKeyID, AccessKeySecret, which only `s` reads" in refused.stderr


@pytest.mark.parametrize("name", ["OSS_ENDPOINT", "FC_CLIENT_CUSTOM_ENDPOINT"])
def test_nothing_is_signed_for_an_endpoint_that_is_not_encrypted(
    deployer: Deployer, own: Path, name: str
) -> None:
    del deployer.environment[name]
    (own.parent / ".env").write_text(f"{name}=http://example.com\n", encoding="utf-8")
    refused = deployer.run("deploy", template=own)
    assert (refused.returncode, deployer.notes()) == (Status.DENIED, [])
    assert f"{name}: http://example.com is not https" in refused.stderr


def test_a_wrong_template_is_not_deployed(deployer: Deployer, tmp_path: Path) -> None:
    template = changed(tmp_path, ("asyncTask: true", "asyncTask: false"), *OWN)
    refused = deployer.run("deploy", template=template)
    assert refused.returncode == 1
    assert "asyncTask" in refused.stderr
    assert deployer.notes() == []


def test_the_template_as_it_is_shipped_is_judged_right_and_not_deployed(deployer: Deployer) -> None:
    refused = deployer.run("deploy")
    assert refused.returncode == 1
    told = [line.split(": ")[1:3] for line in refused.stderr.removeprefix("error: ").splitlines()]
    assert [place for place, *_ in told] == [
        "vars.accountId",
        "vars.sourceBucket",
        "vars.destinationBucket",
        "vars.stateBucket",
    ]
    assert deployer.notes() == []


# --- check ---

# An `s preview` that resolves references as we do, by its own environment.
PREVIEWING = f"""\
#!{sys.executable}
import json, os, sys
from functions.cli import template
from pathlib import Path
read = template.read(Path(sys.argv[3]), os.environ)
print(json.dumps({{"resources": {{name: {{"props": props}} for name, props in read.props.items()}}}}))
"""


@pytest.fixture
def judging(deployer: Deployer) -> Deployer:
    """A deployer without an account, whose `s` resolves references as we do."""
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        del deployer.environment[name]
    assert deployer.tool is not None
    path = f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'functions/oss_copy')]!r}\n"
    deployer.tool.write_text(PREVIEWING.replace("import json", f"{path}import json", 1), encoding="utf-8")
    return deployer


def test_a_right_template_is_called_right_and_placeholders_are_warned_of(judging: Deployer) -> None:
    done = judging.run("template")
    assert done.returncode == 0, done.stderr
    assert "s.yaml: 3 resource(s) right" in done.stdout
    assert "warning: s.yaml:9: vars.accountId: 1234567890123456 is what s.yaml comes with" in done.stdout
    assert done.stdout.count("warning: ") == 4


def test_all_mistakes_are_told_at_once_with_their_lines_and_what_was_meant(
    judging: Deployer, tmp_path: Path
) -> None:
    template = changed(
        tmp_path,
        ("memorySize: ${", "memorysize: ${"),
        ("- oss:ObjectCreated:CompleteMultipartUpload\n", "\n"),
        ('MAX_PARALLEL: "256"', "MAX_PARALLEL: 256"),
        ("onFailure:", "onFailur:"),
        ("${vars.functionName}-dropped", "${vars.functonName}-dropped"),
        ("role/aliyunosseventnotificationrole", "role/mine"),
        ('timerSchedule: "0 0 2 * * *"', 'timerSchedule: "0 0 2 L * *"'),
        *OWN,
    )
    lines = template.read_text(encoding="utf-8").splitlines()
    refused = judging.run("template", template=template)
    assert refused.returncode == 1
    told = refused.stderr.removeprefix("error: ").splitlines()
    expected = [
        ("memorysize: ${", "props.memorysize: unknown property `memorysize`; did you mean memorySize?"),
        ("MAX_PARALLEL: 256", 'MAX_PARALLEL: 256 is no text: put it in quotes, MAX_PARALLEL: "256"'),
        (
            "functionName: ${vars.functonName}",
            "unknown reference ${vars.functonName}; did you mean functionName?",
        ),
        ("onFailur:", "onFailur: unknown property `onFailur`; did you mean onFailure?"),
        ("invocationRole:", "`oss-copy setup` makes no role mine"),
        ("events:", "it does not fire for ObjectCreated:CompleteMultipartUpload"),
        ("cronExpression: ${vars.timerSchedule}", "not 'L' (vars.timerSchedule is in line 23)"),
    ]
    numbers = [next(number for number, line in enumerate(lines, 1) if mark in line) for mark, _ in expected]
    assert len(told) == len(expected), refused.stderr
    for line, number, (_, words) in zip(told, numbers, expected, strict=True):
        assert line.strip().startswith(f"s.yaml:{number}: resources.oss_copy"), line
        assert words in line


# --- what is kept out of s.yaml ---

SECRET = ("LOG_LEVEL: INFO", "LOG_LEVEL: INFO\n        API_TOKEN: ${env('API_TOKEN')}")


def test_a_token_of_the_shell_or_of_a_file_beside_the_template_is_known_to_every_command(
    deployer: Deployer, tmp_path: Path
) -> None:
    template = changed(tmp_path, SECRET, *OWN)
    for command in (["deploy"], ["remove", "--confirm"], ["logs"]):
        refused = deployer.run(*command, template=template)
        assert refused.returncode == 1
        assert refused.stderr.count("API_TOKEN is not set") == 1, refused.stderr
    assert deployer.notes() == []
    (tmp_path / ".env").write_text(f"API_TOKEN='{TOKEN}'\n", encoding="utf-8")
    for command in (["logs"], ["invoke", '{"action": "sweep"}']):
        done = deployer.run(*command, template=template)
        assert done.returncode == 0, done.stderr
        assert TOKEN not in done.stdout + done.stderr


def test_a_template_with_a_token_is_judged_with_it(judging: Deployer, tmp_path: Path) -> None:
    template = changed(tmp_path, SECRET, *OWN)
    refused = judging.run("template", template=template)
    assert refused.returncode == 1
    assert re.match(r"error: s\.yaml:\d+: .*API_TOKEN: .*API_TOKEN is not set", refused.stderr)
    judging.environment["API_TOKEN"] = TOKEN
    done = judging.run("template", template=template)
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    del judging.environment["API_TOKEN"]
    (tmp_path / ".env").write_text(f"API_TOKEN={TOKEN}\n", encoding="utf-8")
    assert judging.run("template", template=template).returncode == 0


def test_variables_of_fc_itself_do_not_reach_the_tool(deployer: Deployer, own: Path) -> None:
    deployer.environment |= {"FC_REGION": "cn-hangzhou", "FC_GENERATE_PROJECT_NAME": "elsewhere"}
    assert deployer.run("logs", template=own).returncode == 0
    (note,) = deployer.notes()
    assert note["FC"] == {
        "FC_CLIENT_CUSTOM_ENDPOINT": deployer.environment["FC_CLIENT_CUSTOM_ENDPOINT"],
        "FC_REGION": "",
    }


@pytest.mark.parametrize("way", ["argument", "shell", "file"])
def test_the_tool_speaks_no_plain_http_to_fc_when_it_is_debugged(
    deployer: Deployer, own: Path, way: str
) -> None:
    del deployer.environment["FC_CLIENT_CUSTOM_ENDPOINT"]
    assert deployer.run("logs", template=own).returncode == 0
    if way == "shell":
        deployer.environment["DEBUG"] = "true"
    if way == "file":
        (own.parent / ".env").write_text("DEBUG=true\n", encoding="utf-8")
    further = ["--", "--debug"] if way == "argument" else []
    assert deployer.run("logs", *further, template=own).returncode == 0
    plain, debugged = (note["FC"].get("FC_CLIENT_CUSTOM_ENDPOINT") for note in deployer.notes())
    assert (plain, debugged) == (None, f"https://{ACCOUNT}.cn-hangzhou.fc.aliyuncs.com")


@pytest.mark.parametrize("command", [["deploy"], ["invoke", "{}"], ["put", "README.md", "oss://aaa/"]])
def test_without_credentials_nothing_is_begun(deployer: Deployer, command: list[str]) -> None:
    del deployer.environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
    refused = deployer.run(*command)
    assert refused.returncode == Status.DENIED
    assert "ALIBABA_CLOUD_ACCESS_KEY_SECRET" in refused.stderr
    assert deployer.notes() == []


def test_what_fc_says_of_a_layer_it_does_not_take_is_told(deployer: Deployer, own: Path) -> None:
    (deployer.layers / "sdk-3.12.zip").write_bytes(b"no archive")
    refused = deployer.run("deploy", template=own)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"error: layer {LAYER}: ")
    assert deployer.notes() == []


# --- remove ---


@pytest.fixture
def cloud_of_one_test() -> Iterator[LocalCloud]:
    variables = {"timeout": 5, "accountId": ACCOUNT}
    with LocalCloud(variables=variables, environment={"MULTIPART_THRESHOLD": "2MiB"}) as cloud:
        yield cloud


def test_the_function_is_removed_when_every_copy_is_over(
    tmp_path: Path, cloud_of_one_test: LocalCloud
) -> None:
    cloud = cloud_of_one_test
    deployer = Deployer(tmp_path, cloud).act()
    cloud.seed(SOURCE, "over", 3 * MIB, seed=1)
    request = {"source": {"bucket": SOURCE, "key": "over"}, "destination": {"bucket": DESTINATION}}
    job = cloud.http("POST", "/copies", json_body=request).json()["job"]
    cloud.wait_idle()
    assert cloud.oss_bucket(STATE).object_exists(f"oss-copy/open/{job}"), "the sweep has not been"
    done = deployer.run("remove")
    assert done.returncode == 0, done.stdout
    assert [note["arguments"][:2] for note in deployer.notes()] == [["remove", "-y"]]
    assert cloud.control().list_functions(models.ListFunctionsRequest()).body.functions == []


def test_what_is_under_way_is_told_and_keeps_the_function(
    tmp_path: Path, cloud_of_one_test: LocalCloud
) -> None:
    cloud = cloud_of_one_test
    deployer = Deployer(tmp_path, cloud).act()
    target, records = cloud.oss_bucket(DESTINATION), cloud.oss_bucket(STATE)
    upload = target.init_multipart_upload("large.bin").upload_id
    records.put_object("oss-copy/open/c-1", b"{}")
    try:
        refused = deployer.run("remove")
        assert (refused.returncode, deployer.notes()) == (Status.PARTLY, [])
        assert "c-1" in refused.stdout
        assert f"{DESTINATION}/large.bin" in refused.stdout
        assert "--confirm" in refused.stderr
        assert deployer.run("remove", "--confirm").returncode == 0
        assert len(deployer.notes()) == 1
    finally:
        target.abort_multipart_upload("large.bin", upload)
        records.delete_object("oss-copy/open/c-1")


# --- logs, invoke ---


def test_logs_concern_the_copying_function_alone(deployer: Deployer) -> None:
    for tail in (["--tail"], ["--", "--tail"]):
        assert deployer.run("logs", *tail).returncode == 0
    call = ["oss_copy", "logs", "--tail", "-t", str(ROOT / "s.yaml"), "-a", TOOL_KEY]
    assert [note["arguments"] for note in deployer.notes()] == [call, call]


def test_an_event_is_sent_byte_for_byte_and_the_answer_printed(
    deployer: Deployer, cloud: LocalCloud, tmp_path: Path
) -> None:
    event = '{"action":  "sweep"}\n'
    path = tmp_path / "event.json"
    path.write_text(event, encoding="utf-8")
    for given in (event, f"@{path}"):
        done = deployer.run("invoke", given)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["failed"] == 0
        assert cloud.invocations()[-1]["event"] == event
    queued = deployer.run("invoke", "--async", "--json", event)
    assert cloud.invocations(request_id=json.loads(queued.stdout)["requestId"])


@pytest.mark.parametrize("event", ["", "@no-such-file", "no JSON"])
def test_an_event_that_is_not_there_is_not_sent(deployer: Deployer, event: str) -> None:
    refused = deployer.run("invoke", event)
    assert refused.returncode == 2
    assert "error: " in refused.stderr


# --- copy ---


def test_a_chained_copy_is_followed_to_its_end_at_the_url_that_fc_tells(
    deployer: Deployer, cloud: LocalCloud
) -> None:
    cloud.seed(SOURCE, "large.bin", 20 * MIB, seed=1)
    cloud.conditions(bandwidth_mb_s=10.0)
    done = deployer.run("cp", f"oss://{SOURCE}/large.bin", f"oss://{DESTINATION}/a b/ü.bin", "--pause", "0.2")
    assert done.returncode == 0, done.stderr
    assert f"succeeded: oss://{DESTINATION}/a b/ü.bin, {20 * MIB} bytes, verified by crc64" in done.stdout
    assert "running, 0 B of 20.0 MiB" in done.stderr
    assert len(cloud.invocations(trigger="http")) > 2, "the copy was not followed"


def test_a_destination_without_a_key_keeps_the_source_s(deployer: Deployer, cloud: LocalCloud) -> None:
    cloud.oss_bucket(SOURCE).put_object("small", b"x")
    assert deployer.run("cp", f"oss://{SOURCE}/small", f"oss://{DESTINATION}").returncode == 0
    assert cloud.oss_bucket(DESTINATION).object_exists("small")


@pytest.mark.parametrize(
    ("source", "told", "code"),
    [
        (f"{SOURCE}/small", "oss://bucket/key", Status.USAGE),
        (f"oss://{SOURCE}/absent", "check bucket, key and versionId", Status.NO_OBJECT),
        (f"oss://{STATE}/small", "ALLOWED_SOURCES does not name oss://", Status.DENIED),
        (f"oss://{SOURCE}", "oss-copy sync", Status.USAGE),
    ],
)
def test_a_copy_that_cannot_be_made_ends_with_the_reason(
    deployer: Deployer, source: str, told: str, code: Status
) -> None:
    failed = deployer.run("cp", source, f"oss://{DESTINATION}/x")
    assert failed.returncode == code
    assert told in failed.stderr


@pytest.mark.parametrize("command", [["cp"], ["cp", f"oss://{SOURCE}/small"], ["cp", "", ""]])
def test_a_copy_without_source_or_destination_shows_how_to_ask(
    deployer: Deployer, command: list[str]
) -> None:
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        del deployer.environment[name]  # it needs no account for that
    refused = deployer.run(*command)
    assert refused.returncode == 2
    assert "--help" in refused.stderr or "oss://bucket/key" in refused.stderr
    assert refused.stdout == ""


def test_a_signature_that_does_not_pass_is_told_as_such(deployer: Deployer) -> None:
    deployer.environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "wrong"
    failed = deployer.run("cp", f"oss://{SOURCE}/x", f"oss://{DESTINATION}")
    assert failed.returncode == Status.DENIED
    assert "Signature" in failed.stderr


def test_what_is_throttled_or_lost_is_asked_for_again_and_copied_once(
    deployer: Deployer, cloud: LocalCloud
) -> None:
    cloud.oss_bucket(SOURCE).put_object("again", b"x")
    throttled = {"operation": "invocation", "error": "ServiceUnavailable", "limit": 1}
    cloud.conditions([throttled, {"operation": "invocation", "answer": "lost", "limit": 1}])
    copied = cloud.requests()["operations"].get("CopyObject", 0)
    done = deployer.run("cp", f"oss://{SOURCE}/again", f"oss://{DESTINATION}")
    assert done.returncode == 0, done.stderr
    results = [json.loads(json.loads(one["result"])["body"]) for one in cloud.invocations(trigger="http")]
    jobs = [each["job"] for each in results if each.get("source", {}).get("key") == "again"]
    assert len(jobs) == 2, "one answer was lost"
    assert len(set(jobs)) == 1, "it is the same copy"
    assert cloud.requests()["operations"]["CopyObject"] == copied + 1


def test_an_anonymous_trigger_is_asked_with_the_token(tmp_path: Path) -> None:
    variables, environment = {"httpAuthType": "anonymous"}, {"API_TOKEN": TOKEN}
    with LocalCloud(variables=variables, environment=environment) as cloud:
        cloud.oss_bucket(SOURCE).put_object("small", b"x")
        deployer = Deployer(tmp_path, cloud)
        command = ["cp", f"oss://{SOURCE}/small", f"oss://{DESTINATION}", "--url", cloud.http_trigger]
        assert deployer.run(*command).returncode == Status.DENIED
        deployer.environment["API_TOKEN"] = TOKEN
        done = deployer.run(*command)
        assert done.returncode == 0, done.stderr
        assert TOKEN not in done.stdout + done.stderr
        del deployer.environment["API_TOKEN"]
        (tmp_path / ".env").write_text(f"API_TOKEN={TOKEN}\n", encoding="utf-8")
        assert deployer.run(*command, template=changed(tmp_path)).returncode == 0
