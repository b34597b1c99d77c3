"""The environment, read once and checked whole: the only module that reads it.

Knows the names and forms of the settings, not their use. FC reserves names that start with `FC_`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from osscopy import events, plan
from osscopy.model import CopyRequest, Misconfigured, Prices, Refused, Rule
from osscopy.plan import keys, templates
from osscopy.plan.allowed import options, tokens

if TYPE_CHECKING:
    from osscopy.plan.telling.choice import Telling

NOTIFY = ("NOTIFY_FUNCTION", "NOTIFY_URL", "NOTIFY_FORM", "NOTIFY_SECRET", "NOTIFY_ON")
MOST_WORKERS = 18  # invocations that walk one job

S = TypeVar("S")
T = TypeVar("T")

# Texts, compiled only where they are needed: most settings are absent.
_ENDPOINT = r"https?://[A-Za-z0-9.-]+(:\d{1,5})?"
_PLACE = r"(?:(https?)://)?([A-Za-z0-9.-]+(?::\d{1,5})?)(?:[/?#].*)?"  # of a text that is no endpoint
# A name before an endpoint of OSS: oss-REGION[-internal], REGION.oss, vpc100-oss-REGION, oss-accelerate.
_WITH_BUCKET = (
    r"[A-Za-z0-9-]+\.((?:(?:vpc\d+-)?oss-[a-z0-9-]+|[a-z]{2}-[a-z0-9-]+\.oss)\.aliyuncs\.com(?::\d+)?)"
)
_FUNCTION = r"[A-Za-z_][A-Za-z0-9_-]{0,63}"
_RECORD = r"[A-Za-z0-9/-]+"  # how records end: kinds, jobs, hashes and numbers


class RulesObject(msgspec.Struct, frozen=True):
    """The place of rules that are too long for the environment: a JSON object in OSS."""

    bucket: str
    key: str


class Settings(msgspec.Struct, frozen=True):
    """The settings of the function. Empty allow lists allow nothing."""

    state_bucket: str
    state_prefix: str = "oss-copy/"
    allowed_sources: tuple[keys.Pattern, ...] = ()
    allowed_destinations: tuple[keys.Pattern, ...] = ()
    rules: tuple[Rule, ...] | RulesObject = ()
    oss_endpoint: str | None = None  # None: the internal endpoint of the function's region
    invoke_endpoint: str | None = None  # None: FC's internal endpoint of the account and region
    invoke_function: str | None = None  # the function to invoke; None: the one that runs
    max_parallel: int = 256
    max_lanes: int = plan.DEFAULT_LANES
    multipart_threshold: int = plan.DEFAULT_THRESHOLD
    options: options.AllowedOptions = options.NO_OPTION
    http_auth: Literal["function", "anonymous"] = "function"
    api_token: str | None = None
    callers: tuple[tokens.Caller, ...] = ()  # of API_TOKENS
    seal: plan.Seal = plan.Seal()
    log_level: str = "INFO"
    reserved_concurrency: int | None = None  # None: not known
    max_chains: int = 1000
    prices: Prices | None = None  # None: the cost of a job is not told
    telling: Telling | None = None  # None: nobody is told that jobs have ended

    @property
    def has_tokens(self) -> bool:
        """Return whether the API asks for a token."""
        return self.api_token is not None or bool(self.callers)

    @property
    def workers(self) -> int:
        """Return how many invocations may walk one job: cancel and sweep need two more."""
        known = self.reserved_concurrency
        return MOST_WORKERS if known is None else max(1, min(MOST_WORKERS, known - 2))

    def allow(self, request: CopyRequest) -> None:
        """Refuse places and options that the settings do not name, and records and rules; at every hop.

        Who writes a record or the rules decides what the function does next, and only the API reads records.
        """
        self.options.judge_request(request)
        source, destination = request.source, request.destination
        for field, place in (("source", source), ("destination", destination)):
            if place.bucket == self.state_bucket and place.key.startswith(self.state_prefix):
                records = f"{self.state_bucket}/{self.state_prefix}*"
                raise _not_allowed(f"{records} holds the function's records: not to be copied", field)
        if self.rules == RulesObject(destination.bucket, destination.key):
            raise _not_allowed("COPY_RULES are read from there: no copy may replace them", "destination")
        if not any(each.matches(source.bucket, source.key) for each in self.allowed_sources):
            raise _not_allowed(f"ALLOWED_SOURCES does not name oss://{source.bucket}/{source.key}", "source")
        self.allow_writing(destination.bucket, destination.key, "destination")

    def allow_writing(self, bucket: str, key: str, field: str) -> None:
        """Refuse a place that ALLOWED_DESTINATIONS does not name."""
        if not any(each.matches(bucket, key) for each in self.allowed_destinations):
            raise _not_allowed(f"ALLOWED_DESTINATIONS does not name oss://{bucket}/{key}", field)

    def read_rules(self, text: str) -> tuple[Rule, ...]:
        """Return rules from JSON that keep away from the records; Refused or ValueError names a wrong one."""
        return self.keep_apart(read_rules(text))

    def keep_apart(self, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        """Return the rules; ValueError names one that watches records, or writes among them.

        A rule that watches records feeds the function: a copy that fails writes a record. Refused: one that
        follows deletions, which ALLOWED_OPTIONS has to allow.
        """
        records = f"the function's records, {self.state_bucket}/{self.state_prefix}*"
        for index, rule in enumerate(rules):
            watched, made = rule.source, rule.destination
            if self.may_hold_records(watched.bucket, watched.prefix, watched.suffix):
                raise ValueError(
                    f"rule {index} watches {records}: each would be an event, and what fails writes another; "
                    "watch another bucket or prefix, or name another STATE_BUCKET or STATE_PREFIX"
                )
            if rule.deletes == "follow":
                self.options.need("delete", "it follows deletions", f"[{index}].deletes")
            written = templates.fixed_prefix(made.key, watched.prefix)
            if made.bucket == self.state_bucket and written.startswith(self.state_prefix):
                raise ValueError(f"rule {index} writes among {records}: choose another bucket or prefix")
        return rules

    def may_hold_records(self, bucket: str, prefix: str, suffix: str) -> bool:
        """Return whether the key of a record may have this prefix and suffix."""
        near = prefix.startswith(self.state_prefix) or self.state_prefix.startswith(prefix)
        return bucket == self.state_bucket and near and _may_end(self.state_prefix, suffix)


def _not_allowed(text: str, field: str) -> Refused:
    return Refused("NotAllowed", text, field=field, status=403)


def _may_end(prefix: str, suffix: str) -> bool:
    """Return whether a record under `prefix` may end with `suffix`, which may reach into the prefix."""
    return not suffix or any(
        prefix.endswith(suffix[:cut]) and re.fullmatch(_RECORD, suffix[cut:]) for cut in range(len(suffix))
    )


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; Misconfigured names the first bad variable and its right form."""

    def read(name: str, parse: Callable[[str], T], default: T) -> T:
        text = environ.get(name, "").strip()
        return checked(name, parse, text) if text else default

    if not environ.get("STATE_BUCKET", "").strip():
        raise Misconfigured(
            "Misconfigured", "STATE_BUCKET: name the bucket for the records of copies", field="STATE_BUCKET"
        )
    none: tuple[Rule, ...] | RulesObject = ()
    loaded = Settings(
        state_bucket=read("STATE_BUCKET", _bucket, ""),
        state_prefix=read("STATE_PREFIX", _prefix, "oss-copy/"),
        allowed_sources=read("ALLOWED_SOURCES", _patterns, ()),
        allowed_destinations=read("ALLOWED_DESTINATIONS", _patterns, ()),
        rules=read("COPY_RULES", _rules, none),
        oss_endpoint=read("OSS_ENDPOINT", _oss_endpoint, None),
        invoke_endpoint=read("INVOKE_ENDPOINT", _endpoint, None),
        invoke_function=read("INVOKE_FUNCTION", _function, None),
        max_parallel=read("MAX_PARALLEL", lambda text: _number(text, 1, 512), 256),
        max_lanes=read("MAX_LANES", lambda text: _number(text, 1, 100), plan.DEFAULT_LANES),
        multipart_threshold=read("MULTIPART_THRESHOLD", _threshold, plan.DEFAULT_THRESHOLD),
        options=options.AllowedOptions(
            read("ALLOWED_OPTIONS", _words, frozenset()), read("MAX_OBJECT_SIZE", _size, plan.MAX_OBJECT)
        ),
        http_auth=read("HTTP_AUTH_TYPE", _auth, "function"),
        api_token=read("API_TOKEN", _token, None),
        callers=read("API_TOKENS", _callers, ()),
        seal=plan.Seal(read("STATE_KEY", _keys, ()), read("STATE_UNSIGNED_UNTIL", _moment, 0.0)),
        log_level=read("LOG_LEVEL", _level, "INFO"),
        max_chains=read("MAX_CHAINS", lambda text: _number(text, 1, 100_000), 1000),
        prices=read("PRICES", _prices, None),
        reserved_concurrency=read("RESERVED_CONCURRENCY", lambda text: _number(text, 1, 100_000), None),
    )
    told = {name: environ.get(name, "").strip() for name in NOTIFY}
    if any(told.values()):
        telling = _telling(told, loaded, environ.get("FC_FUNCTION_NAME"))
        loaded = msgspec.structs.replace(loaded, telling=telling)
    if isinstance(loaded.rules, tuple):
        checked("COPY_RULES", loaded.keep_apart, loaded.rules)
    return loaded


