"""Plans what a deployment needs before `s deploy`: state bucket, lifecycle rules, roles and their policies.

Looks first and makes steps; whoever has the plan carries it out. Existing things stay as they are, so that a
second plan is empty. Nothing is ever deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from functions.cli import rights
from functions.cli.account import lifecycle
from functions.cli.account.buckets import Bucket, Buckets
from functions.cli.account.lifecycle import Wanted
from functions.cli.account.roles import Document, Kind, Roles
from functions.cli.errors import ServiceRefused
from functions.cli.rights import Reach
from functions.cli.template import LAYER
from functions.cli.template.props import TRIGGER_ROLE
from osscopy import plan as copying
from osscopy.check.config import UNSIGNED

RECORDS_DAYS = 30
UPLOADS_DAYS = 10  # more than the week after which a copy is given up
_WEEK = copying.MAX_AGE // 86400


class Step(msgspec.Struct, frozen=True):
    """One change to the account."""

    text: str
    do: Callable[[], None]


class Plan(msgspec.Struct, frozen=True):
    """Steps in their order, and notes for the deployer."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]


class BucketInOss(msgspec.Struct, frozen=True):
    """A bucket as it is now; None where there is none."""

    bucket: Bucket | None
    rules: bytes | None = None


def plan(to: Reach, buckets: Buckets, roles: Roles, parts: Collection[str] = ()) -> Plan:
    """Return the plan; raise ServiceRefused if something exists that setup must not change."""
    destinations = [each.bucket for each in to.destinations]
    seen = {name: _see(buckets, name) for name in dict.fromkeys([to.state_bucket, *destinations])}
    _check_state(to, seen[to.state_bucket])
    notes = [note for name in dict.fromkeys(destinations) for note in _bucket_notes(to, name, seen[name])]
    steps = [
        *_new_bucket(buckets, to.state_bucket, seen[to.state_bucket]),
        *(step for name in seen for step in _rules(to, buckets, name, seen[name])),
        *_function_roles(to, roles, [*parts, *_versioned(seen, destinations)], notes),
        *(_trigger_role(roles) if to.watched else ()),
    ]
    if not to.is_signed:
        notes.append(f"without STATE_KEY {UNSIGNED} (SETTINGS.md, The key)")
    notes += [
        f"not done here: publish the layer ({LAYER}) and name its version in s.yaml",
        "not done here: a bucket of another account has to grant the role these actions in its policy",
    ]
    return Plan(tuple(steps), tuple(notes))


# --- buckets ---


def _versioned(seen: Mapping[str, BucketInOss], destinations: Sequence[str]) -> Iterator[str]:
    """Yield the part of the policy that a destination with versioning needs."""
    found = [seen[name].bucket for name in destinations]
    if any(bucket is not None and bucket.versioning for bucket in found):
        yield "versioned"


def _see(buckets: Buckets, name: str) -> BucketInOss:
    found = buckets.look(name)
    return BucketInOss(found, buckets.rules(name) if found else None)


def _check_state(to: Reach, seen: BucketInOss) -> None:
    """Raise ServiceRefused if the state bucket exists and cannot be one."""
    found, wrong = seen.bucket, None
    if found is None:
        return
    if found.owner != to.account:
        wrong = f"belongs to account {found.owner}, and accountId is {to.account}"
    elif found.versioning:
        wrong = f"is versioned ({found.versioning}), for good: records could be overwritten"
    elif found.acl != "private":
        wrong = f"is {found.acl}, and records are nobody's business"
    elif found.region != to.region:
        wrong = f"is in {found.region}, and the function in {to.region}"
    if wrong:
        raise ServiceRefused(f"bucket {to.state_bucket} {wrong}: choose another stateBucket")
    for kept in (f"{to.state_prefix}open/", f"{to.state_prefix}up/"):
        if deleting := lifecycle.expiring(seen.rules, kept):
            text = f"bucket {to.state_bucket}: lifecycle rule {', '.join(deleting)} deletes {kept}"
            raise ServiceRefused(f"{text}, the memory of copies under way: narrow its prefix")


def _bucket_notes(to: Reach, name: str, seen: BucketInOss) -> Iterator[str]:
    """Yield what the deployer should know of a destination."""
    if seen.bucket is None:
        if name != to.state_bucket:
            yield f"there is no destination bucket {name} yet: make it, and run this again"
        return
    if seen.bucket.owner != to.account:
        yield f"bucket {name} belongs to account {seen.bucket.owner}, not {to.account}: left as it is"
    if seen.bucket.region != to.region:
        yield f"bucket {name} is in {seen.bucket.region}: OSS copies within {to.region} only"
    for wanted in _wanted(to, name):
        days = lifecycle.aborts_after(seen.rules, wanted.prefix)
        if wanted.action == "AbortMultipartUpload" and days is not None and days <= _WEEK:
            yield f"bucket {name}: uploads are aborted after {days} days already; a copy may take {_WEEK}"


