"""What is suspicious about settings that are all valid: pure, from values to lines of the check.

Knows the settings and what the platform told of the function; asks nothing. A setting that is wrong by itself
never gets here: `settings.load` refuses it. The deployer's tool says the same of a template, before it is
deployed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from itertools import combinations

import msgspec

from osscopy import plan
from osscopy.model import GIB, MIB, TIB, Grade, Line, Refused, Rule
from osscopy.plan import templates
from osscopy.plan.keys import Pattern
from osscopy.settings import Settings

MOST_LINES = 50  # of one check about rules; a list of rules can be long
BASE_MEMORY, THREAD_MEMORY = 64, 0.5  # MB; measured without TLS: 50 MB, and 0.05 MB a thread

_MOMENT = datetime(2000, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


class Deployment(msgspec.Struct, frozen=True):
    """The function as it is deployed. `timeout` in seconds, `memory` in MB (0: unknown)."""

    settings: Settings
    region: str
    account: str
    timeout: float
    memory: int = 0


def line(
    check: str, status: Grade, found: str, advice: str | None = None, subject: str | None = None
) -> Line:
    """A line whose advice stands where it is needed."""
    return Line(check, status, found, None if status == "ok" else advice, subject)


# --- allow lists -------------------------------------------------------------------------------------------


def allow_lists(deployment: Deployment) -> Iterator[Line]:
    """An empty list allows nothing; a prefix that ends within a name covers its neighbours too."""
    lists = {
        "ALLOWED_SOURCES": deployment.settings.allowed_sources,
        "ALLOWED_DESTINATIONS": deployment.settings.allowed_destinations,
    }
    for name, patterns in lists.items():
        if not patterns:
            advice = f"set {name}, for example to my-bucket/*"
            yield line("settings.allowLists", "failed", "it is empty: nothing may be copied", advice, name)
            continue
        loose = [each for each in patterns if each.is_prefix and _is_loose(each.key)]
        for each in loose:
            yield line(
                "settings.allowLists",
                "warning",
                f"{shown(each)} covers {each.key}x as well as {each.key}/x",
                f"if a folder is meant, write {each.bucket}/{each.key}/*",
                name,
            )
        settings = deployment.settings
        fatal = [
            each for each in patterns if name == "ALLOWED_DESTINATIONS" and _reaches_records(each, settings)
        ]
        for each in fatal:
            text = f"{shown(each)} covers {settings.state_prefix}, where the records of copies are"
            advice = "name another bucket or prefix: copies there are refused, and no role should allow them"
            yield line("settings.allowLists", "failed", text, advice, name)
        if not loose and not fatal:
            yield line("settings.allowLists", "ok", ", ".join(map(shown, patterns)), subject=name)


def _reaches_records(pattern: Pattern, settings: Settings) -> bool:
    if pattern.bucket != settings.state_bucket:
        return False
    wide = pattern.is_prefix and settings.state_prefix.startswith(pattern.key)
    return wide or pattern.key.startswith(settings.state_prefix)


def shown(pattern: Pattern) -> str:
    """The pattern as it is written in an allow list."""
    return f"{pattern.bucket}/{pattern.key}{'*' if pattern.is_prefix else ''}"


def _is_loose(prefix: str) -> bool:
    return bool(prefix) and not prefix.endswith("/")


def no_plain_text(text: str) -> tuple[str, str] | None:
    """What is wrong with a prefix or suffix, and what to write; None if nothing is.

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


# --- rules -------------------------------------------------------------------------------------------------


def rules(deployment: Deployment, given: Sequence[Rule]) -> list[Line]:
    """What the OSS trigger would copy in vain, twice, or beyond what seems to be meant."""
    found = [*_rules(deployment.settings, given)]
    if len(found) > MOST_LINES:
        more = f"{len(found) - MOST_LINES} more findings about rules"
        found[MOST_LINES:] = [line("settings.rules", "warning", more, "mend the ones before; check again")]
    if not found:
        text = (
            f"{len(given)} rule{'s' * (len(given) > 1)}"
            if given
            else "there are none: the OSS trigger copies nothing"
        )
        found.append(line("settings.rules", "ok", text))
    return found


