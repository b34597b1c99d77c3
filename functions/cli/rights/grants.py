"""The actions that each actor needs, and why: the functions' roles, setup, and whoever deploys.

Knows which action needs which resource; ARNs are made in `arns`. `tests/flow/test_permissions.py` holds every
grant of the functions' roles: with all of them every feature works, and without any one of their actions a
feature named there does not. `tests/flow/test_deployer_rights.py` does the same for deployers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from functions.cli.rights.arns import resources
from functions.cli.rights.reach import Reach

# Left out unless asked for: power that most deployments never use.
OPTIONAL = {
    "kms": "copies that are encrypted with KMS, or whose source is: any key of the account in this region",
    "bulk": "copies of many objects: listing sources and destinations",
    "versioned": "destinations with versioning: delete the version that was written if it is wrong",
    "check": "the action check: how the buckets and the function's triggers are, and an object to try with",
}


class Grant(msgspec.Struct, frozen=True):
    """One statement of a policy: its actions, their resources, and the purpose."""

    name: str
    why: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]


class _Need(msgspec.Struct, frozen=True):
    """A grant of any deployment. `on` is a name of `arns.resources`.

    `word`: it is granted only where ALLOWED_OPTIONS has it, or one of several; `unless`: only where it has
    not.
    """

    name: str
    why: str
    on: str
    actions: str  # separated by blanks
    word: str = ""
    unless: str = ""


def function_grants(to: Reach, parts: Collection[str] = ()) -> tuple[Grant, ...]:
    """Return what the role of the function that copies needs; `parts` are names of OPTIONAL.

    Actions that read versions are always in it: the template does not tell whether a bucket is versioned, and
    a copy from or to such a bucket fails without them.
    """
    if unknown := set(parts) - set(OPTIONAL):
        raise ValueError(f"no part {', '.join(sorted(unknown))}; there are {', '.join(OPTIONAL)}")
    return (*_granted(_FUNCTION, to), *_granted([each for each in _OPTIONAL if each.name in parts], to))


def role_grants(to: Reach, parts: Collection[str] = ()) -> dict[str, tuple[Grant, ...]]:
    """Return what the role of each function needs, by its name; one that several share gets all of it."""
    found: dict[str, tuple[Grant, ...]] = {to.role: function_grants(to, parts)}
    for role, needs in ((to.dropped_role, _DROPPED), (to.http_role, _HTTP)):
        if role:
            found[role] = (*found.get(role, ()), *_granted(needs, to))
    return found


def setup_grants(to: Reach) -> tuple[Grant, ...]:
    """Return what `oss-copy setup` needs, once: state bucket, rules of buckets, roles and their policies."""
    return _granted(_SETUP, to)


def deployer_grants(to: Reach) -> tuple[Grant, ...]:
    """Return what every deploy needs, and invoke, copy, logs and remove: of RAM only to pass the two roles.

    The `s` tool also looks for things that `s.yaml` never makes (aliases, versions, scaling, VPC bindings).
    It goes on where it may not look, so that nothing here grants it.
    """
    return _granted(_DEPLOYER, to)


def _granted(needs: Sequence[_Need], to: Reach) -> tuple[Grant, ...]:
    """Return the grants of these needs, without those that have no resource in this deployment."""
    arns = resources(to)
    return tuple(
        Grant(each.name, each.why, tuple(each.actions.split()), arns[each.on])
        for each in needs
        if arns[each.on] and _is_asked_for(each, to.options)
    )


def _is_asked_for(need: _Need, words: Collection[str]) -> bool:
    """Return whether the words of ALLOWED_OPTIONS are such that there is to be this grant."""
    return (not need.word or any(each in words for each in need.word.split())) and need.unless not in words


_LOG = "let what the function logs reach the log service (`logConfig: auto`)"
_FUNCTION = (
    _Need(
        "source",
        "look at a source, copy its bytes, headers, tags and ACL; look where a symlink points",
        "sources",
        "oss:GetObject oss:GetObjectTagging oss:GetObjectAcl",
    ),
    _Need(
        "source version",
        "the same of the version a copy is pinned to, when the source bucket is versioned",
        "sources",
        "oss:GetObjectVersion oss:GetObjectVersionTagging oss:GetObjectVersionAcl",
    ),
    _Need(
        "archive",
        "restore an archived source, or a version of one, when the request says `restore`",
        "sources",
        "oss:RestoreObject oss:RestoreObjectVersion",
        word="restore",
    ),
    _Need(
        "destination",
        "write the copy: CopyObject, or an upload in parts, resumed and aborted; its tags",
        "destinations",
        "oss:PutObject oss:PutObjectTagging oss:ListParts oss:AbortMultipartUpload",
    ),
    _Need(
        "acl",
        "give the copy an ACL, where the request or the source has one",
        "destinations",
        "oss:PutObjectAcl",
        word="public-acl",
    ),
    _Need(
        "deletions",
        "delete at the destination what the source does not have, in jobs with `delete`, and put delete "
        "markers there, in jobs with `versions`",
        "destinations",
        "oss:DeleteObject",
        word="delete versions",
    ),
    _Need(
        "versions",
        "list versions, in jobs with `asOf` or `versions`, and see whether a bucket keeps any",
        "buckets",
        "oss:ListObjectVersions oss:GetBucketVersioning",
        word="versions",
    ),
    _Need(
        "default encryption",
        "see whether a copy with `encryption` as `bucket` would be weaker than its source",
        "destination buckets",
        "oss:GetBucketEncryption",
        unless="weaker-encryption",
    ),
    _Need(
        "proof",
        "compare what the destination shows with what was promised, number of tags included",
        "destinations",
        "oss:GetObject oss:GetObjectTagging",
    ),
    _Need(
        "version proof",
        "the same of the version written to a versioned bucket",
        "destinations",
        "oss:GetObjectVersion oss:GetObjectVersionTagging",
    ),
    _Need(
        "uploads",
        "find uploads that an Initiate without an answer left (the sweep)",
        "destination buckets",
        "oss:ListMultipartUploads",
    ),
    _Need(
        "records",
        "write, read and forget the records of copies",
        "records",
        "oss:PutObject oss:GetObject oss:DeleteObject",
    ),
    _Need(
        "list of records",
        "list the records of copies: the sweep, and GET /copies",
        "state bucket",
        "oss:ListObjects",
    ),
    _Need("itself", "hand a copy over to the next invocation", "function", "fc:InvokeFunction"),
    _Need("told", "tell a function that jobs have ended (NOTIFY_FUNCTION)", "told", "fc:InvokeFunction"),
    _Need(
        "log",
        _LOG,
        "log stores",
        "log:PostLogStoreLogs",
    ),
    _Need("rules", "read the rules that COPY_RULES names", "rules", "oss:GetObject"),
)
_DROPPED = (
    _Need("given up", "submit once more what Function Compute has given up", "function", "fc:InvokeFunction"),
    _Need(
        "records of what was given up",
        "put several copies on record as a list; close a copy that was given up too often",
        "records",
        "oss:PutObject oss:GetObject",
    ),
    _Need("log of what was given up", _LOG, "log stores", "log:PostLogStoreLogs"),
    _Need("rules of what was given up", "read the rules that COPY_RULES names", "rules", "oss:GetObject"),
)
_HTTP = (
    _Need(
        "requests",
        "pass a request on to the function that copies, or leave a copy to its queue",
        "function",
        "fc:InvokeFunction",
    ),
    _Need("queue", "see whether a copy that was left to the queue is there", "function", "fc:GetAsyncTask"),
    _Need("log of requests", _LOG, "log stores", "log:PostLogStoreLogs"),
)
_OPTIONAL = (
    _Need("kms", OPTIONAL["kms"], "keys", "kms:GenerateDataKey kms:Decrypt"),
    _Need("bulk", OPTIONAL["bulk"], "buckets", "oss:ListObjects"),
    _Need("versioned", OPTIONAL["versioned"], "destinations", "oss:DeleteObjectVersion"),
    _Need(
        "check",
        OPTIONAL["check"],
        "checked",
        "oss:GetBucketInfo oss:GetBucketLifecycle oss:GetBucketWorm oss:ListObjects fc:ListTriggers",
    ),
)
_SETUP = (
    _Need("state bucket", "make the state bucket", "state bucket", "oss:PutBucket"),
    _Need(
        "buckets",
        "see how the buckets are, and give them the lifecycle rules they lack",
        "state and destination buckets",
        "oss:GetBucketInfo oss:GetBucketLifecycle oss:PutBucketLifecycle",
    ),
    _Need(
        "roles",
        "make the roles of the functions and of the OSS trigger",
        "roles",
        "ram:GetRole ram:CreateRole ram:UpdateRole ram:ListPoliciesForRole ram:AttachPolicyToRole",
    ),
    _Need(
        "policies",
        "make the policies of the functions' roles, and attach all",
        "policies",
        "ram:GetPolicy ram:CreatePolicy ram:CreatePolicyVersion ram:AttachPolicyToRole",
    ),
)
_DEPLOYER = (
    _Need("pass", "deploy: give the roles to the function and its trigger", "passed roles", "ram:PassRole"),
    _Need(
        "function",
        "deploy, remove: make, change and delete the functions, their triggers and how they are invoked",
        "functions",
        "fc:CreateFunction fc:GetFunction fc:UpdateFunction fc:DeleteFunction fc:CreateTrigger fc:GetTrigger "
        "fc:UpdateTrigger fc:DeleteTrigger fc:ListTriggers fc:GetConcurrencyConfig fc:PutConcurrencyConfig "
        "fc:DeleteConcurrencyConfig",
    ),
    _Need(
        "asynchronous",
        "deploy, remove: how they are invoked asynchronously, by both names that FC gives these actions",
        "functions",
        "fc:GetAsyncInvokeConfig fc:GetFunctionAsyncInvokeConfig fc:PutAsyncInvokeConfig "
        "fc:PutFunctionAsyncInvokeConfig fc:DeleteAsyncInvokeConfig fc:DeleteFunctionAsyncInvokeConfig "
        "fc:ListAsyncInvokeConfigs fc:ListFunctionAsyncInvokeConfigs",
    ),
    _Need("invoke", "invoke, copy: ask for copies", "functions", "fc:InvokeFunction"),
    _Need(
        "layer",
        "deploy: publish the layer",
        "layer",
        "fc:CreateLayerVersion fc:GetLayerVersion fc:ListLayerVersions",
    ),
    _Need("leftovers", "remove: look for copies on record", "state bucket", "oss:ListObjects"),
    _Need("results", "remove: see whether a copy on record is over", "records", "oss:GetObject"),
    _Need("uploads", "remove: look for open uploads", "destination buckets", "oss:ListMultipartUploads"),
    _Need("code", "deploy: a place to upload code to", "anything", "fc:GetTempBucketToken"),
    _Need(
        "notification",
        "deploy: let the watched bucket tell of its objects",
        "watched buckets",
        "oss:GetBucketEventNotification oss:PutBucketEventNotification oss:DeleteBucketEventNotification",
    ),
    _Need(
        "log",
        "deploy: the log project that `logConfig: auto` makes",
        "log projects",
        "log:GetProject log:CreateProject log:GetLogStore log:CreateLogStore log:GetIndex log:CreateIndex",
    ),
    _Need("log lines", "logs: read what the function has logged", "log stores", "log:GetLogStoreLogs"),
)
