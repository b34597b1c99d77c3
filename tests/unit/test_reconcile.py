"""Rules as jobs of many objects: which keys they take, where these go, and which rules have no such job."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from osscopy import events
from osscopy.model import Bulk, Copy, Destination, Refused, Rule, RuleSource, Sweep
from osscopy.plan import bulk, skips_markers, templates
from tests.unit.engine import DST, SRC
from tests.unit.many import Jobs
from tests.unit.test_events import ARRIVAL

TEXT = st.text("ab/.*?[]{},\\", max_size=4)


def rule(prefix: str = "in/", key: str = "{key}", suffix: str = "", **options: Any) -> Rule:
    return Rule(source=RuleSource(SRC, prefix, suffix), destination=Destination(DST, key), **options)


def asked(rules: list[Rule], event: Any = None) -> Any:
    payload = {"action": "reconcile"} if event is None else event
    return events.parse(json.dumps(payload).encode(), ARRIVAL, rules)


@given(
    prefix=TEXT,
    suffix=TEXT,
    name=st.text("ab/.*?[]{},\\", max_size=6),
    markers=st.sampled_from([None, "skip"]),
)
def test_the_filters_take_exactly_what_the_rule_covers(
    prefix: str, suffix: str, name: str, markers: Any
) -> None:
    made = rule(prefix, suffix=suffix, markers=markers)
    key = prefix + name
    is_marker = key.endswith("/") and skips_markers(made)
    takes = bulk.Filter(bulk.sync_of(made).filters).takes_name(name)
    assert takes == (made.covers(SRC, key) and not is_marker)


@given(
    prefix=TEXT,
    name=TEXT,
    template=st.sampled_from(["{key}", "x/{key}", "{{a}}{key}", "{dir}{key}", "x/{key}.bak"]),
)
def test_a_key_goes_where_the_rule_puts_it(prefix: str, name: str, template: str) -> None:
    asks = bulk.sync_of(rule(prefix, template))
    there = bulk.Maker(asks, ARRIVAL.now).destination(prefix + name)
    assert there == templates.render(template, prefix + name, ARRIVAL.now)
    assert (asks.destination.key is None) == (template in {"{key}", "x/{key}", "{{a}}{key}"})


def test_a_template_that_does_more_than_put_something_before_the_key_is_no_prefix() -> None:
    assert templates.prefix_before_key("{dir}{key}") is None
    assert templates.prefix_before_key("{{x}}/{key}") == "{x}/"


@pytest.mark.parametrize(("prefix", "globs"), [("in/", (r"**\/", "")), ("in", (r"**\/",))])
def test_markers_that_a_rule_skips_are_excluded(prefix: str, globs: tuple[str, ...]) -> None:
    assert bulk.sync_of(rule(prefix, markers="skip")).filters.exclude == globs
    assert bulk.sync_of(rule(prefix)).filters.exclude == ()


def test_each_rule_is_a_job_with_its_options() -> None:
    rules = [
        rule("in/", suffix=".jpg", storage_class="IA", tags="none"),
        rule("more/", "x/{key}.bak", overwrite="never"),
        rule("dates/", "{date:%Y}/{key}"),
        rule("names/", "{name}"),
    ]
    batch = asked(rules)
    assert batch.many
    first, second = batch.items
    assert isinstance(first, Bulk)
    assert isinstance(second, Bulk)
    one, other = first.request, second.request
    assert (one.storage_class, one.tags, one.overwrite, one.delete, one.allow_empty) == (
        "IA",
        "none",
        "ifDifferent",
        False,
        True,
    )
    assert (one.destination.prefix, other.destination.key, other.overwrite) == ("in/", "x/{key}.bak", "never")
    assert first.job != second.job
    assert (one.filters.include, other.filters.include) == ((r"**.jpg",), None)
    assert [each.why for each in batch.passed] == ["rule"] * 2
    assert [each.what.partition(": its keys")[0] for each in batch.passed] == [
        "COPY_RULES[2]",
        "COPY_RULES[3]",
    ]


def test_a_timer_that_is_delivered_again_is_the_same_job() -> None:
    timer = {
        "triggerTime": ARRIVAL.started_at,
        "triggerName": "reconcile",
        "payload": '{"action": "reconcile"}',
    }
    one, other = asked([rule()], timer), asked([rule()], timer)
    assert len(asked([rule(), rule("x/", "{name}")], timer).passed) == 1
    assert one.items == other.items
    assert one.items[0].job != asked([rule()]).items[0].job
    assert asked([]).items == ()


def test_rules_are_fetched_for_it_and_it_is_no_http_request() -> None:
    assert events.needs_rules(b'{"action": "reconcile"}')
    assert not events.needs_rules(b'{"action": "sweep"}')
    assert events.parse(b'{"action": "sweep"}', ARRIVAL, ()) == Sweep()
    with pytest.raises(Refused):
        asked([rule()], {"action": "reconcile", "delete": True})


def test_what_an_event_has_not_told_of_is_copied_and_nothing_else() -> None:
    jobs = Jobs()
    jobs.put("a.jpg", "b.jpg", "c.txt", "old.jpg")
    jobs.cloud.put("in/", "m")
    for name in ("old.jpg", "gone.jpg"):
        crc64 = jobs.cloud.objects[SRC, "in/old.jpg"].head.crc64 or ""
        jobs.cloud.put(f"in/{name}", crc64, bucket=DST)
    (job,) = asked([rule(suffix=".jpg", markers="skip", encryption="bucket")]).items
    result = jobs.run(job.request)
    assert (result.status, result.objects.succeeded, result.objects.skipped) == ("succeeded", 2, 1)
    assert {key for bucket, key in jobs.cloud.objects if bucket == DST} == {
        "in/a.jpg", "in/b.jpg", "in/old.jpg", "in/gone.jpg",
    }  # fmt: skip
    assert not isinstance(job, Copy)
