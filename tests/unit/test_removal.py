"""Deletions that a rule follows: what is deleted, what is kept, and what races do to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from osscopy import events
from osscopy.jobs.dropped import resume_dropped
from osscopy.jobs.rules import removal
from osscopy.model import Copy, Destination, Dropped, Failed, Refused, Remove, Rule, RuleSource, Transient
from osscopy.plan.allowed.options import ANY_OPTION, NO_OPTION
from tests.unit.engine import DST, SRC
from tests.unit.many import Jobs
from tests.unit.test_events import ARRIVAL, created

KEY = "in/a"


def rule(deletes: Any = "follow", key: str = "{key}") -> Rule:
    return Rule(source=RuleSource(SRC, "in/"), destination=Destination(DST, key), deletes=deletes)


def event(key: str = KEY, name: str = "ObjectRemoved:DeleteObject", etag: str = "E7") -> dict[str, Any]:
    found = created(key)
    found["events"][0]["eventName"] = name
    found["events"][0]["oss"]["bucket"]["name"] = SRC
    found["events"][0]["oss"]["object"]["eTag"] = etag
    return found


def asked(rules: list[Rule], told: dict[str, Any]) -> Any:
    found: Any = events.parse(json.dumps(told).encode(), ARRIVAL, rules)
    return found.items


@pytest.fixture(name="jobs")
def fixture_jobs() -> Jobs:
    jobs = Jobs()
    jobs.cloud.put(KEY, "7", bucket=DST)
    return jobs


def task(**changes: Any) -> Remove:
    (found,) = asked([rule()], event(**changes))
    assert isinstance(found, Remove)
    return found


def run(jobs: Jobs, given: Remove | None = None, *, retried: bool = False, options: Any = ANY_OPTION) -> str:
    """Return the status and the code of what comes of it."""
    tools = jobs.tools()
    tools.context.options = options
    at = task() if given is None else given
    result = removal.remove(tools, replace(at, moment=int(jobs.cloud.time)), retried=retried)
    return f"{result.status} {result.error.code if result.error else ''}".strip()


def is_there(jobs: Jobs, key: str = KEY) -> bool:
    return (DST, key) in jobs.cloud.objects


def parsed(payload: bytes) -> Any:
    found: Any = events.parse(payload, ARRIVAL, ())
    (item,) = found.items
    return item


def submitted(jobs: Jobs) -> list[Any]:
    return [parsed(payload) for _, payload, _ in jobs.cloud.submitted]


@pytest.mark.parametrize("name", ["DeleteObject", "DeleteObjects", "DeleteMarkerCreated"])
def test_a_rule_that_follows_deletes_the_copy(jobs: Jobs, name: str) -> None:
    assert run(jobs, task(name=f"ObjectRemoved:{name}")) == "succeeded"
    assert not is_there(jobs)
    assert [each["key"] for each in jobs.cloud.events("removed")] == [KEY]


def test_only_a_rule_that_says_so_follows() -> None:
    assert asked([rule("keep")], event()) == ()
    assert asked([rule()], event(name="ObjectRemoved:AbortMultipartUpload")) == ()
    assert asked([rule()], event(key="out/a")) == ()
    (copy,) = asked([rule()], event(name="ObjectCreated:PutObject"))
    assert isinstance(copy, Copy)


def test_a_source_that_is_there_keeps_its_copy(jobs: Jobs) -> None:
    jobs.cloud.put(KEY, "8")
    assert run(jobs) == "skipped SourceExists"
    assert is_there(jobs)
    assert jobs.cloud.submitted == []


@pytest.mark.parametrize("etag", ["", "OTHER"])
def test_what_is_not_the_copy_of_what_was_deleted_is_kept(jobs: Jobs, etag: str) -> None:
    assert run(jobs, task(etag=etag)) == "skipped NotThisCopy"
    assert is_there(jobs)


def test_what_was_written_after_the_deletion_is_kept(jobs: Jobs) -> None:
    given = task()
    jobs.cloud.time += 10_000
    jobs.cloud.put(KEY, "7", bucket=DST)
    tools = jobs.tools()
    tools.context.options = ANY_OPTION
    result = removal.remove(tools, given, retried=False)
    assert result.error is not None
    assert (result.error.code, is_there(jobs)) == ("NotThisCopy", True)


def test_a_deletion_needs_its_word_and_the_allow_lists(jobs: Jobs) -> None:
    assert run(jobs, options=NO_OPTION) == "failed NotAllowed"
    jobs.forbidden = frozenset({KEY})
    assert run(jobs) == "failed NotAllowed"
    assert is_there(jobs)


def test_what_is_gone_already_is_looked_at_once_more_when_nothing_is_under_way(jobs: Jobs) -> None:
    jobs.cloud.remove(DST, KEY)
    assert run(jobs) == "skipped AlreadyGone"
    ((_, payload, delay),) = jobs.cloud.submitted
    (again,) = submitted(jobs)
    assert (again.looks, delay) == (1, jobs.tools().context.limits.settle)
    jobs.cloud.put(KEY, "7", bucket=DST)  # a CopyObject that took effect late
    assert run(jobs, again) == "succeeded"
    assert not is_there(jobs)
    assert len(jobs.cloud.submitted) == 1, payload
    assert run(jobs, again) == "skipped AlreadyGone"
    assert len(jobs.cloud.submitted) == 1


def test_a_source_that_comes_back_meanwhile_is_copied_again(jobs: Jobs) -> None:
    jobs.cloud.at("remove", lambda: jobs.cloud.put(KEY, "9"), after=True)
    assert run(jobs) == "succeeded"
    (copy,) = submitted(jobs)
    assert isinstance(copy, Copy)
    assert copy.request.source.key == KEY


def test_a_delivery_after_a_crash_copies_what_it_has_deleted_from_under_a_new_source(jobs: Jobs) -> None:
    jobs.cloud.remove(DST, KEY)
    jobs.cloud.put(KEY, "9")
    assert run(jobs, retried=True) == "skipped SourceExists"
    (copy,) = submitted(jobs)
    assert isinstance(copy, Copy)


def test_a_deletion_without_an_answer_is_looked_at_later(jobs: Jobs) -> None:
    jobs.cloud.put(KEY, "9")
    assert run(jobs, retried=True) == "skipped SourceExists"
    (again,) = submitted(jobs)
    assert isinstance(again, Remove)
    other = Jobs()
    other.cloud.put(KEY, "7", bucket=DST)

    def lose() -> None:
        raise Transient("NetworkError", "no answer", in_doubt=True)

    other.cloud.at("remove", lose, after=True)
    assert run(other) == "succeeded"
    (again,) = submitted(other)
    assert isinstance(again, Remove)


def test_another_reading_of_the_key_is_deleted_where_the_first_is_not_there(jobs: Jobs) -> None:
    jobs.cloud.put("in/b c", "7", bucket=DST)
    assert run(jobs, task(key="in/b%20c")) == "succeeded"
    assert not is_there(jobs, "in/b c")
    assert is_there(jobs)


def test_a_refusal_of_oss_is_a_result_and_a_missing_answer_is_raised(jobs: Jobs) -> None:
    jobs.cloud.broken["remove"] = Failed("FileImmutable", "no", status=409)
    assert run(jobs) == "failed FileImmutable"
    jobs.cloud.broken["remove"] = Transient("ServiceUnavailable", "no")
    with pytest.raises(Transient):
        run(jobs)
    jobs.cloud.broken["head"] = Failed("AccessDenied", "no", status=403)
    assert run(jobs) == "failed AccessDenied"


def test_what_fc_gives_up_is_submitted_again_three_times(jobs: Jobs) -> None:
    given, context = task(), jobs.tools().context
    for drops in range(1, 4):
        dropped = Dropped((given,), "x", "r")
        assert resume_dropped(context, jobs.tools().records, dropped) == 1
        given = submitted(jobs)[-1]
        assert given.drops == drops
    assert resume_dropped(context, jobs.tools().records, Dropped((given,), "x", "r")) == 0


def test_a_command_that_is_no_removal_is_refused() -> None:
    payload = events.encode(task())
    assert parsed(payload) == task()
    with pytest.raises(Refused):
        events.parse(payload.replace(task().job.encode(), b"x"), ARRIVAL, ())
