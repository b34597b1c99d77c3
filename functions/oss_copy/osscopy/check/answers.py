"""What the check makes of OSS's and FC's answers: pure, from values to lines.

Knows what an answer means for copies, and what to do about it; asks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from osscopy import plan
from osscopy.check.config import line
from osscopy.model import BucketInfo, Grade, LifecycleRule, Line, OssCopyError, Retention, Transient

SKEW_WARNING, SKEW_LIMIT = 300, 900  # seconds; beyond 900 OSS refuses requests (RequestTimeTooSkewed)
DAY = 86_400
KEEP_DAYS = plan.MAX_AGE // DAY + 1  # that records have to be kept: a copy may take a week
SETTLED = ("done/", "cancel/", "key/")  # records that are to expire some day
LIVING = ("open/", "up/")  # records that must not

RIGHTS = frozenset({"AccessDenied", "HTTP401", "HTTP403"})  # what is refused for want of a right
AGAIN = "run the check again; if it lasts, look at OSS's and FC's status and quotas"


# --- questions that were not answered ----------------------------------------------------------------------


def refusal(check: str, subject: str | None, needs: str, error: OssCopyError, denied: Grade) -> Line:
    """A question that OSS or FC refused. `needs`: the right it takes; `denied`: how bad its lack is."""
    status, advice = _judge(error, needs, denied)
    code = f"{error.code}: " if error.code not in error.message else ""
    asked = f" (request id {error.request_id})" if error.request_id else ""
    return line(check, status, f"{code}{error.message}{asked}"[:600], advice, subject)


_ROLE = "see that `role` in s.yaml names a role of this account that trusts fc.aliyuncs.com"
_ENDPOINT = "remove OSS_ENDPOINT, or correct it: endpoint and region do not fit"
_BY_CODE: dict[str, tuple[Grade, str]] = {
    "NoSuchBucket": ("failed", "create the bucket, or correct its name in the settings (s.yaml: vars)"),
    "RequestTimeTooSkewed": (
        "failed",
        "the function's clock is wrong: retry; if it lasts, report it to FC's support",
    ),
    "NetworkError": (
        "failed",
        (
            "remove OSS_ENDPOINT and INVOKE_ENDPOINT, so that the internal endpoints of the region are used, "
            f"or correct them; if neither is set, {AGAIN}"
        ),
    ),
    **dict.fromkeys(
        ("InvalidAccessKeyId", "InvalidSecurityToken", "SecurityTokenExpired"), ("failed", _ROLE)
    ),
    "SignatureDoesNotMatch": ("failed", _ENDPOINT),
    "FileImmutable": ("failed", "a retention policy protects the bucket: choose another one"),
    "FunctionNotFound": ("failed", "remove INVOKE_FUNCTION, or correct it"),
    "SourceChanged": ("warning", f"the object that is copied on trial has just been changed: {AGAIN}"),
}


def _judge(error: OssCopyError, needs: str, denied: Grade) -> tuple[Grade, str]:
    if is_elsewhere(error):
        return "failed", "use a bucket of the function's region, or deploy the function in the bucket's"
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if "signing region" in error.message:  # 400 InvalidArgument
        return "failed", _ENDPOINT
    if error.code in RIGHTS:
        return _lacking(error.message, needs, denied)
    if isinstance(error, Transient):
        return "warning", AGAIN
    return "failed", "look at the message; if it does not help, report it with the request id"


def _lacking(message: str, needs: str, denied: Grade) -> tuple[Grade, str]:
    """What is refused for want of a right; OSS says in words only whether KMS did, or who is to pay."""
    if "forbidden by kms" in message:
        return "failed", (
            "grant the function's role kms:GenerateDataKey and kms:Decrypt (make policy, with kms): source "
            "or destination is encrypted with KMS"
        )
    if "requester pay" in message:
        return "failed", "set requestPayer in the rules and requests that copy from this bucket"
    return denied, (
        f"grant the function's role {needs}; if another account owns the bucket, in its bucket policy too"
    )


def is_elsewhere(error: OssCopyError) -> bool:
    """Whether it says that a bucket is in another region: in words only, the code is AccessDenied.

    "The bucket you are attempting to access must be addressed using the specified endpoint" (OSS: 403
    errors), and what CopyObject says of two regions (facts: Errors).
    """
    return "addressed using the specified endpoint" in error.message or "same data center" in error.message


def broken(check: str, subject: str | None, error: Exception) -> Line:
    """A question that could not be asked because of a fault of ours."""
    text = f"the check itself failed here: {type(error).__name__}: {error}"[:600]
    return line(check, "failed", text, "report it, with the function's log", subject)


def skipped(check: str, subject: str | None, why: str, advice: str) -> Line:
    return line(check, "skipped", f"not looked at: {why}", advice, subject)


# --- clock, region, versioning -----------------------------------------------------------------------------


def clock(theirs: int, ours: float) -> Line:
    """OSS's clock against the function's, both in Unix seconds."""
    skew = round(ours - theirs)
    status: Grade = "failed" if abs(skew) > SKEW_LIMIT else "warning" if abs(skew) > SKEW_WARNING else "ok"
    advice = f"OSS refuses requests at {SKEW_LIMIT} s: if it grows, report it to FC's support"
    if abs(skew) <= 1:
        return line("clock", status, "the function's clock agrees with OSS's")
    way = "fast" if skew > 0 else "slow"
    return line("clock", status, f"the function's clock is {abs(skew)} s {way} by OSS's", advice)


def region(role: str, bucket: str, info: BucketInfo, own: str) -> Line:
    """OSS copies within one region only."""
    check = f"{role}.region"
    if info.region == own:
        return line(check, "ok", info.region, subject=bucket)
    text = f"the bucket is in {info.region}, the function in {own}"
    advice = "use a bucket of the function's region, or deploy the function in the bucket's (s.yaml: region)"
    return line(check, "failed", text, advice, bucket)


def versioning(role: str, bucket: str, info: BucketInfo) -> Line:
    """The state bucket must have none; a destination's changes what `never` and the role need."""
    check, has = f"{role}.versioning", info.versioning
    if has is None:
        return line(check, "ok", "off", subject=bucket)
    if role == "stateBucket":
        text = f"{has}: records could be overwritten, and the function refuses to write any"
        advice = "use another bucket as STATE_BUCKET: versioning can be suspended, but never switched off"
        return line(check, "failed", text, advice, bucket)
    if role == "destinationBucket":
        text = (
            f"{has}: OSS does not enforce `never` by itself here; somebody who writes between the look and "
            "the copy is overwritten (his version stays)"
        )
        advice = "grant the role oss:GetObjectVersion and oss:DeleteObjectVersion; else nothing is to be done"
        return line(check, "warning", text, advice, bucket)
    return line(check, "ok", f"{has}: the version seen at the start is copied", subject=bucket)


