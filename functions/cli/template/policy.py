"""The RAM policies, least power: of the function's role, and of whoever sets up, deploys and asks for copies.

`make policy` writes `functions/oss_copy/ram-policy.json`. Knows which action needs which resource and why; it
must not know a client. Every grant of the function's role is held by `tests/flow/test_permissions.py`: with
all of them every feature works, and without any one of their actions a feature named there does not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from functions.cli.template import environment, reach
from functions.cli.template.reach import Reach
from functions.cli.template.reading import ROOT, TemplateError
from osscopy.plan.keys import Pattern

DOCUMENT = ROOT / "functions/oss_copy/ram-policy.json"
LAYER = "oss-copy-sdk"
TRIGGER_ROLE = "AliyunOSSEventNotificationRole"  # OSS takes it on to invoke the function
TRIGGER_POLICY = "AliyunOSSEventNotificationRolePolicy"  # a system policy
# Left out unless asked for: power that most deployments never use.
OPTIONAL = {
    "kms": "copies that are encrypted with KMS, or whose source is: any key of the account in this region",
    "bulk": "copies of many objects: listing sources and destinations",
    "check": "the action check: how the buckets and the function's triggers are, and an object to try with",
}


class Grant(msgspec.Struct, frozen=True):
    """One statement: these actions on these resources, and what for."""

    name: str
    why: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]


def function_grants(to: Reach, parts: Collection[str] = ()) -> tuple[Grant, ...]:
    """What the function's role needs. `parts` are names of OPTIONAL.

    Versions are always in it: the template does not tell whether a bucket has them, and without these actions
    a copy from or to a versioned bucket fails. So is restoring archives, which only a request asks for.
    """
    sources, destinations = _objects(to.sources), _objects(to.destinations)
    grants = [
        Grant(
            "source",
            "look at a source, copy its bytes, headers, tags and ACL; look where a symlink points",
            ("oss:GetObject", "oss:GetObjectTagging", "oss:GetObjectAcl"),
            sources,
        ),
        Grant(
            "source version",
            "the same of the version a copy is pinned to, when the source bucket is versioned",
            ("oss:GetObjectVersion", "oss:GetObjectVersionTagging", "oss:GetObjectVersionAcl"),
            sources,
        ),
        Grant(
            "archive",
            "restore an archived source, or a version of one, when the request says `restore`",
            ("oss:RestoreObject", "oss:RestoreObjectVersion"),
            sources,
        ),
        Grant(
            "destination",
            "write the copy: CopyObject, or an upload in parts, resumed and aborted; its tags and ACL",
            (
                "oss:PutObject",
                "oss:PutObjectTagging",
                "oss:PutObjectAcl",
                "oss:ListParts",
                "oss:AbortMultipartUpload",
            ),
            destinations,
        ),
        Grant(
            "proof",
            "compare what the destination shows with what was promised, number of tags included",
            ("oss:GetObject", "oss:GetObjectTagging"),
            destinations,
        ),
        Grant(
            "version proof",
            "the same of the version written to a versioned bucket, and delete it if it is wrong",
            ("oss:GetObjectVersion", "oss:GetObjectVersionTagging", "oss:DeleteObjectVersion"),
            destinations,
        ),
        Grant(
            "uploads",
            "find uploads that an Initiate without an answer left (the sweep)",
            ("oss:ListMultipartUploads",),
            _buckets(to.destinations),
        ),
        Grant(
            "records",
            "write, read and forget the records of copies",
            ("oss:PutObject", "oss:GetObject", "oss:DeleteObject"),
            (f"acs:oss:*:*:{to.state_bucket}/{to.state_prefix}*",),
        ),
        Grant(
            "list of records",
            "list the records of copies: the sweep, and GET /copies",
            ("oss:ListObjects",),
            (f"acs:oss:*:*:{to.state_bucket}",),
        ),
        Grant(
            "itself",
            "hand a copy over to the next invocation",
            ("fc:InvokeFunction",),
            _function(to, to.function),
        ),
        Grant(
            "log",
            "let what the function logs reach the log service (`logConfig: auto`)",
            ("log:PostLogStoreLogs",),
            tuple(f"{project}/logstore/*" for project in _projects(to)),
        ),
    ]
    if to.rules is not None:
        rules = f"acs:oss:*:*:{to.rules.bucket}/{to.rules.key}"
        grants.append(Grant("rules", "read the rules that COPY_RULES names", ("oss:GetObject",), (rules,)))
    return (*grants, *_optional(to, parts))


def _optional(to: Reach, parts: Collection[str]) -> Iterable[Grant]:
    if unknown := set(parts) - set(OPTIONAL):
        raise ValueError(f"no part {', '.join(sorted(unknown))}; there are {', '.join(OPTIONAL)}")
    if "kms" in parts:
        keys = (f"acs:kms:{to.region}:{to.account}:key/*",)
        yield Grant("kms", OPTIONAL["kms"], ("kms:GenerateDataKey", "kms:Decrypt"), keys)
    if "bulk" in parts:
        buckets = _unique((*_buckets(to.sources), *_buckets(to.destinations)))
        yield Grant("bulk", OPTIONAL["bulk"], ("oss:ListObjects",), buckets)
    if "check" in parts:
        state = f"acs:oss:*:*:{to.state_bucket}"
        yield Grant(
            "check",
            OPTIONAL["check"],
            (
                "oss:GetBucketInfo",  # region and versioning, too
                "oss:GetBucketLifecycle",
                "oss:GetBucketWorm",
                "oss:ListObjects",
                "fc:ListTriggers",
            ),
            _unique((*_buckets(to.sources), *_buckets(to.destinations), state, *_function(to, to.function))),
        )


def setup_grants(to: Reach) -> tuple[Grant, ...]:
    """What `make setup` needs, once: the state bucket, rules of the buckets, the roles and their policies."""
    state = (f"acs:oss:*:*:{to.state_bucket}",)
    policies = (f"acs:ram:*:{to.account}:policy/{to.role}", f"acs:ram:*:system:policy/{TRIGGER_POLICY}")
    return (
        Grant("state bucket", "make the state bucket", ("oss:PutBucket",), state),
        Grant(
            "buckets",
            "see how the buckets are, and give them the lifecycle rules they lack",
            ("oss:GetBucketInfo", "oss:GetBucketLifecycle", "oss:PutBucketLifecycle"),
            _unique((*state, *_buckets(to.destinations))),
        ),
        Grant(
            "roles",
            "make the roles of the function and of its OSS trigger",
            (
                "ram:GetRole",
                "ram:CreateRole",
                "ram:UpdateRole",
                "ram:ListPoliciesForRole",
                "ram:AttachPolicyToRole",
            ),
            _roles(to),
        ),
        Grant(
            "policies",
            "make the policy of the function's role, and attach both",
            ("ram:GetPolicy", "ram:CreatePolicy", "ram:CreatePolicyVersion", "ram:AttachPolicyToRole"),
            policies,
        ),
    )


def deployer_grants(to: Reach) -> tuple[Grant, ...]:
    """What every deploy needs, and invoke, copy, logs and remove: in RAM only to pass the two roles on.

    `tests/flow/test_deployer_rights.py` holds each action, and lists those that only a real account can show.
    The `s` tool also looks for what `s.yaml` never makes (aliases, versions, scaling, VPC bindings): it goes
    on where it may not, so that nothing here grants it.
    """
    state = (f"acs:oss:*:*:{to.state_bucket}",)
    roles = _roles(to)
    passed = _unique(
        (*roles, *(each.lower() for each in roles))
    )  # ARNs have the names of roles in lower case
    layer = f"acs:fc:{to.region}:{to.account}:layers/{LAYER}"
    functions = tuple(each for name in to.functions for each in _function(to, name))
    return (
        Grant("pass", "deploy: give the roles to the function and its trigger", ("ram:PassRole",), passed),
        Grant(
            "function",
            "deploy, remove: make, change and delete the functions, their triggers and how they are invoked",
            (
                "fc:CreateFunction",
                "fc:GetFunction",
                "fc:UpdateFunction",
                "fc:DeleteFunction",
                "fc:CreateTrigger",
                "fc:GetTrigger",
                "fc:UpdateTrigger",
                "fc:DeleteTrigger",
                "fc:ListTriggers",
                "fc:GetConcurrencyConfig",
                "fc:PutConcurrencyConfig",
                "fc:DeleteConcurrencyConfig",
            ),
            functions,
        ),
        Grant(
            "asynchronous",
            "deploy, remove: how they are invoked asynchronously, by both names that FC gives these actions",
            tuple(
                f"fc:{name}"
                for does, what in (("Get", ""), ("Put", ""), ("Delete", ""), ("List", "s"))
                for name in (f"{does}AsyncInvokeConfig{what}", f"{does}FunctionAsyncInvokeConfig{what}")
            ),
            functions,
        ),
        Grant("invoke", "invoke, copy: ask for copies", ("fc:InvokeFunction",), functions),
        Grant(
            "layer",
            "deploy: publish the layer",
            ("fc:CreateLayerVersion", "fc:GetLayerVersion", "fc:ListLayerVersions"),
            (layer, f"{layer}/*"),
        ),
        Grant(
            "leftovers",
            "remove: look for copies on record",
            ("oss:ListObjects",),
            state,
        ),
        Grant(
            "results",
            "remove: see whether a copy on record is over",
            ("oss:GetObject",),
            (f"acs:oss:*:*:{to.state_bucket}/{to.state_prefix}*",),
        ),
        Grant(
            "uploads",
            "remove: look for open uploads",
            ("oss:ListMultipartUploads",),
            _buckets(to.destinations),
        ),
        Grant("code", "deploy: a place to upload code to", ("fc:GetTempBucketToken",), ("*",)),
        Grant(
            "notification",
            "deploy: let the watched bucket tell of its objects",
            (
                "oss:GetBucketEventNotification",
                "oss:PutBucketEventNotification",
                "oss:DeleteBucketEventNotification",
            ),
            tuple(f"acs:oss:*:*:{bucket}" for bucket in to.watched),
        ),
        Grant(
            "log",
            "deploy: the log project that `logConfig: auto` makes",
            (
                "log:GetProject",
                "log:CreateProject",
                "log:GetLogStore",
                "log:CreateLogStore",
                "log:GetIndex",
                "log:CreateIndex",
            ),
            tuple(each for project in _projects(to) for each in (project, f"{project}/*")),
        ),
        Grant(
            "log lines",
            "logs: read what the function has logged",
            ("log:GetLogStoreLogs",),
            tuple(f"{project}/logstore/*" for project in _projects(to)),
        ),
    )


def document(grants: Iterable[Grant]) -> dict[str, Any]:
    """The policy document of these grants, a statement each."""
    return {
        "Version": "1",
        "Statement": [
            {"Effect": "Allow", "Action": list(each.actions), "Resource": list(each.resources)}
            for each in grants
        ],
    }


def trust(service: str) -> dict[str, Any]:
    """A trust policy: this service may take on the role."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": [service]}}
    return {"Version": "1", "Statement": [statement]}


