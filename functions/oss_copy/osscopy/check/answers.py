"""Judgements of OSS's and FC's answers: pure, from values to findings.

Knows what an answer means for copies, and what to do about it; asks nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from osscopy import plan
from osscopy.check.config import nested
from osscopy.check.report import Finding, failed, graded, ok, warning
from osscopy.model import BucketInfo, Grade, LifecycleRule, OssCopyError, Retention, Transient

SKEW_WARNING, SKEW_LIMIT = 300, 900  # seconds; beyond 900 OSS refuses requests (RequestTimeTooSkewed)
DAY = 86_400
KEEP_DAYS = plan.MAX_AGE // DAY + 1  # that records have to be kept: a copy may take a week
SETTLED = ("done/", "cancel/", "key/")  # records that are to expire some day
TOLD = "told/"  # and these, where somebody is told
LIVING = ("open/", "up/", "tell/")  # records that must not

RIGHTS = frozenset({"AccessDenied", "HTTP401", "HTTP403"})  # what is refused for want of a right
AGAIN = "run the check again; if it lasts, look at OSS's and FC's status and quotas"


def refusal(right: str, error: OssCopyError, lack: Grade) -> Finding:
    """Judge a question that OSS or FC refused. `right`: what it takes; `lack`: how bad it is to lack that."""
    status, advice = _judge(error, right, lack)
    code = f"{error.code}: " if error.code not in error.message else ""
    asked = f" (request id {error.request_id})" if error.request_id else ""
    return Finding(status, f"{code}{error.message}{asked}"[:600], advice)


_ROLE = "see that `role` in s.yaml names a role of this account that trusts fc.aliyuncs.com"
_REGION = "use a bucket of the function's region, or deploy the function in the bucket's"
_ENDPOINT = "remove OSS_ENDPOINT, or correct it: endpoint and region do not fit"
_BY_WORDS = {  # what has a code that says less
    "addressed using the specified endpoint": _REGION,  # AccessDenied (OSS documentation, 403 errors)
    "same data center": _REGION,
    "signing region": _ENDPOINT,  # InvalidArgument
    "forbidden by kms": (
        "grant the function's role kms:GenerateDataKey and kms:Decrypt (oss-copy policy --with kms): source "
        "or destination is encrypted with KMS"
    ),
    "requester pay": "set requestPayer in the rules and requests that copy from this bucket",
}
_BY_CODE = {
    "NoSuchBucket": "create the bucket, or correct its name in the settings (s.yaml: vars)",
    "RequestTimeTooSkewed": "the function's clock is wrong: retry; if it lasts, report it to FC's support",
    "NetworkError": (
        "remove OSS_ENDPOINT and INVOKE_ENDPOINT, so that the internal endpoints of the region are used, "
        f"or correct them; if neither is set, {AGAIN}"
    ),
    **dict.fromkeys(("InvalidAccessKeyId", "InvalidSecurityToken", "SecurityTokenExpired"), _ROLE),
    "SignatureDoesNotMatch": _ENDPOINT,
    "FileImmutable": "a retention policy protects the bucket: choose another one",
    "FunctionNotFound": "remove INVOKE_FUNCTION, or correct it",
}


def _judge(error: OssCopyError, right: str, lack: Grade) -> tuple[Grade, str]:
    for words, advice in _BY_WORDS.items():
        if words in error.message:
            return "failed", advice
    if error.code in _BY_CODE:
        return "failed", _BY_CODE[error.code]
    if error.code == "SourceChanged":
        return "warning", f"the object that is copied on trial has just been changed: {AGAIN}"
    if error.code in RIGHTS:
        return lack, (
            f"grant the function's role {right}; if another account owns the bucket, in its bucket policy too"
        )
    if isinstance(error, Transient):
        return "warning", AGAIN
    return "failed", "look at the message; if it does not help, report it with the request id"


def clock(theirs: int, ours: float) -> Finding:
    """Compare OSS's clock with the function's, both in Unix seconds."""
    skew = round(ours - theirs)
    if abs(skew) <= 1:
        return ok("the function's clock agrees with OSS's")
    status: Grade = "failed" if abs(skew) > SKEW_LIMIT else "warning" if abs(skew) > SKEW_WARNING else "ok"
    advice = f"OSS refuses requests at {SKEW_LIMIT} s: if it grows, report it to FC's support"
    way = "fast" if skew > 0 else "slow"
    return graded(status, f"the function's clock is {abs(skew)} s {way} by OSS's", advice)


def region(info: BucketInfo, own: str) -> Finding:
    """Judge a bucket's region: OSS copies within one region only."""
    if info.region == own:
        return ok(info.region)
    return failed(
        f"the bucket is in {info.region}, the function in {own}",
        "use a bucket of the function's region, or deploy the function in the bucket's (s.yaml: region)",
    )