# --- retention and lifecycle -------------------------------------------------------------------------------


def retention(role: str, bucket: str, policy: Retention | None) -> Line:
    """What must not be changed cannot be overwritten, and records cannot be deleted."""
    check = f"{role}.retention"
    if policy is None:
        return line(check, "ok", "none", subject=bucket)
    text = f"{policy.state}, {policy.days} days: "
    if role == "stateBucket":
        advice = "use a bucket without retention policy as STATE_BUCKET"
        return line(check, "failed", f"{text}records of copies could not be deleted", advice, bucket)
    text += "what is written stays; a copy to an existing key fails with FileImmutable"
    advice = "copy to keys that are new each time (a template with {date:…}), or set `overwrite` to `never`"
    return line(check, "warning", text, advice, bucket)


def state_lifecycle(bucket: str, prefix: str, rules: Sequence[LifecycleRule]) -> Iterator[Line]:
    """Records of open copies must not expire, those of ended ones should, but not before a week."""
    check = "stateBucket.lifecycle"
    expiring = [rule for rule in rules if rule.expires is not None and not rule.tagged]
    lethal = [rule for rule in expiring if any(_touches(rule, prefix + kind) for kind in LIVING)]
    for rule in lethal:
        yield line(
            check,
            "failed",
            f"rule {rule.id!r} ({rule.prefix}*) expires records of copies that are under way",
            f"restrict it to {prefix}done/, {prefix}cancel/ and {prefix}key/",
            bucket,
        )
    lasting: list[str] = []
    hasty: dict[str, str] = {}
    for kind in SETTLED:
        days = [rule.expires or 0 for rule in expiring if _covers(rule, prefix + kind)]
        if not days:
            lasting.append(prefix + kind)
        elif min(days) < KEEP_DAYS:
            hasty[prefix + kind] = _when(min(days))
    if lasting:
        text = f"{', '.join(lasting)}: never expire, so that records pile up"
        yield line(check, "warning", text, "add rules that expire them after 30 days", bucket)
    for place, when in hasty.items():
        text = f"{place} expires {when}, and a copy may take a week"
        advice = f"let it expire after {KEEP_DAYS} days or more (30 are usual)"
        yield line(check, "warning", text, advice, bucket)
    if not lethal and not lasting and not hasty:
        yield line(check, "ok", "ended copies expire, open ones stay", subject=bucket)