def rendered(to: Reach, parts: Collection[str] = ()) -> str:
    """The content of `ram-policy.json`: both documents, and what each statement is for."""
    grants = function_grants(to, parts)
    content = {
        "about": "Made by `make policy` from s.yaml; statement n of `policy` does what `purposes` says at n.",
        "role": to.role,
        "purposes": [each.why for each in grants],
        "trustPolicy": trust("fc.aliyuncs.com"),
        "policy": document(grants),
    }
    return json.dumps(content, indent=2) + "\n"


def _roles(to: Reach) -> tuple[str, ...]:
    """That of the function, and the one that OSS takes on to invoke it."""
    return tuple(f"acs:ram:*:{to.account}:role/{name}" for name in (to.role, TRIGGER_ROLE))


def _objects(patterns: Sequence[Pattern]) -> tuple[str, ...]:
    return _unique(f"acs:oss:*:*:{each.bucket}/{each.key}{'*' * each.is_prefix}" for each in patterns)


def _buckets(patterns: Sequence[Pattern]) -> tuple[str, ...]:
    return _unique(f"acs:oss:*:*:{each.bucket}" for each in patterns)


def _function(to: Reach, name: str) -> tuple[str, ...]:
    """A function, and what is below it: versions, aliases, triggers."""
    arn = f"acs:fc:{to.region}:{to.account}:functions/{name}"
    return arn, f"{arn}/*"


