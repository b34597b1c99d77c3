"""Judgements of settings that are all valid: pure, from values to lines of the check.

Knows the settings and how the function is deployed; asks nothing. A setting that is wrong by itself never
gets here: `settings.load` refuses it. The deployer's tool judges a template by the same functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from itertools import combinations

import msgspec

from osscopy import plan
from osscopy.check.report import Finding, failed, graded, ok, warning
from osscopy.model import GIB, MIB, TIB, Line, Refused, Rule
from osscopy.model.request import Options
from osscopy.plan import templates
from osscopy.plan.keys import Pattern
from osscopy.settings import Settings

MOST_LINES = 50  # of one check about rules; a list of rules can be long
BASE_MEMORY, THREAD_MEMORY = 64, 0.5  # MB; measured without TLS: 50 MB, and 0.05 MB a thread

ADD_WORD = "add the word to ALLOWED_OPTIONS, and run oss-copy policy and setup again; or leave the option out"
UNSIGNED = "whoever may invoke the function directly, or write its records, is believed: set STATE_KEY"
MOMENT = datetime(2000, 1, 2, 3, 4, 5, tzinfo=timezone.utc)  # any, to try a template or a timer with


class Deployment(msgspec.Struct, frozen=True):
    """The function as it is deployed. `timeout` in seconds, `memory` in MB (0: unknown)."""

    settings: Settings
    region: str
    account: str
    timeout: float
    memory: int = 0


def allow_lists(deployment: Deployment) -> list[Line]:
    """Judge the allow lists: an empty one allows nothing, and a prefix may cover more than a folder."""
    given = deployment.settings
    named = {"ALLOWED_SOURCES": given.allowed_sources, "ALLOWED_DESTINATIONS": given.allowed_destinations}
    return [
        each.line("settings.allowLists", name)
        for name, patterns in named.items()
        for each in _allow_list(name, patterns, given) or [ok(", ".join(map(shown, patterns)))]
    ]


def _allow_list(name: str, patterns: Sequence[Pattern], given: Settings) -> list[Finding]:
    if not patterns:
        return [failed("it is empty: nothing may be copied", f"set {name}, for example to my-bucket/*")]
    loose = [
        warning(
            f"{shown(each)} covers {each.key}x as well as {each.key}/x",
            f"if a folder is meant, write {each.bucket}/{each.key}/*",
        )
        for each in patterns
        if each.is_prefix and _is_loose(each.key)
    ]
    fatal = [
        failed(
            f"{shown(each)} covers {given.state_prefix}, where the records of copies are",
            "name another bucket or prefix: copies there are refused, and no role should allow them",
        )
        for each in patterns
        if name == "ALLOWED_DESTINATIONS" and each.bucket == given.state_bucket
        if (each.is_prefix and given.state_prefix.startswith(each.key))
        or each.key.startswith(given.state_prefix)
    ]
    return loose + fatal


def shown(pattern: Pattern) -> str:
    """Return the pattern as it is written in an allow list."""
    return f"{pattern.bucket}/{pattern.key}{'*' if pattern.is_prefix else ''}"


def _is_loose(prefix: str) -> bool:
    return bool(prefix) and not prefix.endswith("/")


def nested(one: str, other: str) -> bool:
    """Return whether a key may have both prefixes."""
    return one.startswith(other) or other.startswith(one)


def no_plain_text(text: str) -> tuple[str, str] | None:
    """Return the fault of a prefix or suffix, and what to write; None if there is none.

    OSS takes no `*`, `^` or `oss://` in the filter of an event notification, which is plain text (OSS
    documentation, "event notification"), and holds no key that begins with a slash.
    """
    if text.startswith("oss://"):
        return f"{text!r} begins with oss://", "write what keys begin with, without bucket"
    if signs := [sign for sign in "*^" if sign in text]:
        plain = text.translate({ord(sign): None for sign in signs})
        return f"{text!r} is plain text: {' and '.join(signs)} match nothing", f"write {plain!r}"
    if text[:1] in {"/", "\\"}:
        return f"{text!r} begins with {text[0]}, and no key does", f"write {text.lstrip(text[0])!r}"
    return None


def rules(deployment: Deployment, given: Sequence[Rule]) -> list[Line]:
    """Judge the rules: what they would copy in vain, twice, or beyond what seems to be meant."""
    found = [
        *(each for number, rule in enumerate(given) for each in _rule(deployment.settings, number, rule)),
        *_overlaps(given),
    ]
    if len(found) > MOST_LINES:
        more = f"{len(found) - MOST_LINES} more findings about rules"
        found[MOST_LINES:] = [warning(more, "mend the ones before; check again")]
    if not given:
        found = [ok("there are none: the OSS trigger copies nothing")]
    none_bad = [ok(f"{len(given)} rule{'s' * (len(given) > 1)}")]
    return [each.line("settings.rules") for each in found or none_bad]


def _rule(settings: Settings, number: int, rule: Rule) -> Iterator[Finding]:
    watched, made = rule.source, rule.destination
    name = f"COPY_RULES[{number}]"
    yield from _coverage(name, "ALLOWED_SOURCES", settings.allowed_sources, watched.bucket, watched.prefix)
    written = templates.fixed_prefix(made.key, watched.prefix)
    fixed = "{" not in made.key  # one key, which may be allowed just so
    if not (fixed and any(each.matches(made.bucket, made.key) for each in settings.allowed_destinations)):
        yield from _coverage(
            name, "ALLOWED_DESTINATIONS", settings.allowed_destinations, made.bucket, written
        )
    yield from _options(name, settings, rule)
    wrong = [found for each in (watched.prefix, watched.suffix) if (found := no_plain_text(each))]
    for text, advice in wrong:
        yield failed(text, f"{advice} (here and in the trigger's filter)", name)
    if _is_loose(watched.prefix) and not wrong:
        text = f"prefix {watched.prefix!r} watches {watched.prefix}x as well as {watched.prefix}/x"
        advice = f"if a folder is meant, write {watched.prefix}/ (here and in the trigger's filter)"
        yield warning(text, advice, name)


def _options(name: str, settings: Settings, rule: Rule) -> Iterator[Finding]:
    """Say so where ALLOWED_OPTIONS lacks what a rule asks for, or may ask for by what it copies."""
    try:
        settings.options.judge_request(rule)
    except Refused as error:
        text = f"{error.field}: {error.message}: every copy of this rule is answered NotAllowed"
        yield failed(text, ADD_WORD, name)
    yield from may_lack(name, settings, rule)


def may_lack(name: str | None, settings: Settings, asked: Options) -> Iterator[Finding]:
    """Say which words of ALLOWED_OPTIONS a request needs for some sources, and has not."""
    for field, word in settings.options.perhaps(asked):
        text = f"{field}: ALLOWED_OPTIONS lacks {word}: sources that need it are answered NotAllowed"
        yield warning(text, ADD_WORD, name)


def _coverage(
    name: str, setting: str, patterns: Sequence[Pattern], bucket: str, prefix: str
) -> Iterator[Finding]:
    """Say so where an allow list names only some keys of `bucket` that start with `prefix`, or none."""
    near = [each for each in patterns if each.bucket == bucket]
    if any(each.is_prefix and prefix.startswith(each.key) for each in near):
        return
    where = f"{bucket}/{prefix}*"
    if any(each.key.startswith(prefix) for each in near):
        text = f"{setting} allows only a part of {where}: the rest is answered NotAllowed"
        yield warning(text, f"add {where} to {setting}, or narrow the rule", name)
    else:
        text = f"{setting} does not name {where}: every copy of this rule is answered NotAllowed"
        yield failed(text, f"add {where} to {setting}", name)


def _overlaps(given: Sequence[Rule]) -> Iterator[Finding]:
    for (i, one), (j, other) in combinations(enumerate(given), 2):
        if (example := _common(one, other)) is not None:
            a, b, both = _target(one, example), _target(other, example), f"COPY_RULES[{i}], COPY_RULES[{j}]"
            if a == b:
                text = f"both copy {example} to {a}: whichever comes last stays"
                yield failed(text, "remove one, or separate their sources", both)
            else:
                text = f"both copy {example}: it is copied twice, to {a} and to {b}"
                yield warning(text, "if that is not meant, separate their prefixes", both)


def _common(one: Rule, other: Rule) -> str | None:
    """Return a key that both rules watch, None if there is none."""
    a, b = one.source, other.source
    prefix, suffix = max(a.prefix, b.prefix, key=len), max(a.suffix, b.suffix, key=len)
    example = f"{prefix}example{suffix}"
    return example if one.covers(a.bucket, example) and other.covers(a.bucket, example) else None


def _target(rule: Rule, key: str) -> str:
    try:
        made = templates.render(rule.destination.key, key, MOMENT)
    except Refused as error:  # such as a time zone that this runtime does not know
        made = f"{rule.destination.key} ({error.message})"
    return f"{rule.destination.bucket}/{made}"


def http(deployment: Deployment) -> Finding:
    """Judge authentication: an anonymous trigger answers whoever has the token, and nobody without one."""
    settings = deployment.settings
    if settings.http_auth == "function":
        return ok("function: requests are signed")
    if not settings.has_tokens:
        return warning(
            "anonymous without API_TOKEN: every HTTP request is answered 403",
            "set API_TOKEN (16 characters or more), or httpAuthType to function",
        )
    return ok("anonymous, with a token")


def state_key(deployment: Deployment) -> Finding:
    """Say whether continuations and records are signed, so that nobody else can write them."""
    if deployment.settings.seal.keys:
        return ok("continuations and records are signed")
    return ok(f"none: {UNSIGNED}")


def telling(deployment: Deployment) -> Finding:
    """Say who is told that jobs have ended; never the path or the query of a URL."""
    told = deployment.settings.telling
    if told is None:
        return ok("nobody is told that a job has failed: NOTIFY_URL or NOTIFY_FUNCTION names somebody")
    names = [f"function {told.function}"] if told.function else []
    names += [told.receiver.shown] if told.receiver else []
    what = "failed jobs are told" if told.on == "failed" else "jobs that have ended are told"
    return ok(f"{what}: {' and '.join(names)}")


def memory(deployment: Deployment) -> Line:
    """Judge if MAX_PARALLEL threads fit the memory, by a careful estimate."""
    threads, has = deployment.settings.max_parallel, deployment.memory
    needs = int(BASE_MEMORY + threads * THREAD_MEMORY)
    if has:
        text = f"{threads} threads may need {needs} MB of {has} MB"
        advice = f"lower MAX_PARALLEL, or raise memorySize to {needs} MB or more"
        found = graded("ok" if needs <= has else "warning", text, advice)
    else:
        text = "FC did not say how much memory the function has"
        found = Finding("skipped", text, f"see that memorySize is at least {needs} MB")
    return found.line("settings.maxParallel")


def timeout(deployment: Deployment, largest: int) -> tuple[Line, Line]:
    """Judge what an invocation can carry in parts and by CopyObject. `largest`: bytes of an object seen."""
    seconds = deployment.timeout
    parts, whole = _largest_in_parts(seconds, largest), _largest_copy(deployment)
    return parts.line("settings.timeout"), whole.line("settings.multipartThreshold")


def _largest_in_parts(seconds: float, largest: int) -> Finding:
    part = min(plan.MAX_PART, int(plan.part_budget(seconds) * plan.PART_RATE))
    most = min(plan.MAX_OBJECT, part * plan.MAX_PARTS)
    text = f"{seconds:g} s: objects of up to {_size(most)} can be copied"
    advice = "raise the function's timeout; 600 s are enough for what OSS can hold"
    if largest > most:
        return failed(f"{text}, and one of {_size(largest)} is there", advice)
    return graded("ok" if most >= TIB else "warning", text, advice)


def _largest_copy(deployment: Deployment) -> Finding:
    seconds, threshold = deployment.timeout, deployment.settings.multipart_threshold
    takes, longest = threshold / plan.PART_RATE, plan.longest_copy(seconds)
    text = f"a CopyObject of {_size(threshold)} is trusted to take {takes:.0f} s of {seconds:g} s"
    if longest >= threshold:
        return ok(text)
    return warning(
        f"{text}: what is larger than {_size(longest)} is copied in parts",
        "lower MULTIPART_THRESHOLD, or raise the function's timeout",
    )


def _size(count: int) -> str:
    unit, name = next((u, n) for u, n in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (1, "B")) if count >= u)
    return f"{count / unit:.3g} {name}"


def endpoints(deployment: Deployment) -> tuple[Line, Line]:
    """Judge the endpoints of OSS and FC: they should be of this region, internal, and encrypted."""
    region, given = deployment.region, deployment.settings
    oss, fc = f"oss-{region}-internal", f"{deployment.account}.{region}-internal.fc"
    return (
        _endpoint("OSS_ENDPOINT", given.oss_endpoint, oss, r"oss-(.+?)(-internal)?", region),
        _endpoint("INVOKE_ENDPOINT", given.invoke_endpoint, fc, r"\d+\.(.+?)(-internal)?\.fc", region),
    )


def _endpoint(setting: str, given: str | None, usual: str, form: str, region: str) -> Line:
    check, url = "settings.endpoints", f"https://{usual}.aliyuncs.com"
    if given is None:
        return ok(url).line(check, setting)
    scheme, _, host = given.partition("://")
    known = re.fullmatch(rf"{form}\.aliyuncs\.com", host)
    advice = f"remove {setting}: {url} is the default"
    if known and known[1] != region:
        text = f"{given} is an endpoint of {known[1]}; the function is in {region}"
        return failed(text, advice).line(check, setting)
    doubts = []
    if not known:
        doubts.append("it is none of Alibaba Cloud's usual endpoints")
    elif not known[2]:
        doubts.append("it is the public endpoint: traffic may be charged, and internetAccess is needed")
    if scheme == "http":
        doubts.append("requests are not encrypted")
    found = warning(f"{given}: {'; '.join(doubts)}", advice) if doubts else ok(given)
    return found.line(check, setting)