def _telling(given: Mapping[str, str], loaded: Settings, own: str | None) -> Telling | None:
    """Return who is told that jobs have ended, None if nobody is; `own`: the name of this function."""
    from osscopy.plan.telling import choice  # noqa: PLC0415 - start-up time of those who are told alone

    is_local = (loaded.oss_endpoint or "").startswith("http://127.0.0.1:")  # as on the local cloud
    parsers: dict[str, Callable[[str], object]] = {
        "NOTIFY_FUNCTION": lambda text: choice.read_function(_function(text), own, loaded.invoke_function),
        "NOTIFY_URL": lambda text: choice.read_url(text, is_local=is_local),
        "NOTIFY_FORM": choice.read_form,
        "NOTIFY_SECRET": choice.read_secret,
        "NOTIFY_ON": choice.read_on,
    }
    for name, parse in parsers.items():
        if given[name]:
            checked(name, parse, given[name])
    return checked("NOTIFY_SECRET", choice.telling_of, given)


def checked(name: str, parse: Callable[[S], T], given: S) -> T:
    """Return `given`, the variable's text or value, as `parse` reads it; Misconfigured names the variable."""
    try:
        return parse(given)
    except Refused as error:
        where = f" at {error.field}" if error.field else ""
        raise Misconfigured("Misconfigured", f"{name}{where}: {error.message}", field=name) from None
    except ValueError as error:
        raise Misconfigured("Misconfigured", f"{name}: {error}", field=name) from None


