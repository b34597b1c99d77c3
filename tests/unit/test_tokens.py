"""Tokens of the API: who asks, what his scope is, and how a token is changed."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import Any

import pytest

from osscopy import settings
from osscopy.jobs.many import Many
from osscopy.model import BulkRequest, CopyRequest, Destination, Misconfigured, Refused, Source
from osscopy.plan.allowed import tokens
from osscopy.plan.allowed.options import WORDS, AllowedOptions
from tests.unit import many
from tests.unit.engine import request

NOW = 1_800_000_000.0
SECRET, OTHER = "a-token-of-the-api", "another-token-of-it"


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def entry(name: str = "nightly", token: str = SECRET, **scope: Any) -> dict[str, Any]:
    return {"name": name, "sha256": digest(token), **scope}


def callers(*entries: dict[str, Any]) -> tuple[tokens.Caller, ...]:
    return settings.load({"STATE_BUCKET": "state", "API_TOKENS": json.dumps(entries)}).callers


def caller(**scope: Any) -> tokens.Caller:
    return callers(entry(**scope))[0]


def test_a_token_is_known_by_its_digest_and_two_count_while_it_is_changed() -> None:
    known = callers(entry(token=SECRET), entry(token=OTHER), entry("other", "third-token-of-all"))
    assert [tokens.known(each, known, NOW) for each in (SECRET, OTHER)] == list(known[:2])
    assert {each.name for each in known} == {"token:nightly", "token:other"}
    for wrong in ("", digest(SECRET), SECRET[:-1], f"{SECRET} ", "\ud800"):
        assert tokens.known(wrong, known, NOW) is None


def test_a_token_counts_until_its_time_is_over() -> None:
    known = callers(entry(until="2027-01-15T08:00:00Z"))
    assert tokens.known(SECRET, known, NOW - 1) is not None
    assert tokens.known(SECRET, known, NOW) is None


@pytest.mark.parametrize(
    "wrong",
    [
        [{"name": "a"}],
        [entry("a b")],
        [entry(""), entry("b")],
        [{"name": "a", "sha256": "x" * 64}],
        [{"name": "a", "sha256": digest(SECRET), "token": SECRET}],
        [entry(sources=[])],
        [entry(sources=["bucket"])],
        [entry(destinations=["Bad_Bucket/*"])],
        [entry(verbs=["PUT"])],
        [entry(options=["everything"])],
        [entry(jobs="some")],
        [entry(until="soon")],
        [entry(token=f"{SECRET}{n}") for n in range(3)],
        [entry("a"), entry("b")],
        [entry(f"n{n}", f"{SECRET}{n}") for n in range(21)],
        {"name": "a"},
    ],
)
def test_a_wrong_entry_is_named(wrong: Any) -> None:
    with pytest.raises(Misconfigured) as caught:
        settings.load({"STATE_BUCKET": "state", "API_TOKENS": json.dumps(wrong)})
    assert caught.value.field == "API_TOKENS"
    assert SECRET not in caught.value.message


def test_a_scope_names_places() -> None:
    narrow = caller(sources=["src/in/*", "src/one"], destinations=["dst/out/*"])
    for source, destination, field in (
        ("in/a", "out/a", None),
        ("one", "out/a", None),
        ("one2", "out/a", "source"),
        ("secret", "out/a", "source"),
        ("in/a", "other", "destination"),
    ):
        asked = CopyRequest(source=Source("src", source), destination=Destination("dst", destination))
        if field is None:
            narrow.allow(asked)
            continue
        with pytest.raises(Refused) as caught:
            narrow.allow(asked)
        assert (caught.value.code, caught.value.field) == ("NotAllowed", field)
    caller().allow(request())


def test_a_scope_goes_with_its_copies() -> None:
    origin = caller(sources=["src/in/*", "src/one"]).origin
    assert origin.caller == "token:nightly"
    assert origin.allows("src", "in/x")
    assert origin.allows("src", "one")
    assert not origin.allows("src", "one2")
    assert not origin.allows("src", "secret")
    assert caller().origin.allows("anything", "at all")


@pytest.mark.parametrize(
    "asked",
    [
        request(acl="public-read"),
        request(acl="copy"),
        request(storage_class="IA"),
        request(archive="restore"),
        request(request_payer=True),
        request(encryption="bucket"),
        many.request(delete=True, encryption="keep"),
        many.request(acl="copy", encryption="keep"),
    ],
)
def test_options_that_others_may_use_are_refused_by_their_words(asked: Any) -> None:
    """What a copy does is known when nobody knows the caller's scope any more."""
    every = AllowedOptions(frozenset(WORDS))
    with pytest.raises(Refused) as caught:
        caller(options=[]).judge(asked, every)
    assert caught.value.code == "NotAllowed"
    caller().judge(asked, every)
    caller(options=[]).judge(asked, AllowedOptions())  # nobody may: what is done is judged, not the word


def test_a_plain_copy_needs_no_option() -> None:
    caller(options=[]).judge(request(), AllowedOptions(frozenset(WORDS)))


def test_a_job_of_many_objects_is_judged_by_its_caller_s_scope() -> None:
    jobs = many.Jobs()
    jobs.put("a")

    def judge(asked: BulkRequest) -> None:
        caller(options=[]).judge(asked, AllowedOptions(frozenset(WORDS)))

    control = Many(jobs.tools(), judge)
    for begin in (control.start, partial(control.start_once, "a-key")):
        with pytest.raises(Refused):
            begin(many.job_of(many.request(acl="copy")))
    assert jobs.cloud.records == {}
    assert control.start_once("a-key", many.job_of(many.request(encryption="keep"))).status == "running"