def destination_lifecycle(bucket: str, prefixes: Sequence[str], rules: Sequence[LifecycleRule]) -> Line:
    """The last net under uploads: an AbortMultipartUpload rule, that is not quicker than a copy may be."""
    check = "destinationBucket.lifecycle"
    aborting = [rule for rule in rules if rule.aborts is not None and not rule.tagged]
    hasty = [rule for rule in aborting if (rule.aborts or 0) * DAY < plan.MAX_AGE]
    hasty = [rule for rule in hasty if any(_touches(rule, prefix) for prefix in prefixes)]
    if hasty:
        rule = hasty[0]
        when = _when(rule.aborts)
        text = f"rule {rule.id!r} ({rule.prefix}*) aborts uploads {when}, and a copy may take a week"
        return line(check, "warning", text, "let it abort after 8 days or more", bucket)
    bare = [prefix for prefix in prefixes if not any(_covers(rule, prefix) for rule in aborting)]
    if bare:
        text = f"no AbortMultipartUpload rule for {bare[0]}*: it is the last net under lost uploads"
        advice = "add a lifecycle rule that aborts uploads after 8 days or more"
        return line(check, "warning", text, advice, bucket)
    return line(check, "ok", "uploads that are lost are aborted", subject=bucket)


def _when(days: int | None) -> str:
    return f"after {days} days" if days else "by date"


def _covers(rule: LifecycleRule, prefix: str) -> bool:
    return prefix.startswith(rule.prefix)


def _touches(rule: LifecycleRule, prefix: str) -> bool:
    return prefix.startswith(rule.prefix) or rule.prefix.startswith(prefix)


# --- FC, and the sweep -------------------------------------------------------------------------------------


def invocations(first: bool, second: bool) -> Line:
    """Whether one task id submitted twice was accepted once. True: accepted."""
    check = "function.invoke"
    if first and not second:
        return line(check, "ok", "it may invoke itself, and a task id is accepted once")
    if first:
        text = "one task id was accepted twice: chains of one copy could double"
        return line(check, "failed", text, "set asyncInvokeConfig.asyncTask to true, and deploy")
    return line(check, "failed", "FC knew a task id that nobody had used", AGAIN)


def sweep(count: int, oldest: int, over: bool, patience: float, more: bool) -> Line:
    """Records of open copies: how many, the age of the oldest in seconds, and whether that copy is over."""
    check, several = "sweep", f"{count}{' or more' if more else ''} copies on record"
    if not count:
        return line(check, "ok", "no copy is on record: whether the sweep runs cannot be seen")
    text = f"{several}, the oldest for {_time(oldest)}"
    advice = 'see that the trigger `sweep` is there and enabled, with the payload {"action": "sweep"}'
    if over and oldest > patience:
        return line(check, "warning", f"{text}, though it has ended: no sweep seems to run", advice)
    if oldest > plan.MAX_AGE + patience:
        return line(check, "warning", f"{text}, longer than any copy lives: no sweep seems to run", advice)
    return line(check, "ok", text)


def _time(seconds: int) -> str:
    for size, name in ((DAY, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}"
    return f"{seconds} seconds"


def left(check: str, subject: str, names: Sequence[str], ended: int) -> Line:
    """What the check could not take away again, by name."""
    if names:
        text = f"the check could not take away: {', '.join(names[:20])}"
        return line(
            check, "failed", text, "delete the objects, abort the uploads (ossutil rm, rm -m)", subject
        )
    text = "nothing"
    if ended:
        text = f"nothing; {ended} objects or uploads of an earlier check, which was interrupted, are removed"
    return line(check, "ok", text, subject=subject)