def environment_credentials(environ: Mapping[str, str] = os.environ) -> tuple[str, str, str | None] | None:
    """Return the temporary access key that FC puts into the environment of python3.12 (id, secret, token).

    The runtime renews it: read it for every invocation.
    """
    identity = environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID")
    secret = environ.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    if not identity or not secret:
        return None
    return identity, secret, environ.get("ALIBABA_CLOUD_SECURITY_TOKEN") or None


def _bucket(text: str) -> str:
    keys.check_bucket(text, "")
    return text


def _prefix(text: str) -> str:
    keys.check_key(text, "")
    if not text.endswith("/"):
        raise ValueError(f"{text!r} does not end with a slash")
    return text


def _patterns(text: str) -> tuple[keys.Pattern, ...]:
    return tuple(keys.Pattern.parse(entry.strip()) for entry in text.split(",") if entry.strip())


def _rules(text: str) -> tuple[Rule, ...] | RulesObject:
    if not text.startswith("oss://"):
        return read_rules(text)
    bucket, _, key = text.removeprefix("oss://").partition("/")
    keys.check_bucket(bucket, "")
    keys.check_key(key, "")
    return RulesObject(bucket, key)


def read_rules(text: str) -> tuple[Rule, ...]:
    """Return rules from JSON; Refused or ValueError names what is wrong with one or two of them."""
    rules: list[Rule] = events.decode(events.unmarked(text.encode()), list[Rule], "")
    return plan.check_rules(rules)