def _rules(settings: Settings, given: Sequence[Rule]) -> Iterator[Line]:
    for number, rule in enumerate(given):
        watched, made = rule.source, rule.destination
        name = f"COPY_RULES[{number}]"
        yield from _coverage(
            name, "ALLOWED_SOURCES", settings.allowed_sources, watched.bucket, watched.prefix
        )
        written = templates.fixed_prefix(made.key, watched.prefix)
        if not _is_allowed(settings.allowed_destinations, made.bucket, made.key):
            yield from _coverage(
                name, "ALLOWED_DESTINATIONS", settings.allowed_destinations, made.bucket, written
            )
        wrong = [found for each in (watched.prefix, watched.suffix) if (found := no_plain_text(each))]
        for text, advice in wrong:
            yield line("settings.rules", "failed", text, f"{advice} (here and in the trigger's filter)", name)
        if _is_loose(watched.prefix) and not wrong:
            text = f"prefix {watched.prefix!r} watches {watched.prefix}x as well as {watched.prefix}/x"
            advice = f"if a folder is meant, write {watched.prefix}/ (here and in the trigger's filter)"
            yield line("settings.rules", "warning", text, advice, name)
    for (i, one), (j, other) in combinations(enumerate(given), 2):
        if (example := _common(one, other)) is not None:
            yield _twice(f"COPY_RULES[{i}], COPY_RULES[{j}]", one, other, example)


def _is_allowed(patterns: Sequence[Pattern], bucket: str, template: str) -> bool:
    """Whether a destination that is always the same key is named as such."""
    return "{" not in template and any(each.matches(bucket, template) for each in patterns)


def _coverage(
    name: str, setting: str, patterns: Sequence[Pattern], bucket: str, prefix: str
) -> Iterator[Line]:
    """Whether all keys of `bucket` that start with `prefix` are allowed, some, or none."""
    near = [each for each in patterns if each.bucket == bucket]
    if any(each.is_prefix and prefix.startswith(each.key) for each in near):
        return
    where = f"{bucket}/{prefix}*"
    if any(each.key.startswith(prefix) for each in near):
        text = f"{setting} allows only a part of {where}: the rest is answered NotAllowed"
        yield line("settings.rules", "warning", text, f"add {where} to {setting}, or narrow the rule", name)
    else:
        text = f"{setting} does not name {where}: every copy of this rule is answered NotAllowed"
        yield line("settings.rules", "failed", text, f"add {where} to {setting}", name)


def _common(one: Rule, other: Rule) -> str | None:
    """A key that both rules watch, None if there is none."""
    a, b = one.source, other.source
    prefix, suffix = max(a.prefix, b.prefix, key=len), max(a.suffix, b.suffix, key=len)
    example = f"{prefix}example{suffix}"
    covered = one.covers(a.bucket, example) and other.covers(a.bucket, example)
    return example if covered else None


def _twice(names_: str, one: Rule, other: Rule, example: str) -> Line:
    a, b = _target(one, example), _target(other, example)
    if a == b:
        text = f"both copy {example} to {a}: whichever comes last stays"
        return line("settings.rules", "failed", text, "remove one, or separate their sources", names_)
    text = f"both copy {example}: it is copied twice, to {a} and to {b}"
    return line("settings.rules", "warning", text, "if that is not meant, separate their prefixes", names_)


def _target(rule: Rule, key: str) -> str:
    try:
        made = templates.render(rule.destination.key, key, _MOMENT)
    except Refused as error:  # such as a time zone that this runtime does not know
        made = f"{rule.destination.key} ({error.message})"
    return f"{rule.destination.bucket}/{made}"


# --- the rest of the settings ------------------------------------------------------------------------------


def http(deployment: Deployment) -> Line:
    """An anonymous trigger answers everybody who has the token, and nobody if there is none."""
    settings = deployment.settings
    if settings.http_auth == "function":
        return line("settings.httpAuth", "ok", "function: requests are signed")
    if settings.api_token is None:
        return line(
            "settings.httpAuth",
            "warning",
            "anonymous without API_TOKEN: every HTTP request is answered 403",
            "set API_TOKEN (16 characters or more), or httpAuthType to function",
        )
    return line("settings.httpAuth", "ok", "anonymous, with a token")


