"""The local cloud as a program: started, driven through the SDKs and the admin API, stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import oss2
import pytest
from alibabacloud_fc20230330.models import ListFunctionsRequest

from tests.cloud.client import ROOT, LocalCloud
from tests.cloud.request_log import Logged, RequestLog

DEADLINE = 60.0
HANDLER = """
    import json, os, time
    def handler(event, context):
        asked = json.loads(event or b"{}")
        if "sleep" in asked:
            time.sleep(asked["sleep"])
        if "copy" in asked:
            import oss2
            auth = oss2.StsAuth(*(os.environ[f"ALIBABA_CLOUD_{n}"] for n in
                ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN")), auth_version="v4")
            bucket = oss2.Bucket(auth, os.environ["OSS_ENDPOINT"], "dst", region=context.region)
            bucket.copy_object("src", asked["copy"], asked["copy"])
        return {"asked": asked, "A": os.environ.get("A"), "pid": os.getpid()}
"""
TEMPLATE = """
edition: 3.0.0
name: app
vars:
  timeout: 20
  sourceBucket: src
  destinationBucket: dst
resources:
  fn:
    component: fc3
    props:
      functionName: fn
      region: cn-hangzhou
      runtime: python3.12
      handler: index.handler
      code: code
      timeout: ${vars.timeout}
      role: acs:ram::1234567890123456:role/fn
      environmentVariables: {A: "1"}
      asyncInvokeConfig: {asyncTask: true, maxAsyncRetryAttempts: 1}
      triggers:
        - triggerName: web
          triggerType: http
          triggerConfig: {authType: function, methods: [POST]}
        - triggerName: tick
          triggerType: timer
          triggerConfig: {cronExpression: "0 0 4 * * *", enable: true, payload: "{}"}
        - triggerName: objects
          triggerType: oss
          sourceArn: acs:oss:cn-hangzhou:1234567890123456:src
          invocationRole: acs:ram::1234567890123456:role/notify
          triggerConfig:
            events: [oss:ObjectCreated:PutObject]
            filter: {key: {prefix: in/, suffix: ""}}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "index.py").write_text(textwrap.dedent(HANDLER), encoding="utf-8")
    (tmp_path / "s.yaml").write_text(TEMPLATE, encoding="utf-8")
    return tmp_path / "s.yaml"


@pytest.fixture
def cloud(template: Path) -> Iterator[LocalCloud]:
    with LocalCloud(template=template) as cloud:
        yield cloud


def test_one_line_says_where_everything_is(template: Path) -> None:
    command = [sys.executable, "-m", "tests.cloud", "--template", str(template)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        process.terminate()
        assert process.stdout.read() == b""
    assert process.returncode == 0
    assert set(ready) == {
        "oss",
        "fc",
        "http_trigger",
        "admin",
        "region",
        "account_id",
        "access_key_id",
        "access_key_secret",
        "function",
    }
    assert (ready["function"], ready["region"]) == ("fn", "cn-hangzhou")


def test_it_takes_less_than_a_second_and_a_half_of_computing_to_be_up(template: Path) -> None:
    with LocalCloud(template=template) as cloud:
        fields = Path(f"/proc/{cloud.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    ticks = sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime: other work on the machine is no part
    assert ticks / os.sysconf("SC_CLK_TCK") < 1.5


def test_a_template_that_cannot_be_deployed_is_named_and_exits_with_2(template: Path) -> None:
    command = [sys.executable, "-m", "tests.cloud", "--template", str(template), "--var", "nothing=1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=DEADLINE)
    assert done.returncode == 2
    assert done.stderr.decode().strip() == (
        "local cloud: s.yaml has no var nothing; it has timeout, sourceBucket, destinationBucket"
    )


def test_a_template_whose_triggers_conflict_is_not_deployed(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    trigger = text[text.index("        - triggerName: objects") :]
    template.write_text(text + trigger.replace("objects", "more").replace("in/", "in/a/"), encoding="utf-8")
    command = [sys.executable, "-m", "tests.cloud", "--template", str(template)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=DEADLINE)
    assert done.returncode == 2
    assert "overlap" in done.stderr.decode()


def test_a_bare_cloud_has_its_buckets_and_no_function() -> None:
    with LocalCloud(template=None, buckets=["one", "two"], arguments=["--region", "cn-beijing"]) as cloud:
        assert (cloud.function, cloud.region, bool(cloud.http_trigger)) == ("", "cn-beijing", False)
        for name in ("one", "two"):
            assert cloud.oss_bucket(name).get_bucket_info().location == "oss-cn-beijing"
        assert cloud.control().list_functions(ListFunctionsRequest()).body.functions == []


@pytest.mark.parametrize(
    "arguments",
    [["--bare", "--var", "a=1"], ["--bucket", "b"], ["--region", "cn-beijing"], ["--account", "1"]],
)
def test_options_of_a_template_and_of_none_are_kept_apart(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "tests.cloud", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=DEADLINE)
    assert done.returncode == 2
    assert b"--bare" in done.stderr


def test_a_port_that_is_taken_is_said_and_exits_with_2(template: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "tests.cloud", "--template", str(template), "--fc-port", port]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=DEADLINE)
    assert done.returncode == 2
    assert b"in use" in done.stderr


def test_variables_and_environment_reach_the_function(template: Path) -> None:
    with LocalCloud(template=template, variables={"timeout": 1}, environment={"A": "2"}) as cloud:
        assert cloud.invoke({})["A"] == "2"
        cloud.invoke_async({"sleep": 30})
        cloud.wait_idle(DEADLINE)
        assert cloud.invocations()[-1]["outcome"] == "timeout"


def test_the_account_is_that_of_the_templates_role(template: Path) -> None:
    account = "9999567890123456"
    template.write_text(TEMPLATE.replace("1234567890123456", account), encoding="utf-8")
    with LocalCloud(template=template) as cloud:
        cloud.oss_bucket("src").put_object("in/a", b"1")
        cloud.wait_idle(DEADLINE)
        assert cloud.account_id == account
        (invocation,) = cloud.invocations(trigger="objects")
        (event,) = json.loads(invocation["event"])["events"]
        assert event["userIdentity"]["principalId"] == account
        assert event["oss"]["bucket"]["arn"].split(":")[3] == account


def test_a_put_object_reaches_the_function_through_the_trigger(cloud: LocalCloud) -> None:
    cloud.oss_bucket("src").put_object("in/a", b"1")
    cloud.oss_bucket("src").put_object("other/a", b"1")
    cloud.wait_idle(DEADLINE)
    (invocation,) = cloud.invocations(trigger="objects")
    assert json.loads(invocation["event"])["events"][0]["oss"]["object"]["key"] == "in/a"
    assert invocation["outcome"] == "succeeded"


def test_a_seeded_object_fires_the_trigger_and_costs_nothing(cloud: LocalCloud) -> None:
    cloud.seed("src", "in/large", 10 << 30, seed=7)
    cloud.wait_idle(DEADLINE)
    assert len(cloud.invocations(trigger="objects")) == 1
    assert cloud.oss_bucket("src").head_object("in/large").content_length == 10 << 30


def test_the_function_works_on_oss_with_its_own_temporary_credentials(cloud: LocalCloud) -> None:
    cloud.oss_bucket("src").put_object("a", b"bytes")
    cloud.invoke({"copy": "a"})
    assert cloud.oss_bucket("dst").get_object("a").read() == b"bytes"
    counted = cloud.requests()
    assert counted["operations"]["CopyObject"] == 1
    assert cloud.invocations()[-1]["access_key_id"] in counted["connections_by_access_key"]


def test_the_log_tells_when_each_request_came_and_was_answered_and_who_asked(cloud: LocalCloud) -> None:
    cloud.oss_bucket("src").put_object("a", b"bytes")
    known = cloud.requests()["logged"]
    assert known == len(cloud.log())
    cloud.conditions(latency_ms=50)
    begun = time.time()
    cloud.invoke({"copy": "a"})
    logged = cloud.log(known)
    assert [each.operation for each in logged] == ["CopyObject"]
    assert (logged[0].bucket, logged[0].key, logged[0].status) == ("dst", "a", 200)
    assert logged[0].access_key_id == cloud.invocations()[-1]["access_key_id"]
    assert begun <= logged[0].begin <= logged[0].end - 0.05


def test_the_log_tells_of_requests_that_nobody_answered_and_of_refused_ones(cloud: LocalCloud) -> None:
    known = len(cloud.log())
    cloud.conditions([{"operation": "HeadObject", "answer": "reset", "limit": 1}])
    with pytest.raises(oss2.exceptions.OssError):
        cloud.oss_bucket("src").head_object("a")
    with pytest.raises(oss2.exceptions.NotFound):
        cloud.oss_bucket("src").head_object("nothing")
    assert [each.status for each in cloud.log(known)] == [0, 404]


def test_what_is_no_longer_in_the_log_is_not_left_out_silently() -> None:
    log = RequestLog(kept=2)
    for name in ("HeadObject", "CopyObject", "PutObject"):
        log.add(Logged(name, 0.0, 1.0))
    assert [each.operation for each in log.since(2)] == ["PutObject"]
    with pytest.raises(ValueError, match="the first 1 requests"):
        log.since(0)


def test_a_fault_of_oss_kills_the_instance_that_asked(cloud: LocalCloud) -> None:
    cloud.oss_bucket("src").put_object("a", b"bytes")
    cloud.conditions([{"operation": "CopyObject", "answer": "kill", "limit": 1}])
    cloud.invoke_async({"copy": "a"})
    cloud.wait_idle(DEADLINE)
    (invocation,) = cloud.invocations()
    assert [attempt["outcome"] for attempt in invocation["attempts"]] == ["killed", "succeeded"]


def test_http_is_signed_and_timers_are_fired(cloud: LocalCloud) -> None:
    assert cloud.http("POST", "/x?a=1&b=%20", json_body={}).status_code == 200
    assert cloud.http("POST", "/x", signed=False).status_code == 403
    request_id = cloud.fire("tick")
    cloud.wait_idle(DEADLINE)
    assert cloud.invocations(trigger="tick")[0]["request_id"] == request_id


def test_a_running_invocation_can_be_killed_by_its_request_id(cloud: LocalCloud) -> None:
    request_id = cloud.invoke_async({"sleep": 15}, task_id="t")
    _until(lambda: cloud.invocations()[0]["outcome"] == "running")
    assert cloud.kill(request_id)
    _until(lambda: cloud.invocations()[0]["attempts"])
    assert cloud.invocations()[0]["attempts"][0]["outcome"] == "killed"


def test_bad_conditions_are_refused_and_change_nothing(cloud: LocalCloud) -> None:
    with pytest.raises(RuntimeError, match="400"):
        cloud.conditions([{"operation": "CopyObject"}])
    with pytest.raises(RuntimeError, match="probabilty"):
        cloud.conditions([{"operation": "CopyObject", "error": "X", "probabilty": 1}])
    assert cloud.invoke({})["A"] == "1"


def test_what_the_admin_api_cannot_do_is_refused_by_field(cloud: LocalCloud) -> None:
    seed = {"bucket": "src", "key": "k", "size": 1}
    for method, path, body, field in (
        ("POST", "/seed", seed | {"bucket": "missing"}, "bucket"),
        ("POST", "/seed", seed | {"size": 1 << 60}, "size"),
        ("POST", "/seed", seed | {"size": 1 << 70}, "size"),
        ("POST", "/seed", seed | {"size": -1}, "size"),
        ("POST", "/seed", seed | {"seed": -1}, "seed"),
        ("POST", "/seed", seed | {"key": ""}, "key"),
        ("POST", "/seed", seed | {"key": "/k"}, "key"),
        ("POST", "/seed", seed | {"key": "x" * 2000}, "key"),
        ("POST", "/foreign", {"bucket": "No", "key": "k"}, "bucket"),
        ("POST", "/foreign", {"bucket": "other", "key": ""}, "key"),
        ("GET", "/invocations?since=x", None, "since"),
        ("GET", "/invocations?since=-1", None, "since"),
        ("GET", "/idle?timeout=x", None, "timeout"),
        ("PUT", "/conditions", {"latency_ms": -1}, "latency_ms"),
        ("PUT", "/conditions", {"bandwidth_mb_s": -1}, "bandwidth_mb_s"),
    ):
        answer = httpx.request(method, cloud.admin + path, json=body)
        assert 400 <= answer.status_code < 500, (path, body, answer.text)
        assert field in answer.text, (path, body, answer.text)
    assert cloud.stderr() == ""
    assert not cloud.oss_bucket("src").list_objects().object_list


def test_no_instance_outlives_a_cloud_that_is_stopped(cloud: LocalCloud) -> None:
    pids = [cloud.invoke({})["pid"]]
    cloud.invoke_async({"sleep": 15})
    _until(lambda: len(cloud.instances()) == 2 or cloud.instances()[0]["invocations"] == 2)
    pids += [instance["pid"] for instance in cloud.instances()]
    assert cloud.close() == 0
    assert not [pid for pid in pids if _alive(pid)]
    assert cloud.stderr() == ""


def test_no_instance_outlives_a_cloud_that_is_killed(cloud: LocalCloud) -> None:
    warm = cloud.invoke({})["pid"]
    os.kill(cloud.pid, signal.SIGKILL)
    _until(lambda: not _alive(warm))


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)
