"""Policies on the running cloud: by the command line, by the admin API, and by RAM's own API."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fc2
import httpx
import oss2
import pytest
from alibabacloud_ram20150501 import models
from alibabacloud_ram20150501.client import Client
from alibabacloud_tea_openapi.utils_models import Config
from Tea.exceptions import TeaException

from tests.cloud.accounts import Credentials
from tests.cloud.client import ROOT, LocalCloud, sign_acs3
from tests.cloud.test_cloud import HANDLER, TEMPLATE

ARN = "acs:fc:cn-hangzhou:1234567890123456:functions/fn"


def policy(action: str, resource: str = "*") -> dict[str, Any]:
    return {"Version": "1", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}


NOTHING = policy("oss:GetObject", "acs:oss:*:*:nothing/*")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("policies")
    (directory / "code").mkdir()
    (directory / "code" / "index.py").write_text(textwrap.dedent(HANDLER), encoding="utf-8")
    (directory / "s.yaml").write_text(TEMPLATE, encoding="utf-8")
    return directory / "s.yaml"


@pytest.fixture(scope="module")
def cloud(template: Path) -> Iterator[LocalCloud]:
    with LocalCloud(template=template) as running:
        yield running


@pytest.fixture
def role(cloud: LocalCloud) -> Iterator[Credentials]:
    """A role that is not the function's."""
    yield cloud.assume("visitor")
    cloud.set_policy("visitor", None)


def invoke(cloud: LocalCloud, who: Credentials, path: str = "/2023-03-30/functions/fn/invocations") -> int:
    """Invoke with an ACS3 signature; the status."""
    headers = sign_acs3("POST", cloud.fc + path, {}, b"{}", who)
    return httpx.post(cloud.fc + path, content=b"{}", headers=headers).status_code


def test_an_invocation_needs_its_action_on_its_function(cloud: LocalCloud, role: Credentials) -> None:
    assert invoke(cloud, role) == 200
    for allowed, status in (
        (NOTHING, 403),
        (policy("fc:InvokeFunction", ARN), 200),
        (policy("fc:InvokeFunction", ARN + "-2"), 403),
        (policy("fc:GetFunction", ARN), 403),
    ):
        cloud.set_policy("visitor", allowed)
        assert invoke(cloud, role) == status, allowed


def test_on_fc_2_the_function_is_named_with_its_service(cloud: LocalCloud, role: Credentials) -> None:
    path = "/2016-08-15/services/any/functions/fn/invocations"
    cloud.set_policy("visitor", policy("fc:InvokeFunction", ARN))
    assert invoke(cloud, role, path) == 403
    cloud.set_policy(
        "visitor", policy("fc:InvokeFunction", ARN.replace("functions/", "services/any*/functions/"))
    )
    assert invoke(cloud, role, path) == 200


def test_a_refused_invocation_says_what_was_missing_and_never_runs(
    cloud: LocalCloud, role: Credentials
) -> None:
    cloud.set_policy("visitor", NOTHING)
    before = len(cloud.invocations())
    with pytest.raises(fc2.FcError) as caught:
        cloud.fc_client(role).invoke_function("any", "fn", b"{}", {"x-fc-invocation-type": "Async"})
    assert (caught.value.status_code, caught.value.err_code) == (403, "AccessDenied")
    assert "fc:InvokeFunction" in str(caught.value.message)
    assert len(cloud.invocations()) == before


def test_who_signs_for_an_http_trigger_must_be_allowed_to_invoke(
    cloud: LocalCloud, role: Credentials
) -> None:
    url = cloud.http_trigger + "/x"
    for allowed, status in ((NOTHING, 403), (policy("fc:InvokeFunction", ARN), 200)):
        cloud.set_policy("visitor", allowed)
        headers = sign_acs3("POST", url, {}, b"{}", role)
        assert httpx.post(url, content=b"{}", headers=headers).status_code == status


def test_oss_invokes_with_the_role_of_its_trigger(cloud: LocalCloud) -> None:
    begun = len(cloud.invocations(trigger="objects"))
    for allowed, fired in ((NOTHING, 0), (policy("fc:InvokeFunction", ARN), 1), (None, 2)):
        cloud.set_policy("notify", allowed)
        cloud.oss_bucket("src").put_object("in/a", b"1")
        cloud.wait_idle()
        assert len(cloud.invocations(trigger="objects")) - begun == fired


