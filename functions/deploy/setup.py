"""`make setup`: what a deployment needs before `s deploy`. It shows what is missing, and makes it if told to.

Looks first, plans, and carries the plan out only with `--yes` (`make setup CONFIRM=1`); what is there already
is left as it is, so that a second run finds nothing to do. Nothing is ever deleted. Credentials come from
ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and ALIBABA_CLOUD_SECURITY_TOKEN.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from functions.deploy import environment, lifecycle, mistakes, policy, reach, template
from functions.deploy.buckets import Bucket, Buckets, Obstacle
from functions.deploy.lifecycle import Wanted
from functions.deploy.reach import Reach
from functions.deploy.roles import Document, Kind, RamRoles, Roles
from functions.deploy.template import TemplateError
from osscopy import plan as copying, settings

RECORDS_DAYS = 30
UPLOADS_DAYS = 10  # more than the week after which a copy is given up
_WEEK = copying.MAX_AGE // 86400


class Step(msgspec.Struct, frozen=True):
    what: str
    do: Callable[[], None]


class Plan(msgspec.Struct, frozen=True):
    steps: tuple[Step, ...]
    notes: tuple[str, ...]


class Seen(msgspec.Struct, frozen=True):
    """A bucket as it is now; None where there is none."""

    bucket: Bucket | None
    rules: bytes | None = None


def plan(to: Reach, buckets: Buckets, roles: Roles, parts: Collection[str] = ()) -> Plan:
    """What is to be done, in this order; Obstacle if something is there that setup must not change."""
    destinations = [each.bucket for each in to.destinations]
    seen = {name: _see(buckets, name) for name in dict.fromkeys([to.state_bucket, *destinations])}
    _check_state(to, seen[to.state_bucket])
    notes = [note for name in dict.fromkeys(destinations) for note in _bucket_notes(to, name, seen[name])]
    steps = [
        *_new_bucket(buckets, to.state_bucket, seen[to.state_bucket]),
        *(step for name in seen for step in _rules(to, buckets, name, seen[name])),
        *_function_role(to, roles, parts, notes),
        *(_trigger_role(roles) if to.watched else ()),
    ]
    notes += [
        f"not done here: publish the layer ({policy.LAYER}) and name its version in s.yaml",
        "not done here: a bucket of another account has to grant the role these actions in its policy",
    ]
    return Plan(tuple(steps), tuple(notes))


# --- buckets -----------------------------------------------------------------------------------------------


def _see(buckets: Buckets, name: str) -> Seen:
    found = buckets.look(name)
    return Seen(found, buckets.rules(name) if found else None)


def _check_state(to: Reach, seen: Seen) -> None:
    """Obstacle if the state bucket is there and cannot be one."""
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
        raise Obstacle(f"bucket {to.state_bucket} {wrong}: choose another stateBucket")
    for kept in (f"{to.state_prefix}open/", f"{to.state_prefix}up/"):
        if deleting := lifecycle.expiring(seen.rules, kept):
            text = f"bucket {to.state_bucket}: lifecycle rule {', '.join(deleting)} deletes {kept}"
            raise Obstacle(f"{text}, the memory of copies under way: narrow its prefix")


def _bucket_notes(to: Reach, name: str, seen: Seen) -> Iterator[str]:
    """What the deployer should know of a destination."""
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


def _new_bucket(buckets: Buckets, name: str, seen: Seen) -> Iterator[Step]:
    if seen.bucket is None:
        yield Step(f"make bucket {name}: private, without versioning", partial(buckets.make, name))


def _wanted(to: Reach, name: str) -> list[Wanted]:
    """Lifecycle rules of a bucket: records expire; what the sweep cannot end any more is ended all the same.

    The sweep ends uploads by the records: without these, the rule about uploads is the last net.
    """
    wanted = []
    prefixes = [each.key for each in to.destinations if each.bucket == name]
    if name == to.state_bucket:
        prefixes.append(to.state_prefix)
        wanted = [
            Wanted(f"oss-copy-{kind}", f"{to.state_prefix}{kind}/", "Expiration", RECORDS_DAYS)
            for kind in ("done", "cancel", "key")
        ]
    widest = [each for each in dict.fromkeys(prefixes) if not any(_inside(each, other) for other in prefixes)]
    return wanted + [
        Wanted(f"oss-copy-uploads-{number}", prefix, "AbortMultipartUpload", UPLOADS_DAYS)
        for number, prefix in enumerate(widest, 1)
    ]


def _inside(prefix: str, other: str) -> bool:
    return prefix != other and prefix.startswith(other)


def _rules(to: Reach, buckets: Buckets, name: str, seen: Seen) -> Iterator[Step]:
    """All rules of a bucket in one step: putting some replaces all."""
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
        told = "; ".join(str(each) for each in added)
        yield Step(f"add lifecycle rules to bucket {name}: {told}", put)


# --- roles -------------------------------------------------------------------------------------------------


def _function_role(to: Reach, roles: Roles, parts: Collection[str], notes: list[str]) -> Iterator[Step]:
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
        shell = environment.read()
        to = reach.read(options.template, dict(options.var), shell)
        access_key = settings.environment_credentials(template.environment_of(options.template, shell))
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
    except (Obstacle, TemplateError) as error:
        print(f"setup: {error}", file=sys.stderr)
        return 2
    for note in (*_judged(options, shell), *planned.notes):
        print(f"  note: {note}")
    print(_verdict(len(planned.steps), done=options.yes))
    return 0


def _judged(options: argparse.Namespace, shell: Mapping[str, str]) -> list[str]:
    """What `make template` says of the template: setup goes by it all the same."""
    deployment = template.read(options.template, shell, dict(options.var))
    return template.rendered(options.template, deployment.places, mistakes.find(deployment))


def _verdict(count: int, *, done: bool) -> str:
    if not count:
        return "nothing to do: all is there"
    return f"{count} done" if done else f"{count} to do, nothing done yet: `make setup CONFIRM=1` does it"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m functions.deploy.setup", description=__doc__)
    reach.add_arguments(parser)
    policy.add_parts(parser)
    parser.add_argument("--yes", action="store_true", help="do it; without, it is only shown")
    parser.add_argument("--oss-endpoint", metavar="URL", help="default: that of the region")
    parser.add_argument("--ram-endpoint", metavar="URL", default="https://ram.aliyuncs.com")
    return parser


if __name__ == "__main__":
    sys.exit(main())
