"""Telling, step by step: what is put on record, when it is asked for, and what a look does with it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from osscopy import events
from osscopy.copying import outcome, results, start
from osscopy.jobs.sweep import Sweeper
from osscopy.jobs.telling.outbox import TellingOutbox
from osscopy.jobs.telling.teller import Look, Way
from osscopy.jobs.telling.ways import FunctionWay, UrlWay
from osscopy.model import (
    BulkDestination,
    BulkDone,
    BulkRequest,
    BulkResult,
    BulkSource,
    Done,
    Failed,
    Misconfigured,
    Problem,
    Result,
    Sweep,
    Tell,
    ToldCounts,
    Transient,
)
from osscopy.plan.telling import news, receivers
from tests.cloud.client import ROOT
from tests.unit.engine import DENIED, LOST, START, Engine, fails, request

JOB = "c-" + "a" * 32
BULK = "b-" + "b" * 32
SENDER = news.Sender("oss-copy", "cn-hangzhou")


@dataclass
class Heard:
    """A way that remembers what it was told, and answers with errors where a test wants that."""

    name: str = "url"
    messages: list[Any] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    asked: int = 0

    def send(self, message: news.News) -> None:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        self.messages.append(message)


class Desk:
    """An engine in which somebody is told."""

    def __init__(self, on: news.On = "failed") -> None:
        self.engine = Engine()
        self.cloud, self.on = self.engine.cloud, on
        self.asked: set[int] = set()
        cloud = self.cloud
        self.engine.outbox = TellingOutbox(self.engine.records, cloud, cloud, cloud.log, on, self.asked)

    def look(self, *ways: Way, timeout: float = 60.0) -> ToldCounts:
        context = self.engine.context(timeout)
        return Look(context, self.engine.records, ways, self.on, SENDER).run()

    def ended(self, job: str, status: Any = "failed", *, is_due: bool = True) -> None:
        """Put an outcome on record that is to be told."""
        asked = BulkRequest(
            source=BulkSource(bucket="src", prefix="a/"),
            destination=BulkDestination(bucket="dst", prefix="b/"),
        )
        if job.startswith("b-"):
            self.engine.put(f"done/{job}", BulkDone("n", BulkResult(job, status), asked))
        else:
            self.engine.put(f"done/{job}", Done("n", Result(job, status), request()))
        if is_due:
            self.cloud.records[f"tell/{job}"] = (int(self.cloud.time), b"{}")

    def kept(self, kind: str) -> list[str]:
        return [each for each in self.cloud.records if each.startswith(f"{kind}/")]


# --- the outbox --------------------------------------------------------------------------------------------


def test_a_failed_copy_is_put_on_record_before_its_outcome_and_asked_for_after_it() -> None:
    desk = Desk()
    desk.cloud.put("a")
    desk.cloud.broken["copy"] = DENIED
    found = start.begin(desk.engine.context(), desk.engine.copy())
    assert found.status == "failed"
    kinds = [each.partition(" c-")[0] for each in desk.cloud.asked]
    at = kinds.index("put tell")
    assert kinds[at : at + 3] == ["put tell", "put done", f"submit tell-{START // news.WINDOW}"]
    ((task, payload, delay),) = desk.cloud.submitted
    assert (task, delay) == (f"tell-{START // news.WINDOW}", 35)
    assert desk.cloud.commands() == [Tell()]
    assert events.encode(Tell()) == payload


def test_a_copy_that_succeeds_asks_for_nothing_more() -> None:
    told, quiet = Desk(), Engine()
    for engine in (told.engine, quiet):
        engine.cloud.put("a")
        assert start.begin(engine.context(), engine.copy()).status == "succeeded"
    assert told.cloud.asked == quiet.cloud.asked


def test_where_nobody_is_told_a_failed_copy_asks_for_nothing_more() -> None:
    engine = Engine()
    engine.cloud.put("a")
    engine.cloud.broken["copy"] = DENIED
    start.begin(engine.context(), engine.copy())
    Sweeper(engine.context(), engine.journal).run(Sweep())
    assert not [each for each in engine.cloud.asked if "tell" in each]
    assert engine.cloud.events("sweepFailed") == []


@pytest.mark.parametrize("told", ["", "https://hooks.example.com/a"])
def test_where_nobody_is_told_nothing_is_imported_for_it(told: str) -> None:
    program = """if True:
        import sys
        from osscopy.app import App
        App()
        print(sum(".telling." in name for name in sys.modules), "osscopy.aliyun.hooks.https" in sys.modules)
    """
    environment = {"STATE_BUCKET": "state", "NOTIFY_URL": told, "PYTHONPATH": "functions/oss_copy"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    count, posts = done.stdout.split()
    assert (int(count) > 0, posts) == (bool(told), "False"), "what posts is imported by a look alone"


def test_an_instance_asks_once_a_window_and_again_in_the_next() -> None:
    desk = Desk()
    outbox = desk.engine.context().outbox
    assert outbox is not None
    for _ in range(3):
        outbox.announce()
    assert desk.cloud.count("submit") == 1
    desk.cloud.time += news.WINDOW
    outbox.announce()
    assert [task for task, _, _ in desk.cloud.submitted] == [
        f"tell-{START // news.WINDOW + n}" for n in (0, 1)
    ]
    assert len(desk.asked) == 1


def test_a_copy_is_over_although_nobody_can_be_asked_to_tell_of_it() -> None:
    desk = Desk()
    desk.cloud.put("a")
    desk.cloud.broken |= {"copy": DENIED, "submit": LOST}
    found = start.begin(desk.engine.context(), desk.engine.copy())
    assert (found.status, desk.engine.done(found.job or "")) == ("failed", found)
    assert desk.cloud.count("submit") == 1
    assert desk.cloud.events("tellLater")
    del desk.cloud.broken["submit"]
    outcome_box = desk.engine.context().outbox
    assert outcome_box is not None
    outcome_box.announce()
    assert desk.cloud.count("submit") == 2, "what failed was not asked for"


def test_the_sweep_asks_for_what_is_left_and_for_nothing_else() -> None:
    desk = Desk()
    sweep = Sweeper(desk.engine.context(), desk.engine.journal)
    sweep.run(Sweep())
    assert desk.cloud.submitted == []
    desk.ended(JOB)
    Sweeper(desk.engine.context(), desk.engine.journal).run(Sweep())
    assert desk.cloud.commands() == [Tell()]


def test_a_sweep_that_cannot_look_at_what_is_to_be_told_looks_at_copies_all_the_same() -> None:
    desk = Desk()
    desk.cloud.broken["list tell"] = DENIED
    Sweeper(desk.engine.context(), desk.engine.journal).run(Sweep())
    assert desk.cloud.events("sweepFailed")
    assert desk.cloud.count("list open") == 1


@pytest.mark.parametrize("on", ["failed", "all"])
def test_what_a_rule_copies_is_told_if_it_fails_alone(on: news.On) -> None:
    desk = Desk(on)
    desk.cloud.put("a")
    copied = start.begin(desk.engine.context(), desk.engine.copy(follows=0, keep=True))
    assert (copied.status, desk.kept("tell")) == ("succeeded", [])
    desk.cloud.broken["copy"] = DENIED
    desk.cloud.put("a", "8")
    start.begin(desk.engine.context(), desk.engine.copy(follows=0, keep=True, occurrence="two"))
    assert len(desk.kept("tell")) == 1


def test_a_copy_within_a_job_of_many_is_not_told() -> None:
    desk = Desk("all")
    with outcome.put_out(desk.engine.context(), f"{JOB}-{'1' * 32}", "failed"):
        pass
    assert desk.cloud.asked == []


# --- a look ------------------------------------------------------------------------------------------------


def test_an_outcome_is_told_in_each_way_once_and_then_forgotten() -> None:
    desk, url, function = Desk(), Heard(), Heard("function")
    desk.ended(JOB)
    assert desk.look(url, function) == ToldCounts(1, 0, 0, more=False)
    assert [each.result.job for each in url.messages + function.messages] == [JOB, JOB]
    assert desk.kept("told") == [f"told/url/{JOB}", f"told/function/{JOB}"]
    assert desk.kept("tell") == []
    desk.cloud.records[f"tell/{JOB}"] = (START, b"{}")  # as a second writer of the outcome puts it
    assert desk.look(url, function) == ToldCounts(1, 0, 0, more=False)
    assert (url.asked, function.asked) == (1, 1)
    assert desk.kept("tell") == []


def test_a_message_comes_after_the_outcome_and_its_record_after_the_message() -> None:
    desk = Desk()
    desk.ended(JOB)
    seen: list[list[str]] = []

    class Looking(Heard):
        def send(self, message: news.News) -> None:
            seen.append(sorted(desk.cloud.records))
            super().send(message)

    desk.look(Looking())
    assert seen == [[f"done/{JOB}", f"tell/{JOB}"]]
    asked = [each.split()[:2] for each in desk.cloud.asked]
    assert asked[-2:] == [["put", "told"], ["delete", "tell"]]


def test_what_has_no_outcome_yet_waits() -> None:
    desk, url = Desk(), Heard()
    desk.cloud.records[f"tell/{JOB}"] = (START, b"{}")
    desk.cloud.time += news.GIVE_UP
    assert desk.look(url) == ToldCounts(0, 1, 0, more=False)
    assert (url.asked, desk.kept("tell")) == (0, [f"tell/{JOB}"])
    desk.cloud.time += 14 * 86_400
    assert desk.look(url) == ToldCounts(0, 0, 1, more=False)
    assert desk.kept("tell") == []


def test_an_outcome_that_another_one_wrote_is_judged_by_itself() -> None:
    """Whoever meant to call it failed has put it on record, and the copy had succeeded before."""
    desk, url = Desk(), Heard()
    desk.ended(JOB, "succeeded")
    assert desk.look(url) == ToldCounts(0, 0, 0, more=False)
    assert (url.asked, desk.kept("tell"), desk.kept("told")) == (0, [], [])


def test_a_way_that_takes_nothing_is_asked_twice_a_look_and_keeps_no_other_from_being_told() -> None:
    desk, url, function = Desk(), Heard(errors=[LOST] * 2), Heard("function")
    for number in range(3):
        desk.ended(f"c-{number:032x}")
    assert desk.look(url, function) == ToldCounts(0, 3, 0, more=False)
    assert (url.asked, len(function.messages)) == (2, 3)
    assert len(desk.kept("tell")) == 3
    assert desk.look(url, function) == ToldCounts(3, 0, 0, more=False)
    assert (len(url.messages), len(function.messages)) == (3, 3)
    (logged,) = desk.cloud.events("notTold")
    assert logged["way"] == "url"


def test_a_message_that_is_refused_for_good_is_not_sent_again_in_this_look() -> None:
    desk, url = Desk(), Heard(errors=[Failed("NotTaken", "310000")])
    desk.ended(JOB)
    desk.look(url)
    assert url.asked == 1


def test_a_message_that_failed_for_a_moment_is_sent_again() -> None:
    desk, url = Desk(), Heard(errors=[LOST])
    desk.ended(JOB)
    assert desk.look(url).told == 1
    assert url.asked == 2


def test_what_nobody_takes_for_a_day_is_given_up() -> None:
    desk = Desk()
    desk.ended(JOB)
    desk.cloud.time += news.GIVE_UP - 1
    assert desk.look(Heard(errors=[DENIED])).left == 1
    desk.cloud.time += 1
    assert desk.look(Heard(errors=[DENIED])) == ToldCounts(0, 0, 1, more=False)
    assert desk.kept("tell") == desk.kept("told") == []
    assert desk.cloud.events("notTold")[-1]["job"] == JOB


def test_many_outcomes_make_few_messages_and_jobs_of_many_objects_come_first() -> None:
    desk, url = Desk(), Heard()
    for number in range(50):
        desk.ended(f"c-{number:032x}")
    desk.ended(BULK)
    assert desk.look(url).told == 51
    assert len(url.messages) == news.OWN
    assert url.messages[0].result.job == BULK
    last = url.messages[-1]
    assert (last.ended, last.failed) == (51 - news.OWN + 1, 51 - news.OWN + 1)
    assert len(desk.kept("told")) == 51


def test_a_few_outcomes_have_a_message_each() -> None:
    desk, url = Desk(), Heard()
    for number in range(news.OWN):
        desk.ended(f"c-{number:032x}")
    desk.look(url)
    assert all(hasattr(each, "result") for each in url.messages)
    assert len(url.messages) == news.OWN


def test_more_than_a_look_can_tell_is_left_to_the_next_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osscopy.jobs.telling.teller.PAGE", 10)
    desk, url = Desk(), Heard()
    for number in range(50):
        desk.ended(f"c-{number:032x}")
    assert desk.look(url) == ToldCounts(30, 0, 0, more=True)
    assert len(url.messages) <= 10, "robots take 20 a minute, of two looks"
    assert desk.cloud.commands() == [Tell()]
    assert desk.look(url) == ToldCounts(20, 0, 0, more=False)


def test_a_look_in_vain_is_followed_by_none_before_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osscopy.jobs.telling.teller.PAGE", 10)
    desk = Desk()
    for number in range(50):
        desk.ended(f"c-{number:032x}")
    assert desk.look(Heard(errors=[DENIED])) == ToldCounts(0, 30, 0, more=True)
    assert desk.cloud.submitted == []


def test_a_look_at_nothing_begins_no_thread() -> None:
    desk = Desk()
    assert desk.look(Heard()) == ToldCounts(0, 0, 0, more=False)
    assert desk.cloud.asked == ["list tell"]
    assert desk.cloud.rounds == []


def test_a_look_goes_past_what_has_no_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osscopy.jobs.telling.teller.PAGE", 2)
    desk, url = Desk(), Heard()
    for number in range(8):
        desk.cloud.records[f"tell/c-{number:032x}"] = (START, b"{}")
    desk.ended("c-" + "f" * 32)
    assert desk.look(url) == ToldCounts(1, 8, 0, more=False)


def test_no_message_is_begun_when_time_is_nearly_over() -> None:
    desk, url = Desk(), Heard()
    desk.ended(JOB)
    desk.cloud.at("get done", lambda: desk.cloud.sleep(51))
    desk.look(url)
    assert url.asked == 0
    assert desk.kept("tell") == [f"tell/{JOB}"]


def test_an_outcome_that_cannot_be_read_keeps_no_other_from_being_told() -> None:
    desk, url = Desk(), Heard()
    desk.ended(JOB)
    other = "c-" + "0" * 32
    desk.cloud.records[f"done/{other}"] = (START, b"[]")
    desk.cloud.records[f"tell/{other}"] = (START, b"{}")
    assert desk.look(url) == ToldCounts(1, 0, 0, more=False)
    assert desk.cloud.events("unreadableRecord")
    assert f"tell/{other}" in desk.cloud.records


def test_a_record_of_what_was_told_that_somebody_else_wrote_keeps_no_other_from_being_told() -> None:
    desk, url = Desk(), Heard()
    desk.ended(JOB)
    desk.ended(BULK)
    wrong = Misconfigured("UnreadableRecord", "not signed with STATE_KEY")
    desk.cloud.at("get told", fails(wrong))
    assert desk.look(url).told == 1
    assert desk.cloud.events("unreadableRecord")


def test_names_that_no_invocation_writes_are_passed_over() -> None:
    desk, url = Desk(), Heard()
    for name in ("x", "../done/a", "c-1", f"{JOB}/x"):
        desk.cloud.records[f"tell/{name}"] = (START, b"{}")
    assert desk.look(url) == ToldCounts(0, 0, 0, more=False)
    assert not [each for each in desk.cloud.asked if each.startswith("get done")]


# --- the ways ----------------------------------------------------------------------------------------------


def test_a_function_gets_the_result_under_a_task_id_of_the_job() -> None:
    engine = Engine()
    way = FunctionWay(engine.cloud)
    message = SENDER.of_one(Result(JOB, "failed", error=Problem("A", "b")))
    way.send(message)
    way.send(message)  # FC knows the id
    ((task, payload, delay),) = engine.cloud.submitted
    assert (task, delay) == (f"told-{JOB}", 0)
    assert json.loads(payload)["result"]["job"] == JOB
    way.send(SENDER.of_many([Result(JOB, "failed"), Result(BULK, "failed")]))
    assert engine.cloud.submitted[1][0].startswith("told-")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b'{"errcode":0}', None),
        (200, b'{"errcode":1}', Failed),
        (404, b"", Failed),
        (503, b"", Transient),
    ],
)
def test_a_receiver_s_answer_is_an_error_where_it_took_nothing(
    status: int, body: bytes, error: type[Exception] | None
) -> None:
    receiver = receivers.Receiver("https://oapi.dingtalk.com/robot/send?access_token=t0ken", "dingtalk")
    sent: list[str] = []

    def post(url: str, *_: object) -> tuple[int, bytes]:
        sent.append(url)
        return status, body

    way = UrlWay(receiver, post, Engine().cloud)
    if error is None:
        way.send(SENDER.of_one(Result(JOB, "failed")))
    else:
        with pytest.raises(error) as caught:
            way.send(SENDER.of_one(Result(JOB, "failed")))
        assert "t0ken" not in str(caught.value)
    assert sent == [receiver.url]


def test_the_time_of_a_result_is_that_of_its_record() -> None:
    """What a look tells is what is on record, field by field."""
    desk, url = Desk("all"), Heard()
    result = Result(JOB, "succeeded", finished_at=results.iso(START))
    desk.engine.put(f"done/{JOB}", Done("n", result, request()))
    desk.cloud.records[f"tell/{JOB}"] = (START, b"{}")
    desk.look(url)
    assert msgspec.json.encode(url.messages[0].result) == msgspec.json.encode(result)