def versioning(role: str, info: BucketInfo) -> Finding:
    """Judge versioning: the state bucket must have none; `never` at a destination is weaker with it."""
    has = info.versioning
    if has is None:
        return ok("off")
    if role == "stateBucket":
        return failed(
            f"{has}: records could be overwritten, and the function refuses to write any",
            "use another bucket as STATE_BUCKET: versioning can be suspended, but never switched off",
        )
    if role == "destinationBucket":
        return warning(
            f"{has}: OSS does not enforce `never` by itself here; somebody who writes between the look and "
            "the copy is overwritten (his version stays)",
            "grant the role oss:DeleteObjectVersion (oss-copy policy --with versioned), to undo a wrong copy",
        )
    return ok(f"{has}: the version seen at the start is copied")


def retention(role: str, policy: Retention | None) -> Finding:
    """Judge a retention policy: under it nothing is overwritten, and records cannot be deleted."""
    if policy is None:
        return ok("none")
    text = f"{policy.state}, {policy.days} days: "
    if role == "stateBucket":
        return failed(
            f"{text}records of copies could not be deleted",
            "use a bucket without retention policy as STATE_BUCKET",
        )
    return warning(
        f"{text}what is written stays; a copy to an existing key fails with FileImmutable",
        "copy to keys that are new each time (a template with {date:…}), or set `overwrite` to `never`",
    )


def state_lifecycle(prefix: str, rules: Sequence[LifecycleRule], *, tells: bool = False) -> list[Finding]:
    """Judge the expiry of records: those of open copies must stay, others go, but not within a week."""
    expiring = [rule for rule in rules if rule.expires is not None and not rule.tagged]
    days = {
        prefix + kind: [rule.expires or 0 for rule in expiring if (prefix + kind).startswith(rule.prefix)]
        for kind in (*SETTLED, *((TOLD,) if tells else ()))
    }
    found = [
        failed(
            f"rule {rule.id!r} ({rule.prefix}*) expires records of copies that are under way",
            f"restrict it to {prefix}done/, {prefix}cancel/ and {prefix}key/",
        )
        for rule in expiring
        if any(nested(rule.prefix, prefix + kind) for kind in LIVING)
    ]
    if lasting := [place for place, known in days.items() if not known]:
        text = f"{', '.join(lasting)}: never expire, so that records pile up"
        found.append(warning(text, "add rules that expire them after 30 days"))
    found += [
        warning(
            f"{place} expires {_when(min(known))}, and a copy may take a week",
            f"let it expire after {KEEP_DAYS} days or more (30 are usual)",
        )
        for place, known in days.items()
        if known and min(known) < KEEP_DAYS
    ]
    return found or [ok("ended copies expire, open ones stay")]


def destination_lifecycle(prefixes: Sequence[str], rules: Sequence[LifecycleRule]) -> Finding:
    """Judge AbortMultipartUpload rules: there has to be one, and it must not be quicker than a copy."""
    aborting = [rule for rule in rules if rule.aborts is not None and not rule.tagged]
    for rule in aborting:
        hasty = (rule.aborts or 0) * DAY < plan.MAX_AGE
        if hasty and any(nested(rule.prefix, prefix) for prefix in prefixes):
            when = _when(rule.aborts)
            text = f"rule {rule.id!r} ({rule.prefix}*) aborts uploads {when}, and a copy may take a week"
            return warning(text, "let it abort after 8 days or more")
    for prefix in prefixes:
        if not any(prefix.startswith(rule.prefix) for rule in aborting):
            text = f"no AbortMultipartUpload rule for {prefix}*: uploads that are lost stay, and are charged"
            return warning(text, "add a lifecycle rule that aborts uploads after 8 days or more")
    return ok("uploads that are lost are aborted")


def _when(days: int | None) -> str:
    return f"after {days} days" if days else "by date"


def invocations(first: bool, second: bool) -> Finding:
    """Judge one task id that was submitted twice. True: accepted."""
    if not first:
        return failed("FC knew a task id that nobody had used", AGAIN)
    if second:
        text = "one task id was accepted twice: chains of one copy could double"
        return failed(text, "set asyncInvokeConfig.asyncTask to true, and deploy")
    return ok("it may invoke itself, and a task id is accepted once")


def sweep(count: int, oldest: int, over: bool, patience: float, more: bool) -> Finding:
    """Judge records of open copies: how many, the oldest one's age in seconds, and if that copy is over."""
    if not count:
        return ok("no copy is on record: whether the sweep runs cannot be seen")
    text = f"{count}{' or more' if more else ''} copies on record, the oldest for {_time(oldest)}"
    advice = 'see that the trigger `sweep` is there and enabled, with the payload {"action": "sweep"}'
    if over and oldest > patience:
        return warning(f"{text}, though it has ended: no sweep seems to run", advice)
    if oldest > plan.MAX_AGE + patience:
        return warning(f"{text}, longer than any copy lives: no sweep seems to run", advice)
    return ok(text)


def _time(seconds: int) -> str:
    for size, name in ((DAY, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}"
    return f"{seconds} seconds"


def left(names: Sequence[str], ended: int) -> Finding:
    """Name what the check could not take away again."""
    if names:
        text = f"the check could not take away: {', '.join(names[:20])}"
        return failed(text, "delete the objects, abort the uploads (ossutil rm, rm -m)")
    more = f"; {ended} objects or uploads of an earlier check, which was interrupted, are removed"
    return ok(f"nothing{more if ended else ''}")
