"""Threads of one invocation: questions asked at once, and parts copied at once, in any order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from osscopy.copying.invocation.questions import Question
from osscopy.model import Attributes, Conditions, ContentHeaders, Failed, Transient
from tests.sim import campaign, faults
from tests.sim.choices import Choices, Listed, Seeded
from tests.sim.engine import Tools
from tests.sim.faults import Fault
from tests.sim.scheduler import Simulation
from tests.sim.test_sim import CALM

ASKED = ("head source", "get done", "get cancel", "find destination")


def asked_together(choices: Choices, *struck: Fault) -> tuple[Simulation, list[Any]]:
    """An invocation that asks four questions at once, and what it hears: answers, or an error."""
    simulation = Simulation(replace(CALM, by_rule=True), struck, choices, [])
    heard: list[Any] = []

    def ask(tools: Tools) -> None:
        context, request = tools.context, simulation.request
        store, journal = context.store, context.journal
        asked: tuple[Question[Any], ...] = (
            context.question(store.head, request, request.source, Conditions()),
            context.question(journal.done, "c-1"),
            context.question(journal.cancelled, "c-1"),
            context.question(store.find, request, request.source),
        )
        context.together(*asked)
        for each in asked:
            try:
                heard.append(each.get())
            except (Failed, Transient) as error:
                heard.append(error)

    simulation.at(0.0, lambda: simulation.invoke("questions", ask, 20.0))
    while simulation.step():
        pass
    return simulation, heard


def arrivals(simulation: Simulation) -> tuple[str, ...]:
    """The questions in the order in which they arrive."""
    said = [line[40:].strip() for line in simulation.trace or ()]
    return tuple(line for line in said if line in ASKED)


def answers(simulation: Simulation) -> tuple[str, ...]:
    """The questions in the order in which they are answered."""
    said = [line[40:].strip().partition(" -> ") for line in simulation.trace or ()]
    return tuple(name for name, arrow, _ in said if arrow)


def test_questions_asked_at_once_arrive_and_are_answered_in_any_order() -> None:
    runs = [asked_together(Seeded(seed)) for seed in range(400)]
    assert {arrivals(run)[0] for run, _ in runs} == set(ASKED)
    assert len({arrivals(run) for run, _ in runs}) == 24
    assert len({answers(run) for run, _ in runs}) == 24
    for _, heard in runs:
        assert [type(each).__name__ for each in heard] == ["Head", "NoneType", "NoneType", "Head"]


def test_an_error_is_that_of_its_own_question() -> None:
    struck = Fault(faults.DELETE, "head source", 1, 0.0)
    _, heard = asked_together(Listed({}), struck, Fault(faults.SLOW, "head source", 1, 1.0))
    assert isinstance(heard[0], Failed)
    assert heard[0].code == "NoSuchKey"
    assert not any(isinstance(each, Exception) for each in heard[1:])


def test_a_question_without_an_answer_is_not_waited_for_longer_than_there_is_time() -> None:
    held = tuple(Fault(faults.NEVER, "get done", n, 60.0) for n in range(1, 9))
    simulation, heard = asked_together(Listed({}), *held)
    assert isinstance(heard[1], Transient)
    assert heard[1].in_doubt
    (process,) = simulation.processes
    assert process.end == "returned"
    assert process.ended_at < process.deadline


def test_what_is_asked_together_with_a_listing_is_judged_by_when_they_were_asked() -> None:
    """A `cancel/` may be read before the listing is answered, as long as no part was copied in between."""
    simulation = Simulation(CALM, (Fault(faults.SLOW, "list parts", 1, 3.0),))
    upload = simulation.world.initiate(
        simulation.request, Attributes(ContentHeaders(user={"m": "1"}), {}, "default", "Standard", None), "x"
    )

    def ask(tools: Tools) -> None:
        context, request = tools.context, simulation.request
        context.together(
            context.question(context.store.list_parts, request, upload, 0),
            context.question(context.journal.cancelled, "c-1"),
        )

    simulation.at(1.0, lambda: simulation.invoke("questions", ask, 20.0))
    while simulation.step():
        pass
    (process,) = simulation.processes
    assert process.threads[0].task.listed_at - process.began == 0.0
    assert process.ended_at - process.began > 3.0


def test_an_instance_that_is_killed_at_one_question_asks_nothing_more() -> None:
    for name in ASKED:
        simulation, heard = asked_together(Seeded(1), Fault(faults.KILL, name, 1, 0.0))
        assert heard == []
        (process,) = simulation.processes
        assert process.end == "killed"
        assert all(thread.run.dead for thread in process.threads)


@pytest.mark.parametrize("parallel", [1, 2, 4])
def test_threads_copy_parts_at_the_same_time(parallel: int) -> None:
    large = replace(CALM, size=6 * 102_400, parallel=parallel, part_seconds=1.0, timeout=60.0)
    run = campaign.run(large)
    assert run.violations == []
    (first, *_) = run.world.uploads.values()
    copied = sorted(piece.modified for piece in first.parts.values())
    assert max(copied.count(second) for second in copied) >= parallel
    assert run.requests["copy part"] == 6


def test_a_thread_that_is_left_alone_at_the_deadline_does_no_harm() -> None:
    """Its part is held back; the hop hands over, and the next one does not complete without it."""
    held = Fault(faults.SLOW, "copy part", 2, 12.0)
    run = campaign.run(replace(CALM, size=4 * 102_400, parallel=4), (held,))
    assert run.violations == []
    assert [answer.status for _, answer in run.answers(run.job)][-1] == "succeeded"
