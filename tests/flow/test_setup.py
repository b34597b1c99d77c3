"""`oss-copy setup` against the local cloud: shown first, made once, by who has that policy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import oss2
import oss2.models
import pytest
import yaml

from functions.cli import rights
from functions.cli.__main__ import main
from functions.cli.account.credentials import Account
from functions.cli.account.roles import Roles
from functions.cli.errors import Status
from functions.cli.rights import Grant, reach
from tests.cloud.client import ROOT, LocalCloud
from tests.flow.test_permissions import without

_NUMBERS = itertools.count()
RULE = (
    "<LifecycleConfiguration><Rule><ID>theirs</ID><Prefix>{prefix}</Prefix><Status>Enabled</Status>{action}"
    "</Rule></LifecycleConfiguration>"
)


class Site:
    """A deployment of its own on the shared cloud: its template, its buckets, its role."""

    def __init__(self, cloud: LocalCloud, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        number = next(_NUMBERS)
        self.cloud, self._monkeypatch = cloud, monkeypatch
        self.role, self.state, self.destination = f"copier-{number}", f"state-{number}", f"into-{number}"
        template = yaml.safe_load((ROOT / "s.yaml").read_text(encoding="utf-8"))
        template["vars"] |= {"stateBucket": self.state, "destinationBucket": self.destination}
        for resource in template["resources"].values():
            role = resource["props"].get("role") or template["template"]["common"]["props"]["role"]
            resource["props"]["role"] = role.replace("oss-copy", self.role)
        self.template = directory / "s.yaml"
        self.template.write_text(yaml.safe_dump(template), encoding="utf-8")
        self.to = reach.read(self.template)
        cloud.oss_bucket(self.destination).create_bucket()
        self.be(rights.setup_grants(self.to))

    def be(self, grants: tuple[Grant, ...]) -> None:
        """Go on as a deployer who may do what these grants say."""
        self.cloud.set_policy("deployer", rights.document(grants))
        who = self.cloud.assume("deployer")
        self._monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", who.access_key_id)
        self._monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", who.access_key_secret)
        self._monkeypatch.setenv("ALIBABA_CLOUD_SECURITY_TOKEN", who.security_token or "")

    def setup(self, *arguments: str) -> int:
        endpoints = ["--oss-endpoint", self.cloud.oss, "--ram-endpoint", self.cloud.admin]
        return main(["setup", "--template", str(self.template), *endpoints, *arguments])

    def roles(self) -> Roles:
        """The roles of the account, as its owner sees them."""
        owner = self.cloud.owner
        account = Account(owner.access_key_id, owner.access_key_secret, ram_endpoint=self.cloud.admin)
        return Roles(account, "cn-hangzhou")

    def writes(self) -> dict[str, int]:
        """How often something was changed, in OSS and in RAM."""
        counted = {**self.cloud.requests()["operations"], **self.cloud.ram_requests()}
        changing = ("Put", "Create", "Update", "Attach", "Delete")
        return {name: count for name, count in counted.items() if name.startswith(changing)}

    def rules(self, bucket: str) -> dict[str, tuple[str, str]]:
        """Prefix and action of the lifecycle rules, by id."""
        body = self.cloud.oss_bucket(bucket)._do("GET", bucket, "", params={"lifecycle": ""}).read()  # noqa: SLF001 - there is no public way to it
        root = ET.fromstring(body)  # noqa: S314 - the local cloud's own answer
        return {
            each.findtext("ID") or "": (
                each.findtext("Prefix") or "",
                each[-1].tag + (each[-1].findtext("Days") or ""),
            )
            for each in root
        }


@pytest.fixture(scope="module")
def shared_cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as running:
        yield running


@pytest.fixture
def site(shared_cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(shared_cloud, tmp_path, monkeypatch)


def test_it_shows_what_is_missing_and_makes_nothing_before_it_is_told_to(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    before = site.writes()
    assert site.setup() == 0
    shown = capsys.readouterr().out
    for expected in (
        f"to do: make bucket {site.state}: private, without versioning",
        f"to do: add lifecycle rules to bucket {site.state}: expire objects under oss-copy/done/ after 30",
        f"to do: add lifecycle rules to bucket {site.destination}: abort unfinished uploads",
        *(f"to do: make role {role}, for fc.aliyuncs.com" for role in site.to.roles),
        *(f"to do: attach policy {role} to role {role}" for role in site.to.roles),
        "nothing done yet: `oss-copy setup --yes` does it",
        "not done here: publish the layer",
    ):
        assert expected in shown
    assert site.writes() == before


def test_it_makes_what_is_missing_and_finds_nothing_to_do_the_second_time(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site.setup("--yes") == 0
    info = site.cloud.oss_bucket(site.state).get_bucket_info()
    assert (info.acl.grant, info.versioning_status) == ("private", None)
    assert site.rules(site.state) == {
        "oss-copy-done": ("oss-copy/done/", "Expiration30"),
        "oss-copy-cancel": ("oss-copy/cancel/", "Expiration30"),
        "oss-copy-key": ("oss-copy/key/", "Expiration30"),
        "oss-copy-uploads-1": ("oss-copy/", "AbortMultipartUpload10"),
    }
    assert site.rules(site.destination) == {"oss-copy-uploads-1": ("", "AbortMultipartUpload10")}
    capsys.readouterr()
    before = site.writes()
    assert site.setup() == 0
    assert site.setup("--yes") == 0
    assert capsys.readouterr().out.count("nothing to do: all is there") == 2
    assert site.writes() == before


def test_with_what_it_made_the_function_copies_and_its_role_may_do_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The genuine template, from nothing: state bucket, roles and policy are those that setup makes."""
    with LocalCloud() as cloud:
        cloud.oss_bucket("oss-copy-state").delete_bucket()
        monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", cloud.owner.access_key_id)
        monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", cloud.owner.access_key_secret)
        monkeypatch.delenv("ALIBABA_CLOUD_SECURITY_TOKEN", raising=False)
        assert main(["setup", "--oss-endpoint", cloud.oss, "--ram-endpoint", cloud.admin, "--yes"]) == 0
        cloud.oss_bucket("oss-copy-source").put_object("k", b"content")
        asked = {
            "source": {"bucket": "oss-copy-source", "key": "k"},
            "destination": {"bucket": "oss-copy-destination"},
        }
        result = cloud.invoke({**asked, "tuning": {"method": "multipart"}})
        assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
        cloud.oss_bucket("oss-copy-source").put_object("incoming/k", b"content")
        cloud.wait_idle()
        assert cloud.oss_bucket("oss-copy-destination").object_exists("incoming/k")
        role = cloud.oss_bucket("oss-copy-source", cloud.assume("oss-copy"))
        with pytest.raises(oss2.exceptions.AccessDenied):
            role.put_object("k", b"mine")
        with pytest.raises(oss2.exceptions.AccessDenied):
            role.list_objects_v2()