def test_tasks_have_actions_of_their_own(cloud: LocalCloud, role: Credentials) -> None:
    cloud.invoke_async({}, task_id="t-1")
    cloud.wait_idle()
    base = "/2023-03-30/functions/fn/async-tasks"
    for method, path, action, of in (
        ("GET", base, "fc:ListAsyncTasks", "*"),
        ("GET", base + "/t-1", "fc:GetAsyncTask", "t-1"),
        ("PUT", base + "/t-1/stop", "fc:StopAsyncTask", "t-1"),
    ):
        resource = f"{ARN}/async-tasks/{of}"
        for allowed, status in ((policy(action, ARN), 403), (policy(action, resource), 200)):
            cloud.set_policy("visitor", allowed)
            headers = sign_acs3(method, cloud.fc + path, {}, b"", role)
            assert httpx.request(method, cloud.fc + path, headers=headers).status_code == status, path


def test_the_owner_may_do_everything(cloud: LocalCloud) -> None:
    cloud.set_policy("visitor", NOTHING)
    assert invoke(cloud, cloud.owner) == 200


def test_a_policy_file_counts_from_the_start(template: Path, tmp_path: Path) -> None:
    (tmp_path / "plain.json").write_text(json.dumps(NOTHING), encoding="utf-8")
    (tmp_path / "made.json").write_text(json.dumps({"role": "other", "policy": NOTHING}), encoding="utf-8")
    arguments = [f"--policy=fn={tmp_path}/plain.json", f"--policy=other={tmp_path}/made.json"]
    with LocalCloud(template=template, arguments=arguments) as cloud:
        cloud.oss_bucket("src").put_object("a", b"bytes")
        with pytest.raises(fc2.FcError, match="You have no right to access this object"):
            cloud.invoke({"copy": "a"})
        with pytest.raises(oss2.exceptions.AccessDenied):
            cloud.oss_bucket("src", cloud.assume("other")).get_object("a")
        cloud.set_policy("fn", policy("oss:*"))
        cloud.invoke({"copy": "a"})


