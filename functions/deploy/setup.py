"""`make setup`: what a deployment needs before `s deploy`. It shows what is missing, and makes it if told to.

Looks first, plans, and carries the plan out only with `--yes` (`make setup CONFIRM=1`); what is there already
is left as it is, so that a second run finds nothing to do. Nothing is ever deleted. Credentials come from
ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and ALIBABA_CLOUD_SECURITY_TOKEN.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

import msgspec

from functions.deploy import deployment, lifecycle, policy
from functions.deploy.buckets import Bucket, Buckets, Obstacle
from functions.deploy.deployment import Deployment, DeploymentError
from functions.deploy.lifecycle import Wanted
from functions.deploy.roles import Document, Kind, RamRoles, Roles
from osscopy import plan as copying
from osscopy import settings

RECORDS_DAYS = 30
UPLOADS_DAYS = 10  # more than the week after which a copy is given up
_WEEK = copying.MAX_AGE // 86400


class Step(msgspec.Struct, frozen=True):
    what: str
    do: Callable[[], None]


class Plan(msgspec.Struct, frozen=True):
    steps: tuple[Step, ...]
    notes: tuple[str, ...]


def plan(to: Deployment, buckets: Buckets, roles: Roles, parts: Collection[str] = ()) -> Plan:
    """What is to be done, in this order; Obstacle if something is there that setup must not change."""
    notes: list[str] = []
    steps = [
        *_state(to, buckets),
        *_destinations(to, buckets, notes),
        *_function_role(to, roles, parts, notes),
        *(_trigger_role(roles) if to.watched else ()),
    ]
    notes += [
        f"not done here: publish the layer ({policy.LAYER}) and name its version in s.yaml",
        "not done here: a bucket of another account has to grant the role these actions in its policy",
    ]
    return Plan(tuple(steps), tuple(notes))


# --- buckets -----------------------------------------------------------------------------------------------


def _state(to: Deployment, buckets: Buckets) -> Iterator[Step]:
    name, prefix = to.state_bucket, to.state_prefix
    found = buckets.look(name)
    if found is None:
        yield Step(f"make bucket {name}: private, without versioning", partial(buckets.make, name))
    else:
        _check_state(to, found)
    rules = buckets.rules(name) if found else None
    for kept in ("open/", "up/"):
        if deleting := lifecycle.expiring(rules, prefix + kept):
            raise Obstacle(
                f"bucket {name}: lifecycle rule {', '.join(deleting)} deletes {prefix}{kept}, the memory of "
                "copies under way: narrow its prefix"
            )
    wanted = [
        Wanted(f"oss-copy-{kind}", f"{prefix}{kind}/", "Expiration", RECORDS_DAYS)
        for kind in ("done", "cancel", "key")
    ]
    wanted.append(Wanted("oss-copy-uploads", prefix, "AbortMultipartUpload", UPLOADS_DAYS))
    yield from _rules(buckets, name, rules, wanted)


def _check_state(to: Deployment, found: Bucket) -> None:
    wrong = None
    if found.owner != to.account:
        wrong = f"belongs to account {found.owner}, and accountId is {to.account}"
    elif found.versioning:
        wrong = f"is versioned ({found.versioning}), for good: records could be overwritten"
    elif found.acl != "private":
        wrong = f"is {found.acl}, and records are nobody's business"
    elif found.region != to.region:
        wrong = f"is in {found.region}, and the function in {to.region}"
    if wrong:
        raise Obstacle(f"bucket {to.state_bucket} {wrong}: choose another stateBucket")


def _destinations(to: Deployment, buckets: Buckets, notes: list[str]) -> Iterator[Step]:
    """A net for uploads that nobody remembers: the sweep ends them, unless the state bucket is lost."""
    for name in dict.fromkeys(each.bucket for each in to.destinations):
        found = buckets.look(name)
        if found is None:
            notes.append(f"there is no destination bucket {name} yet: make it, and run this again")
            continue
        if found.owner != to.account:
            notes.append(f"bucket {name} belongs to account {found.owner}, and accountId is {to.account}")
        if found.region != to.region:
            notes.append(f"bucket {name} is in {found.region}: OSS copies within {to.region} only")
        rules = buckets.rules(name)
        wanted: list[Wanted] = []
        for pattern in (each for each in to.destinations if each.bucket == name):
            prefix = pattern.key
            wanted.append(
                Wanted(f"oss-copy-uploads-{len(wanted) + 1}", prefix, "AbortMultipartUpload", UPLOADS_DAYS)
            )
            days = lifecycle.aborts_after(rules, prefix)
            if days is not None and days <= _WEEK:
                text = f"bucket {name}: uploads under {prefix}* are aborted after {days} days"
                notes.append(f"{text}; a copy may take {_WEEK}")
        yield from _rules(buckets, name, rules, wanted)


def _rules(buckets: Buckets, name: str, rules: bytes | None, wanted: Sequence[Wanted]) -> Iterator[Step]:
    added = lifecycle.missing(rules, wanted)
    if added:
        put = partial(
            buckets.put_rules,
            name,
            lifecycle.merged(rules, added),
            overlapping=lifecycle.overlaps(rules, added),
        )
        told = "; ".join(str(each) for each in added)
        yield Step(f"add lifecycle rules to bucket {name}: {told}", put)


# --- roles -------------------------------------------------------------------------------------------------


def _function_role(to: Deployment, roles: Roles, parts: Collection[str], notes: list[str]) -> Iterator[Step]:
    name, document = to.role, policy.document(policy.function_grants(to, parts))
    yield from _role(roles, to.role, "fc.aliyuncs.com", "What oss-copy works with")
    there = roles.policy(name)
    if there is None:
        make = partial(roles.make_policy, name, document, "What oss-copy needs, made by make setup")
        yield Step(f"make policy {name}: what `make policy` writes", make)
    elif there != document:
        yield Step(f"renew policy {name}", partial(roles.change_policy, name, document))
    attached = roles.attached(to.role)
    yield from _attachment(roles, attached, to.role, "Custom", name)
    for _, other in sorted(attached - {("Custom", name)}):
        notes.append(f"role {to.role} has also policy {other}: the function does not need it")


def _trigger_role(roles: Roles) -> Iterator[Step]:
    """OSS takes it on to invoke the function."""
    name = policy.TRIGGER_ROLE
    yield from _role(roles, name, "oss.aliyuncs.com", "OSS invokes functions with it")
    yield from _attachment(roles, roles.attached(name), name, "System", policy.TRIGGER_POLICY)


def _role(roles: Roles, name: str, service: str, description: str) -> Iterator[Step]:
    wanted, there = policy.trust(service), roles.trust_of(name)
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


# --- the program -------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """0: what is missing was shown, or made. 2: something is in the way; the message says what to do."""
    options = _parser().parse_args(arguments)
    try:
        to = deployment.read(options.template, dict(options.var))
        access_key = settings.environment_credentials()
        if access_key is None:
            raise Obstacle(
                "no credentials: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"
            )
        oss = options.oss_endpoint or f"https://oss-{to.region}.aliyuncs.com"
        buckets = Buckets(access_key, oss, to.region)
        planned = plan(to, buckets, RamRoles(access_key, options.ram_endpoint, to.region), options.with_part)
        print(f"{to.function} in {to.region}, account {to.account}")
        for step in planned.steps:
            if options.yes:
                step.do()
            print(f"  {'done' if options.yes else 'to do'}: {step.what}")
    except (Obstacle, DeploymentError) as error:
        print(f"setup: {error}", file=sys.stderr)
        return 2
    for note in planned.notes:
        print(f"  note: {note}")
    print(_verdict(len(planned.steps), done=options.yes))
    return 0


def _verdict(count: int, *, done: bool) -> str:
    if not count:
        return "nothing to do: all is there"
    return f"{count} done" if done else f"{count} to do, nothing done yet: `make setup CONFIRM=1` does it"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m functions.deploy.setup", description=__doc__)
    deployment.add_arguments(parser)
    policy.add_parts(parser)
    parser.add_argument("--yes", action="store_true", help="do it; without, it is only shown")
    parser.add_argument("--oss-endpoint", metavar="URL", help="default: that of the region")
    parser.add_argument("--ram-endpoint", metavar="URL", default="https://ram.aliyuncs.com")
    return parser


if __name__ == "__main__":
    sys.exit(main())