def test_a_versioned_state_bucket_is_refused_and_nothing_else_is_made(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = site.cloud.oss_bucket(site.state)
    bucket.create_bucket()
    config = oss2.models.BucketVersioningConfig()
    config.status = "Suspended"
    bucket.put_bucket_versioning(config)
    before = site.writes()
    assert site.setup("--yes") == 1
    assert "is versioned (Suspended)" in (said := capsys.readouterr().err)
    assert "choose another stateBucket" in said
    assert site.writes() == before


def test_a_public_state_bucket_is_refused(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.cloud.oss_bucket(site.state).create_bucket("public-read")
    assert site.setup("--yes") == 1
    assert "is public-read, and records are nobody's business: choose another" in capsys.readouterr().err


def test_buckets_of_another_account_are_told(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.setup("--var", 'accountId="42"') == 0
    assert f"bucket {site.destination} belongs to account 1234567890123456" in capsys.readouterr().out
    site.cloud.oss_bucket(site.state).create_bucket()
    assert site.setup("--var", 'accountId="42"') == 1
    assert "belongs to account 1234567890123456, and accountId is 42" in capsys.readouterr().err


def test_buckets_of_another_region_are_told(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    name = "CreateBucketConfiguration"
    where = f"<{name}><LocationConstraint>oss-cn-beijing</LocationConstraint></{name}>"
    site.cloud.oss_bucket(site.destination).delete_bucket()
    site.cloud.oss_bucket(site.destination)._do("PUT", site.destination, "", data=where)  # noqa: SLF001 - as above
    assert site.setup() == 0
    assert f"bucket {site.destination} is in cn-beijing" in capsys.readouterr().out
    site.cloud.oss_bucket(site.state)._do("PUT", site.state, "", data=where)  # noqa: SLF001 - as above
    assert site.setup() == 1
    assert "is in cn-beijing, and the function in cn-hangzhou" in capsys.readouterr().err


def test_a_rule_that_deletes_the_memory_of_copies_is_refused(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = site.cloud.oss_bucket(site.state)
    bucket.create_bucket()
    bucket.put_bucket_lifecycle(
        RULE.format(prefix="oss-copy/", action="<Expiration><Days>9</Days></Expiration>")
    )
    assert site.setup("--yes") == 1
    assert "rule theirs deletes oss-copy/open/" in capsys.readouterr().err


def test_rules_that_are_there_are_kept_and_one_that_suffices_is_not_doubled(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = site.cloud.oss_bucket(site.destination)
    other = "<AbortMultipartUpload><Days>5</Days></AbortMultipartUpload>"
    bucket.put_bucket_lifecycle(RULE.format(prefix="tmp/", action=other))
    assert site.setup("--yes") == 0
    assert site.rules(site.destination) == {
        "theirs": ("tmp/", "AbortMultipartUpload5"),
        "oss-copy-uploads-1": ("", "AbortMultipartUpload10"),
    }
    assert "are aborted after 5 days already; a copy may take 7" in capsys.readouterr().out
    bucket.put_bucket_lifecycle(RULE.format(prefix="", action=other))
    assert site.setup() == 0
    assert "nothing to do" in capsys.readouterr().out
    assert site.rules(site.destination) == {"theirs": ("", "AbortMultipartUpload5")}


def test_a_destination_that_is_not_there_is_named(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.cloud.oss_bucket(site.destination).delete_bucket()
    assert site.setup("--yes") == 0
    assert f"there is no destination bucket {site.destination} yet" in capsys.readouterr().out


def test_a_bucket_that_is_state_and_destination_gets_all_its_rules_at_once(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site.setup("--yes", "--var", f"stateBucket={site.destination}") == 0
    assert capsys.readouterr().out.count("add lifecycle rules") == 1
    assert site.rules(site.destination) == {
        "oss-copy-done": ("oss-copy/done/", "Expiration30"),
        "oss-copy-cancel": ("oss-copy/cancel/", "Expiration30"),
        "oss-copy-key": ("oss-copy/key/", "Expiration30"),
        "oss-copy-uploads-1": ("", "AbortMultipartUpload10"),
    }


def test_where_somebody_is_told_the_records_of_that_expire_and_the_function_may_be_invoked(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    document = yaml.safe_load(site.template.read_text(encoding="utf-8"))
    variables = document["resources"]["oss_copy"]["props"]["environmentVariables"]
    site.template.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert site.setup("--yes") == 0
    variables["NOTIFY_FUNCTION"] = "on-call"
    site.template.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert site.setup("--yes") == 0
    assert site.rules(site.state)["oss-copy-told"] == ("oss-copy/told/", "Expiration30")
    assert "functions/on-call/*" in str(site.roles().policy(site.role))
    capsys.readouterr()
    assert site.setup() == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_changed_template_renews_the_policy_as_often_as_it_changes(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site.setup("--yes") == 0
    for number in range(7):  # RAM keeps five versions
        assert site.setup("--yes", "--var", f"functionName=renamed-{number}") == 0
        assert f"done: renew policy {site.role}" in capsys.readouterr().out
    assert site.setup("--var", "functionName=renamed-6") == 0
    assert "nothing to do" in capsys.readouterr().out


def test_power_that_the_role_has_beside_its_policy_is_told(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site.setup("--yes") == 0
    site.roles().attach(site.role, "System", rights.TRIGGER_POLICY)
    capsys.readouterr()
    assert site.setup() == 0
    assert (
        f"has also policy {rights.TRIGGER_POLICY}: the function does not need it" in capsys.readouterr().out
    )


def test_a_role_that_others_take_on_is_shared_with_fc(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    roles = site.roles()
    roles.make_role(site.role, rights.trust("ecs.aliyuncs.com"), "theirs")
    assert site.setup("--yes") == 0
    assert f"let fc.aliyuncs.com take on role {site.role} as well" in capsys.readouterr().out
    trust = roles.trust_of(site.role)
    assert trust is not None
    assert [each["Principal"]["Service"] for each in trust["Statement"]] == [
        ["ecs.aliyuncs.com"],
        ["fc.aliyuncs.com"],
    ]


NEEDED = [(grant.name, action) for grant in rights.setup_grants(reach.read()) for action in grant.actions]


@pytest.mark.parametrize(("name", "action"), NEEDED, ids=[" ".join(each) for each in NEEDED])
def test_who_sets_up_needs_each_of_these_actions(
    site: Site, capsys: pytest.CaptureFixture[str], name: str, action: str
) -> None:
    """To make everything, or to renew what has changed."""
    grants = rights.setup_grants(site.to)
    if action == "ram:UpdateRole":
        site.roles().make_role(site.role, rights.trust("ecs.aliyuncs.com"), "theirs")
    if action == "ram:CreatePolicyVersion":
        assert site.setup("--yes") == 0
    site.be(without(grants, name, action))
    assert site.setup("--yes", "--with", "kms") == Status.DENIED
    said = capsys.readouterr().err
    assert action in said
    assert "grant yourself what `oss-copy policy --setup` prints" in said


def test_without_credentials_or_a_service_it_says_so(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "http://127.0.0.1:9"  # the discard port: nobody listens
    assert site.setup("--ram-endpoint", nowhere) == Status.TEMPORARY
    assert "RAM cannot be reached" in capsys.readouterr().err
    assert site.setup("--oss-endpoint", nowhere) == Status.TEMPORARY
    assert "OSS cannot be reached" in capsys.readouterr().err
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
    assert site.setup() == Status.DENIED
    assert "no credentials: set ALIBABA_CLOUD_ACCESS_KEY_ID" in capsys.readouterr().err


def test_no_secret_is_printed(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong-but-secret")
    assert site.setup() == Status.DENIED
    said = capsys.readouterr()
    assert "SignatureDoesNotMatch" in said.err
    assert "wrong-but-secret" not in said.err + said.out