def _new_bucket(buckets: Buckets, name: str, seen: BucketInOss) -> Iterator[Step]:
    if seen.bucket is None:
        yield Step(f"make bucket {name}: private, without versioning", partial(buckets.make, name))


def _wanted(to: Reach, name: str) -> list[Wanted]:
    """Return the lifecycle rules of a bucket: records expire, and so do uploads.

    The sweep aborts uploads by the records: where these are gone, only the rule about uploads is left.
    """
    wanted = []
    prefixes = [each.key for each in to.destinations if each.bucket == name]
    if name == to.state_bucket:
        prefixes.append(to.state_prefix)
        wanted = [
            Wanted(f"oss-copy-{kind}", f"{to.state_prefix}{kind}/", "Expiration", RECORDS_DAYS)
            for kind in ("done", "cancel", "key", *(["told"] if to.tells else []))
        ]
    widest = [each for each in dict.fromkeys(prefixes) if not any(_inside(each, other) for other in prefixes)]
    return wanted + [
        Wanted(f"oss-copy-uploads-{number}", prefix, "AbortMultipartUpload", UPLOADS_DAYS)
        for number, prefix in enumerate(widest, 1)
    ]


def _inside(prefix: str, other: str) -> bool:
    return prefix != other and prefix.startswith(other)


def _rules(to: Reach, buckets: Buckets, name: str, seen: BucketInOss) -> Iterator[Step]:
    """Put all rules of a bucket in one step: putting some replaces all."""
    theirs = seen.bucket is None or seen.bucket.owner != to.account
    if theirs and name != to.state_bucket:
        return
    added = lifecycle.missing(seen.rules, _wanted(to, name))
    if added:
        put = partial(
            buckets.put_rules,
            name,
            lifecycle.merged(seen.rules, added),
            overlapping=lifecycle.overlaps(seen.rules, added),
        )
        yield Step(f"add lifecycle rules to bucket {name}: {'; '.join(map(str, added))}", put)


# --- roles ---


def _function_roles(to: Reach, roles: Roles, parts: Collection[str], notes: list[str]) -> Iterator[Step]:
    for role, grants in rights.role_grants(to, parts).items():
        yield from _function_role(role, rights.document(grants), roles, notes)


def _function_role(name: str, document: Document, roles: Roles, notes: list[str]) -> Iterator[Step]:
    yield from _role(roles, name, "fc.aliyuncs.com", "A role that oss-copy works with")
    there = roles.policy(name)
    if there is None:
        make = partial(roles.make_policy, name, document, "The rights of oss-copy, made by oss-copy setup")
        yield Step(f"make policy {name}: what `oss-copy policy` writes", make)
    elif there != document:
        yield Step(f"renew policy {name}", partial(roles.change_policy, name, document))
    attached = roles.attached(name)
    yield from _attachment(roles, attached, name, "Custom", name)
    for _, other in sorted(attached - {("Custom", name)}):
        notes.append(f"role {name} has also policy {other}: the function does not need it")


def _trigger_role(roles: Roles) -> Iterator[Step]:
    """Make the role that OSS assumes to invoke the function."""
    name = TRIGGER_ROLE
    yield from _role(roles, name, "oss.aliyuncs.com", "OSS invokes functions with it")
    yield from _attachment(roles, roles.attached(name), name, "System", rights.TRIGGER_POLICY)


def _role(roles: Roles, name: str, service: str, description: str) -> Iterator[Step]:
    wanted, there = rights.trust(service), roles.trust_of(name)
    if there is None:
        yield Step(f"make role {name}, for {service}", partial(roles.make_role, name, wanted, description))
    elif not _trusts(there, service):
        widened = {**there, "Statement": [*there.get("Statement", []), *wanted["Statement"]]}
        yield Step(f"let {service} take on role {name} as well", partial(roles.change_trust, name, widened))


def _trusts(trust: Document, service: str) -> bool:
    return any(
        each.get("Effect") == "Allow" and service in each.get("Principal", {}).get("Service", [])
        for each in trust.get("Statement", [])
    )


def _attachment(
    roles: Roles, attached: Collection[tuple[Kind, str]], role: str, kind: Kind, name: str
) -> Iterator[Step]:
    if (kind, name) not in attached:
        yield Step(f"attach policy {name} to role {role}", partial(roles.attach, role, kind, name))
