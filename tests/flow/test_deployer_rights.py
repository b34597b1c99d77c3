"""The deployer's policy, proved: with it every command works, and a step needs each of its actions.

Setup's own actions are held by `test_setup.py`. Functions are deployed as the genuine component does it, by
`tests/cloud/fc/deployer.py`; the rest is the deployer's own code.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import fc2
import httpx
import pytest
from alibabacloud_fc20230330 import models
from darabonba.exceptions import DaraException

from functions.cli import rights
from functions.cli.__main__ import main
from functions.cli.account import layer, leftovers, review
from functions.cli.account.credentials import Account
from functions.cli.account.differences import Differs
from functions.cli.errors import DeployerError, ServiceRefused
from functions.cli.rights import Grant, reach
from functions.cli.service import functions, signing
from functions.cli.service.api import Api
from tests.cloud import ram
from tests.cloud.client import ROOT, LocalCloud
from tests.cloud.fc import component
from tests.cloud.fc.component import Deploy
from tests.cloud.fc.deployer import Deployer
from tests.cloud.fc.packages import pack, pack_code
from tests.flow.test_permissions import without
from tests.tours.rehearsal import read

TEMPLATE = ROOT / "s.yaml"
SOURCE, DESTINATION, STATE = "oss-copy-source", "oss-copy-destination", "oss-copy-state"
OPEN = "oss-copy/open/c-1"  # the record of a copy without a result
Step = Callable[["Desk"], None]


class Desk:
    """Where somebody sits who deploys s.yaml to an empty cloud, with the policy that is in force."""

    def __init__(self, cloud: LocalCloud, directory: Path) -> None:
        self.cloud, self._directory = cloud, directory
        self._numbers = itertools.count()
        self.deployment = read(TEMPLATE)
        self.grants = rights.deployer_grants(reach.read(TEMPLATE))
        self.wanted: tuple[Deploy, ...] = tuple(
            component.without_layers(component.requests(props, cloud.account_id))
            for props in self.deployment.props.values()
        )
        self.main = self.wanted[list(self.deployment.resources).index(self.deployment.main_resource)]
        self.allow(self.grants)
        self.who = cloud.assume("deployer")
        self.account = Account(
            self.who.access_key_id,
            self.who.access_key_secret,
            self.who.security_token,
            fc_endpoint=cloud.fc,
            oss_endpoint=cloud.oss,
        )
        self.deployer = self._deployer(self.account)
        owner = Account(cloud.owner.access_key_id, cloud.owner.access_key_secret, fc_endpoint=cloud.fc)
        self._owner = self._deployer(owner)

    def _deployer(self, account: Account) -> Deployer:
        cloud = self.cloud
        old = fc2.Client(
            endpoint=cloud.fc,
            accessKeyID=account.access_key_id,
            accessKeySecret=account.access_key_secret,
            securityToken=account.security_token or "",
        )
        client = account.fc(cloud.region, cloud.account_id)
        return Deployer(client, old, cloud.oss, cloud.region, cloud.account_id)

    def allow(self, grants: tuple[Grant, ...]) -> None:
        self.cloud.set_policy("deployer", rights.document(grants))

    def built_layer(self) -> Path:
        """An archive that no version of the layer holds."""
        content = self._directory / f"layer-{next(self._numbers)}"
        content.mkdir()
        (content / "x.py").write_text(content.name, encoding="utf-8")
        archive = content.with_suffix(".zip")
        archive.write_bytes(pack(content))
        return archive

    # --- what the owner does, so that a step finds what it starts from ---

    def empty(self) -> None:
        """No function."""
        there = self.cloud.control().list_functions(models.ListFunctionsRequest()).body.functions
        for each in there:
            self._owner.remove(each.function_name)

    def full(self) -> None:
        """Both functions, as s.yaml has them."""
        for each in self.wanted:
            self._owner.deploy(each, self.code)

    @property
    def code(self) -> bytes:
        return pack_code(self.deployment.root / self.main.code)


# --- the steps ---------------------------------------------------------------------------------------------


def set_up(desk: Desk) -> None:
    """With a policy of its own, which nothing else needs."""
    desk.allow(rights.setup_grants(reach.read(TEMPLATE)))
    _set_up(desk)
    desk.allow(desk.grants)


def _set_up(desk: Desk) -> None:
    endpoints = ["--oss-endpoint", desk.cloud.oss, "--ram-endpoint", desk.cloud.admin]
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        patch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", desk.who.access_key_id)
        patch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", desk.who.access_key_secret)
        patch.setenv("ALIBABA_CLOUD_SECURITY_TOKEN", desk.who.security_token or "")
        if main(["setup", "--template", str(TEMPLATE), *endpoints, "--yes"]):
            raise ServiceRefused(said.getvalue())


def publish_layer(desk: Desk) -> None:
    client = desk.account.fc(desk.cloud.region, desk.cloud.account_id)
    archive = desk.built_layer()
    assert layer.publish(client, archive, "python3.12").new
    assert not layer.publish(client, archive, "python3.12").new


def deploy(desk: Desk) -> None:
    for each in desk.wanted:
        told = desk.deployer.deploy(each, desk.code)
        assert component.differences(each, told) == []


def look_again(desk: Desk) -> None:
    """As `oss-copy deploy` does afterwards; there are no layers here."""
    client = desk.account.fc(desk.cloud.region, desk.cloud.account_id)
    found = review.compare(client, desk.deployment)
    assert {each.place for each in found if isinstance(each, Differs)} == {"layers"}
    assert len(found) == len(desk.wanted)


def invoke(desk: Desk) -> None:
    """As `oss-copy invoke` does."""
    client = desk.account.fc(desk.cloud.region, desk.cloud.account_id)
    done = functions.invoke(client, desk.main.name, b'{"action": "sweep"}', is_async=False)
    assert json.loads(done.body)["failed"] == 0


def copy(desk: Desk) -> None:
    client = desk.account.fc(desk.cloud.region, desk.cloud.account_id)
    assert desk.deployment.web is not None
    function, trigger = desk.deployment.web
    url = functions.find_trigger(client, function.function_name, trigger.trigger_name)
    desk.cloud.seed(SOURCE, "asked-for", 1000, seed=1)
    request = {"source": {"bucket": SOURCE, "key": "asked-for"}, "destination": {"bucket": DESTINATION}}
    with httpx.Client() as http:
        last = Api(url, partial(signing.sign, desk.account), http).begin(request, "once")
    assert last.job.status == "succeeded"


def look_for_leftovers(desk: Desk) -> None:
    records = desk.cloud.oss_bucket(STATE)
    records.put_object(OPEN, b"{}")
    upload = desk.cloud.oss_bucket(DESTINATION).init_multipart_upload("large.bin")
    try:
        left = leftovers.find_leftovers(desk.account, desk.deployment.main)
    finally:
        records.delete_object(OPEN)
        desk.cloud.oss_bucket(DESTINATION).abort_multipart_upload("large.bin", upload.upload_id)
    assert [each.rpartition(" ")[2] for each in left] == ["c-1", f"{DESTINATION}/large.bin"]


def remove(desk: Desk) -> None:
    for each in desk.wanted:
        desk.deployer.remove(each.name)


def first_deploy(desk: Desk) -> None:
    desk.empty()
    deploy(desk)


def second_deploy(desk: Desk) -> None:
    desk.full()
    deploy(desk)


def removal(desk: Desk) -> None:
    desk.full()
    remove(desk)


def asked_copy(desk: Desk) -> None:
    desk.full()
    copy(desk)


def invocation(desk: Desk) -> None:
    desk.full()
    invoke(desk)


# What is broken without an action, by grant.
NEEDED_BY: dict[tuple[str, str], Step] = {
    ("pass", "ram:PassRole"): first_deploy,
    ("function", "fc:CreateFunction"): first_deploy,
    ("function", "fc:GetFunction"): first_deploy,
    ("function", "fc:UpdateFunction"): second_deploy,
    ("function", "fc:DeleteFunction"): removal,
    ("function", "fc:CreateTrigger"): first_deploy,
    ("function", "fc:GetTrigger"): asked_copy,
    ("function", "fc:UpdateTrigger"): second_deploy,
    ("function", "fc:DeleteTrigger"): removal,
    ("function", "fc:ListTriggers"): removal,
    ("function", "fc:GetConcurrencyConfig"): first_deploy,
    ("function", "fc:PutConcurrencyConfig"): first_deploy,
    ("function", "fc:DeleteConcurrencyConfig"): removal,
    ("asynchronous", "fc:GetAsyncInvokeConfig"): first_deploy,
    ("asynchronous", "fc:GetFunctionAsyncInvokeConfig"): first_deploy,
    ("asynchronous", "fc:PutAsyncInvokeConfig"): first_deploy,
    ("asynchronous", "fc:PutFunctionAsyncInvokeConfig"): first_deploy,
    ("asynchronous", "fc:ListAsyncInvokeConfigs"): removal,
    ("asynchronous", "fc:ListFunctionAsyncInvokeConfigs"): removal,
    ("asynchronous", "fc:DeleteAsyncInvokeConfig"): removal,
    ("asynchronous", "fc:DeleteFunctionAsyncInvokeConfig"): removal,
    ("invoke", "fc:InvokeFunction"): invocation,
    ("layer", "fc:CreateLayerVersion"): publish_layer,
    ("layer", "fc:ListLayerVersions"): publish_layer,
    ("code", "fc:GetTempBucketToken"): first_deploy,
    ("leftovers", "oss:ListObjects"): look_for_leftovers,
    ("results", "oss:GetObject"): look_for_leftovers,
    ("uploads", "oss:ListMultipartUploads"): look_for_leftovers,
}
_LOG = "the component makes project, logstore and index by itself, and there is no log service here"
_NOTIFICATION = (
    "FC tells OSS of the trigger in the caller's name; which call asks for which is not documented"
)
# What only a real account can show, and why.
NOT_SHOWN: dict[tuple[str, str], str] = {
    ("layer", "fc:GetLayerVersion"): "nobody here calls it; whether FC asks for it of who names a layer (?)",
    ("notification", "oss:GetBucketEventNotification"): _NOTIFICATION,
    ("notification", "oss:PutBucketEventNotification"): _NOTIFICATION,
    ("notification", "oss:DeleteBucketEventNotification"): _NOTIFICATION,
    ("log", "log:GetProject"): _LOG,
    ("log", "log:CreateProject"): _LOG,
    ("log", "log:GetLogStore"): _LOG,
    ("log", "log:CreateLogStore"): _LOG,
    ("log", "log:GetIndex"): _LOG,
    ("log", "log:CreateIndex"): _LOG,
    ("log lines", "log:GetLogStoreLogs"): "`s logs` reads the log service",
}


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with LocalCloud(template=None, buckets=[SOURCE, DESTINATION]) as cloud:
        desk = Desk(cloud, tmp_path_factory.mktemp("layers"))
        set_up(desk)
        yield desk


@pytest.fixture
def desk(shared_desk: Desk) -> Iterator[Desk]:
    yield shared_desk
    shared_desk.allow(shared_desk.grants)


def test_every_action_of_the_policy_is_shown_to_be_needed_or_listed_with_the_reason() -> None:
    grants = rights.deployer_grants(reach.read(TEMPLATE))
    granted = {(grant.name, action) for grant in grants for action in grant.actions}
    assert granted == NEEDED_BY.keys() | NOT_SHOWN.keys()


def test_with_the_policy_every_command_works(desk: Desk) -> None:
    desk.empty()
    for step in (set_up, publish_layer, deploy, deploy, look_again, invoke, copy, look_for_leftovers, remove):
        step(desk)
    assert desk.cloud.control().list_functions(models.ListFunctionsRequest()).body.functions == []


@pytest.mark.parametrize(("name", "action"), NEEDED_BY, ids=[" ".join(each) for each in NEEDED_BY])
def test_without_an_action_a_step_is_denied_and_the_action_is_named(
    desk: Desk, name: str, action: str
) -> None:
    less = without(desk.grants, name, action)
    assert less != desk.grants
    desk.allow(less)
    said = refusal(desk, NEEDED_BY[name, action])
    assert action in said
    assert "AccessDenied" in said or "OSS answered 403" in said


@pytest.mark.parametrize("role", ["oss-copy", "aliyunosseventnotificationrole"])
def test_each_role_is_to_be_passed(desk: Desk, role: str) -> None:
    arn = f"acs:ram:*:{desk.cloud.account_id}:role/{role}"
    kept = [grant for grant in desk.grants if grant.name != "pass"]
    (passed,) = (grant for grant in desk.grants if grant.name == "pass")
    assert arn in passed.resources
    others = tuple(each for each in passed.resources if each != arn)
    desk.allow((*kept, Grant("pass", "", passed.actions, others)))
    assert f":role/{role}'" in refusal(desk, first_deploy)


def test_the_log_project_that_is_made_is_the_one_that_both_policies_name() -> None:
    to = reach.read(TEMPLATE)
    log = component.log_config(to.region, to.account)
    project = f"acs:log:{to.region}:{to.account}:project/{log['project']}"
    logstore = f"{project}/logstore/{log['logstore']}"
    for grants, needed in (
        (rights.function_grants(to), {"log:PostLogStoreLogs": logstore}),
        (rights.deployer_grants(to), {"log:CreateProject": project, "log:GetLogStoreLogs": logstore}),
    ):
        allowed = ram.read(json.dumps(rights.document(grants)))
        assert [action for action, at in needed.items() if not allowed.allows(action, at)] == []


def refusal(desk: Desk, step: Step) -> str:
    """What a step says that is refused."""
    try:
        step(desk)
    except (DaraException, fc2.FcError) as error:
        return f"{getattr(error, 'code', None) or getattr(error, 'err_code', '')}: {error.message}"
    except DeployerError as error:
        return str(error)
    pytest.fail("it was not refused")
