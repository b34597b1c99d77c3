"""Least power, proved: with the generated policy every feature works, and one needs each of its actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

from functions.cli import rights
from functions.cli.rights import Grant, reach
from tests.flow import permitted
from tests.flow.permitted import PARTS, Broken, Stage

Feature = Callable[[Stage], None]
FEATURES: tuple[Feature, ...] = (
    permitted.small_copy,
    permitted.small_copy_over_http,
    permitted.copy_in_parts,
    permitted.tags,
    permitted.acl,
    permitted.named_version,
    permitted.current_version,
    permitted.versioned_destination,
    permitted.wrong_version_deleted,
    permitted.restored_archive,
    permitted.symlink_followed,
    permitted.overwrite_policies,
    permitted.conditions,
    permitted.chain,
    permitted.cancel,
    permitted.resubmission,
    permitted.status_and_listing,
    permitted.idempotency_key,
    permitted.rule,
    permitted.timer,
    permitted.encryption,
    permitted.default_encryption,
    permitted.many_objects,
    permitted.deletions,
    permitted.earlier_versions,
    permitted.all_versions,
    permitted.unknown_job,
    permitted.given_up,
    permitted.given_up_list,
    permitted.given_up_too_often,
    permitted.given_up_event,
)
LATE = permitted.sweep  # comes last: what it looks at has to be old enough
# What is broken without an action, by grant.
NEEDED_BY: dict[tuple[str, str], Feature] = {
    ("source", "oss:GetObject"): permitted.small_copy,
    ("source", "oss:GetObjectTagging"): permitted.tags,
    ("source", "oss:GetObjectAcl"): permitted.acl,
    ("source version", "oss:GetObjectVersion"): permitted.current_version,
    ("source version", "oss:GetObjectVersionTagging"): permitted.named_version,
    ("source version", "oss:GetObjectVersionAcl"): permitted.named_version,
    ("archive", "oss:RestoreObject"): permitted.restored_archive,
    ("archive", "oss:RestoreObjectVersion"): permitted.restored_archive,
    ("destination", "oss:PutObject"): permitted.small_copy,
    ("destination", "oss:PutObjectTagging"): permitted.tags,
    ("acl", "oss:PutObjectAcl"): permitted.acl,
    ("default encryption", "oss:GetBucketEncryption"): permitted.default_encryption,
    ("destination", "oss:ListParts"): permitted.copy_in_parts,
    ("destination", "oss:AbortMultipartUpload"): permitted.cancel,
    ("proof", "oss:GetObject"): permitted.small_copy,
    ("proof", "oss:GetObjectTagging"): permitted.tags,
    ("version proof", "oss:GetObjectVersion"): permitted.versioned_destination,
    ("version proof", "oss:GetObjectVersionTagging"): permitted.versioned_destination,
    ("versioned", "oss:DeleteObjectVersion"): permitted.wrong_version_deleted,
    ("records", "oss:PutObject"): permitted.copy_in_parts,
    ("records", "oss:GetObject"): permitted.status_and_listing,
    ("list of records", "oss:ListObjects"): permitted.status_and_listing,
    ("itself", "fc:InvokeFunction"): permitted.chain,
    ("rules", "oss:GetObject"): permitted.rule,
    ("bulk", "oss:ListObjects"): permitted.many_objects,
    ("deletions", "oss:DeleteObject"): permitted.deletions,
    ("versions", "oss:ListObjectVersions"): permitted.earlier_versions,
    ("versions", "oss:GetBucketVersioning"): permitted.earlier_versions,
    ("kms", "kms:GenerateDataKey"): permitted.encryption,
    ("kms", "kms:Decrypt"): permitted.encryption,
    ("requests", "fc:InvokeFunction"): permitted.small_copy_over_http,
    ("queue", "fc:GetAsyncTask"): permitted.unknown_job,
    ("given up", "fc:InvokeFunction"): permitted.given_up,
    ("records of what was given up", "oss:PutObject"): permitted.given_up_list,
    ("records of what was given up", "oss:GetObject"): permitted.given_up_too_often,
    ("rules of what was given up", "oss:GetObject"): permitted.given_up_event,
    ("uploads", "oss:ListMultipartUploads"): LATE,
    ("records", "oss:DeleteObject"): LATE,
}
# What the local cloud has no service for: nothing here can tell whether it is needed.
# Without these what is seen is what became of the objects: there is no refusal that could name the action.
UNTOLD = {
    ("destination", "oss:AbortMultipartUpload"),
    ("proof", "oss:GetObjectTagging"),
    ("version proof", "oss:GetObjectVersionTagging"),
    ("versioned", "oss:DeleteObjectVersion"),
    ("rules of what was given up", "oss:GetObject"),  # the event is put off, and the log says why
}
NOT_SHOWN = {
    (name, "log:PostLogStoreLogs") for name in ("log", "log of requests", "log of what was given up")
}


@pytest.fixture(scope="module")
def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("permitted"))
    with stage.cloud:
        stage.prepare()
        yield stage


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    yield shared_stage
    shared_stage.cloud.wait_idle()
    shared_stage.allow(shared_stage.grants)


def without(grants: tuple[Grant, ...], name: str, action: str) -> tuple[Grant, ...]:
    """The grants less this action of the one of this name."""
    left = []
    for grant in grants:
        kept = tuple(each for each in grant.actions if (grant.name, each) != (name, action))
        left += [msgspec.structs.replace(grant, actions=kept)] if kept else []
    return tuple(left)


def test_the_table_names_every_action_of_the_policy(shared_stage: Stage) -> None:
    granted = {(grant.name, action) for grant in shared_stage.grants for action in grant.actions}
    assert granted == NEEDED_BY.keys() | NOT_SHOWN
    assert set(NEEDED_BY.values()) <= {*FEATURES, LATE}
    default = [grant for grants in rights.role_grants(reach.read()).values() for grant in grants]
    left_out = {"archive", "acl", "deletions", "versions", "rules", "rules of what was given up"}
    assert {grant.name for grant in default} == {name for name, _ in granted} - {*left_out, *PARTS}


def test_each_role_is_of_one_function_and_may_do_less_than_the_others() -> None:
    roles = rights.role_grants(reach.read())
    assert list(roles) == ["oss-copy", "oss-copy-dropped", "oss-copy-http"]
    of_oss = [
        {action for grant in grants for action in grant.actions if action.startswith("oss:")}
        for grants in roles.values()
    ]
    assert of_oss[0] > of_oss[1] == {"oss:PutObject", "oss:GetObject"}
    assert of_oss[2] == set()


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.__name__)
def test_with_the_policy_every_feature_works(stage: Stage, feature: Feature) -> None:
    feature(stage)


@pytest.mark.parametrize(("name", "action"), NEEDED_BY, ids=[" ".join(each) for each in NEEDED_BY])
def test_without_an_action_a_feature_does_not_work_and_says_which_is_missing(
    stage: Stage, name: str, action: str
) -> None:
    less = without(stage.grants, name, action)
    assert less != stage.grants
    stage.allow(less)
    with pytest.raises(Broken) as caught:
        NEEDED_BY[name, action](stage)
    assert (name, action) in UNTOLD or action in str(caught.value), f"it is not named: {caught.value}"


def test_with_the_policy_the_sweep_works_too(stage: Stage) -> None:
    LATE(stage)