@pytest.mark.parametrize("content", ["{", '{"Version": "1"}', "[]"])
def test_a_bad_policy_file_is_named_and_exits_with_2(template: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.json").write_text(content, encoding="utf-8")
    command = [sys.executable, "-m", "tests.cloud", "--template", str(template)]
    command.append(f"--policy=fn={tmp_path}/bad.json")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert done.returncode == 2
    assert b"bad.json" in done.stderr


def test_a_bad_policy_is_refused_and_changes_nothing(cloud: LocalCloud, role: Credentials) -> None:
    cloud.set_policy("visitor", NOTHING)
    condition = {"Bool": {"acs:SecureTransport": "true"}}
    wrong = {"Version": "1", "Statement": [{**policy("*")["Statement"][0], "Condition": condition}]}
    with pytest.raises(RuntimeError, match=r"400.*Condition"):
        cloud.set_policy("visitor", wrong)
    assert invoke(cloud, role) == 403


# --- RAM's own API -----------------------------------------------------------------------------------------


@pytest.fixture
def ram(cloud: LocalCloud) -> Any:
    return client(cloud, cloud.owner)


def client(cloud: LocalCloud, who: Credentials) -> Any:
    return Client(
        Config(
            access_key_id=who.access_key_id,
            access_key_secret=who.access_key_secret,
            security_token=who.security_token,
            endpoint=cloud.admin.removeprefix("http://"),
            protocol="http",
            region_id="cn-hangzhou",
        )
    )


def trust(service: str = "fc.aliyuncs.com") -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": [service]}}
    return json.dumps({"Version": "1", "Statement": [statement]})


def make_role(ram: Any, name: str, document: str = "") -> Any:
    return ram.create_role(
        models.CreateRoleRequest(role_name=name, assume_role_policy_document=document or trust())
    )


def make_policy(ram: Any, name: str, document: object) -> Any:
    text = document if isinstance(document, str) else json.dumps(document)
    return ram.create_policy(models.CreatePolicyRequest(policy_name=name, policy_document=text))


def attachment(kind: type[Any], role: str, name: str) -> Any:
    return kind(role_name=role, policy_type="Custom", policy_name=name)


def test_a_role_made_there_may_do_what_is_attached_to_it(cloud: LocalCloud, ram: Any) -> None:
    make_role(ram, "Made")
    made = cloud.assume("made")
    assert invoke(cloud, made) == 403
    make_policy(ram, "may-invoke", policy("fc:InvokeFunction", ARN))
    ram.attach_policy_to_role(attachment(models.AttachPolicyToRoleRequest, "Made", "may-invoke"))
    assert invoke(cloud, made) == 200
    ram.create_policy_version(
        models.CreatePolicyVersionRequest(
            policy_name="may-invoke", policy_document=json.dumps(NOTHING), set_as_default=True
        )
    )
    assert invoke(cloud, made) == 403
    ram.detach_policy_from_role(attachment(models.DetachPolicyFromRoleRequest, "Made", "may-invoke"))
    (answer,) = (ram.list_policies_for_role(models.ListPoliciesForRoleRequest(role_name="Made")).body,)
    assert answer.policies.policy == []


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda ram: ram.get_role(models.GetRoleRequest(role_name="nobody")), "EntityNotExist.Role"),
        (lambda ram: ram.get_role(models.GetRoleRequest()), "MissingRoleName"),
        (
            lambda ram: ram.get_policy(models.GetPolicyRequest(policy_name="none", policy_type="Custom")),
            "EntityNotExist.Policy",
        ),
        (lambda ram: [make_role(ram, "twice"), make_role(ram, "TWICE")], "EntityAlreadyExists.Role"),
        (
            lambda ram: [make_policy(ram, "twice", NOTHING), make_policy(ram, "twice", NOTHING)],
            "EntityAlreadyExists.Policy",
        ),
        (lambda ram: make_policy(ram, "bad", "{}"), "MalformedPolicyDocument"),
        (lambda ram: make_policy(ram, "long", " " * 6145), "InvalidParameter.PolicyDocument.Length"),
        (lambda ram: make_role(ram, "bad", json.dumps(NOTHING)), "MalformedPolicyDocument"),
        (lambda ram: ram.list_users(models.ListUsersRequest()), "InvalidAction.NotFound"),
    ],
)
def test_what_ram_refuses_is_refused_with_its_code(ram: Any, act: Any, code: str) -> None:
    with pytest.raises(TeaException) as caught:
        act(ram)
    assert caught.value.code == code


def test_a_sixth_version_needs_the_oldest_to_go(ram: Any) -> None:
    make_policy(ram, "renewed", NOTHING)
    asked = models.CreatePolicyVersionRequest(policy_name="renewed", policy_document=json.dumps(NOTHING))
    for _ in range(4):
        ram.create_policy_version(asked)
    with pytest.raises(TeaException) as caught:
        ram.create_policy_version(asked)
    assert caught.value.code == "LimitExceeded.Policy.Version"
    asked.rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded"
    assert ram.create_policy_version(asked).body.policy_version.version_id == "v6"


def test_ram_asks_for_a_policy_of_who_asks(cloud: LocalCloud, role: Credentials) -> None:
    cloud.set_policy("visitor", policy("ram:CreateRole", "acs:ram:*:1234567890123456:role/mine-*"))
    make_role(client(cloud, role), "mine-1")
    with pytest.raises(TeaException) as caught:
        make_role(client(cloud, role), "other")
    assert caught.value.code == "NoPermission"
    assert "acs:ram:*:1234567890123456:role/other" in caught.value.message


def test_who_has_not_signed_is_refused(cloud: LocalCloud) -> None:
    headers = {"x-acs-action": "GetRole", "x-acs-version": "2015-05-01"}
    assert httpx.post(cloud.admin + "/?RoleName=x", headers=headers).status_code == 400
    forged = Credentials(cloud.owner.access_key_id, "wrong", "")
    with pytest.raises(TeaException) as caught:
        make_role(client(cloud, forged), "x")
    assert caught.value.code == "SignatureDoesNotMatch"