def memory(deployment: Deployment) -> Line:
    """Whether MAX_PARALLEL threads fit the memory, by a careful estimate."""
    threads, has = deployment.settings.max_parallel, deployment.memory
    needs = int(BASE_MEMORY + threads * THREAD_MEMORY)
    if not has:
        return line("settings.maxParallel", "skipped", "FC did not say how much memory the function has",
                    f"see that memorySize is at least {needs} MB")  # fmt: skip
    text = f"{threads} threads may need {needs} MB of {has} MB"
    advice = f"lower MAX_PARALLEL, or raise memorySize to {needs} MB or more"
    return line("settings.maxParallel", "ok" if needs <= has else "warning", text, advice)


def timeout(deployment: Deployment, largest: int) -> Iterator[Line]:
    """What size an invocation can carry on: a part, and what CopyObject is left. `largest`: seen so far."""
    seconds, threshold = deployment.timeout, deployment.settings.multipart_threshold
    part = min(plan.MAX_PART, int(plan.part_budget(seconds) * plan.PART_RATE))
    most = min(plan.MAX_OBJECT, part * plan.MAX_PARTS)
    text = f"{seconds:g} s: objects of up to {_size(most)} can be copied"
    advice = "raise the function's timeout; 600 s are enough for what OSS can hold"
    if largest > most:
        yield line("settings.timeout", "failed", f"{text}, and one of {_size(largest)} is there", advice)
    else:
        yield line("settings.timeout", "ok" if most >= TIB else "warning", text, advice)
    takes, longest = threshold / plan.PART_RATE, plan.longest_copy(seconds)
    text = f"a CopyObject of {_size(threshold)} is trusted to take {takes:.0f} s of {seconds:g} s"
    advice = "lower MULTIPART_THRESHOLD, or raise the function's timeout"
    if longest < threshold:
        text += f": what is larger than {_size(longest)} is copied in parts"
    yield line("settings.multipartThreshold", "ok" if threshold <= longest else "warning", text, advice)


def _size(count: int) -> str:
    unit, name = next((u, n) for u, n in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (1, "B")) if count >= u)
    return f"{count / unit:.3g} {name}"


# --- endpoints ---------------------------------------------------------------------------------------------


def endpoints(deployment: Deployment) -> Iterator[Line]:
    """Of OSS and of FC: of this region, internal, and encrypted."""
    region, settings = deployment.region, deployment.settings
    yield _endpoint(
        "OSS_ENDPOINT",
        settings.oss_endpoint,
        f"oss-{region}-internal.aliyuncs.com",
        r"oss-(.+?)(-internal)?\.aliyuncs\.com",
        region,
    )
    yield _endpoint(
        "INVOKE_ENDPOINT",
        settings.invoke_endpoint,
        f"{deployment.account}.{region}-internal.fc.aliyuncs.com",
        r"\d+\.(.+?)(-internal)?\.fc\.aliyuncs\.com",
        region,
    )


def _endpoint(setting: str, given: str | None, usual: str, form: str, region: str) -> Line:
    check = "settings.endpoints"
    if given is None:
        return line(check, "ok", f"https://{usual}", subject=setting)
    scheme, _, host = given.partition("://")
    known = re.fullmatch(form, host)
    advice = f"remove {setting}: https://{usual} is the default"
    if known and known[1] != region:
        text = f"{given} is an endpoint of {known[1]}; the function is in {region}"
        return line(check, "failed", text, advice, setting)
    doubts = []
    if not known:
        doubts.append("it is none of Alibaba Cloud's usual endpoints")
    elif not known[2]:
        doubts.append("it is the public endpoint: traffic may be charged, and internetAccess is needed")
    if scheme == "http":
        doubts.append("requests are not encrypted")
    text = f"{given}: {'; '.join(doubts)}" if doubts else given
    return line(check, "warning" if doubts else "ok", text, advice, setting)