def _projects(to: Reach) -> tuple[str, ...]:
    """Of the log service, as `logConfig: auto` names them."""
    starts = (f"serverless-{to.region}", f"aliyun-fc-{to.region}")
    return tuple(f"acs:log:{to.region}:{to.account}:project/{start}-*" for start in starts)


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m functions.cli.template.policy", description=__doc__)
    reach.add_arguments(parser)
    add_parts(parser)
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--setup", action="store_true", help="print what `make setup` needs, once, instead")
    other.add_argument("--deployer", action="store_true", help="print what every deploy needs instead")
    parser.add_argument("--output", type=Path, default=DOCUMENT, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        to = reach.read(options.template, dict(options.var), environment.read())
        if options.setup or options.deployer:
            grants = setup_grants(to) if options.setup else deployer_grants(to)
            print(json.dumps(document(grants), indent=2))
            return 0
        options.output.write_text(rendered(to, options.with_part), encoding="utf-8")
    except TemplateError as error:
        print(f"policy: {error}", file=sys.stderr)
        return 2
    print(f"{options.output}: what role {to.role} may do, in account {to.account}, region {to.region}")
    return 0


def add_parts(parser: argparse.ArgumentParser) -> None:
    """`--with`, for the tools that make the policy."""
    told = "; ".join(f"{name}: {what}" for name, what in OPTIONAL.items())
    parser.add_argument(
        "--with", dest="with_part", action="append", default=[], choices=list(OPTIONAL), help=told
    )


if __name__ == "__main__":
    sys.exit(main())