def _endpoint(text: str) -> str:
    if not re.fullmatch(_ENDPOINT, text):
        found = re.fullmatch(_PLACE, text)
        form = f"{found[1] or 'https'}://{found[2]}" if found else "https://HOST or http://HOST:PORT"
        raise ValueError(f"{text!r} is no endpoint; write {form}")
    return text


def _oss_endpoint(text: str) -> str:
    """Refuse an endpoint with a bucket: that of each request is put before the host."""
    place = re.fullmatch(_PLACE, text)
    if place and (found := re.fullmatch(_WITH_BUCKET, place[2], re.IGNORECASE)):
        raise ValueError(f"{text!r} has a bucket in its host; write {place[1] or 'https'}://{found[1]}")
    return _endpoint(text)


def _function(text: str) -> str:
    if not re.fullmatch(_FUNCTION, text):
        raise ValueError(f"{text!r} is no function's name")
    return text


def _prices(text: str) -> Prices:
    """Return prices from JSON; all of them are the user's."""
    prices: Prices = events.decode(text.encode(), Prices, "")
    return prices


def _number(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ValueError(f"{text!r} is no number from {least} to {most}")
    return int(text)


def _threshold(text: str) -> int:
    size = plan.byte_size(int(text) if text.isdecimal() else text, field="")
    if not plan.MIN_PART <= size <= plan.MAX_PART:
        raise ValueError(f"{text!r} is not between 100KiB and 5GiB")
    return size


def _words(text: str) -> frozenset[options.Word]:
    given = {each.strip() for each in text.split(",")} - {""}
    if unknown := sorted(given - set(options.WORDS)):
        raise ValueError(f"{unknown[0][:40]!r} is none of {', '.join(options.WORDS)}")
    return frozenset(word for word in options.WORDS if word in given)


def _size(text: str) -> int:
    size = plan.byte_size(int(text) if text.isdecimal() else text, field="")
    if not 1 <= size <= plan.MAX_OBJECT:
        raise ValueError(f"{text!r} is not between 1B and 48.8TiB")
    return size


def _auth(text: str) -> Literal["function", "anonymous"]:
    if text == "function":
        return "function"
    if text == "anonymous":
        return "anonymous"
    raise ValueError(f"{text!r} is neither function nor anonymous")


def _token(text: str) -> str:
    if len(text) < 16:
        raise ValueError("a token has at least 16 characters")
    return text


def _callers(text: str) -> tuple[tokens.Caller, ...]:
    entries: list[tokens.Token] = events.decode(text.encode(), list[tokens.Token], "")
    return tokens.read(entries)


def _keys(text: str) -> tuple[bytes, ...]:
    """Read one key, or two while they are changed: the new one first. What they are is told nowhere."""
    keys = tuple(each.strip().encode() for each in text.split(","))
    if len(keys) > 2 or not all(len(each) >= 32 for each in keys):
        raise ValueError("a key has at least 32 characters; two at most, separated by a comma")
    return keys


def _moment(text: str) -> float:
    try:
        return events.read_time(text if "T" in text else f"{text}T00:00:00Z", "").timestamp()
    except (Refused, OverflowError):
        raise ValueError(f"{text[:40]!r} is no date such as 2026-11-30") from None


def _level(text: str) -> str:
    if text not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError(f"{text!r} is none of DEBUG, INFO, WARNING, ERROR")
    return text
