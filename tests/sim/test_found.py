"""Schedules that an attack has found."""

from __future__ import annotations

from dataclasses import replace

from tests.sim import campaign, faults, records
from tests.sim.faults import Fault
from tests.sim.scenario import Scenario
from tests.sim.test_sim import CALM


def test_an_outcome_that_was_put_on_record_unheard_stands_when_its_list_goes_on() -> None:
    """The source is gone; `failed` is written without an answer, and nothing can be asked for a while.

    Right: who takes the copy up once more asks first whether it has ended, and answers what is on record.
    """
    many = replace(CALM, entry="list", listed=2, size=50_000, timeout=60.0, former=False)
    struck = (
        Fault(faults.DELETE, "", 1, 0.0),
        Fault(faults.LOST, "put done", 1, 0.1),
        Fault(faults.OUTAGE, "put done", 2, 32.0),
        Fault(faults.BYTES, "put done", 1, 45.0),
    )
    run = campaign.run(many, struck)
    assert run.violations == []
    done = records.done(run.world, run.job)
    assert done is not None
    told = [answer for _, answer in run.answers(run.job) if answer.status != "running"]
    assert {each.status for each in told} == {done.result.status}, told


def test_what_a_list_leaves_is_called_running_when_it_is_handed_over_and_not_before() -> None:
    """FC gives the event up after four attempts, and nobody is told of that.

    Right: what was never put on record is not logged as running; its event has failed.
    """
    many = replace(CALM, entry="list", listed=12, size=50_000, part_seconds=2.0)
    run = campaign.run(many, (Fault(faults.OUTAGE, "put rest", 1, 400.0),))
    assert run.violations == []
    assert run.gaps["retries used up"] == 1
    last = [answer.status for _, answer in run.answers(run.list[-1].job)]
    assert last == []


def test_a_copy_asked_for_directly_that_comes_twice_at_once_is_not_in_its_own_way() -> None:
    """Nobody says when it was asked for first, and FC delivers at least once.

    Right: one job, one outcome: the second finds the copy that the first has made, and says so.
    """
    never = replace(CALM, entry="direct", overwrite="never", former=False, size=50_000, part_seconds=2.0)
    struck = (
        Fault(faults.KILL, "head source", 1, 0.0),
        Fault(faults.RIVAL, "head source", 1, 0.0),
        Fault(faults.AGAIN, "copy object", 1, 0.1),
    )
    run = campaign.run(never, struck)
    assert run.violations == []
    assert run.requests["copy object"] == 2
    told = [answer.status for _, answer in run.answers(run.jobs[1])]
    assert told == ["succeeded", "succeeded"]


def test_a_copy_asked_for_directly_that_comes_again_after_it_has_ended_is_not_in_its_own_way() -> None:
    """Right: such a copy is on record under `never`, since nothing else tells whose it is."""
    never = replace(CALM, entry="http", overwrite="never", former=False, size=50_000, timeout=60.0)
    struck = (
        Fault(faults.KILL, "head source", 1, 0.0),
        Fault(faults.RIVAL, "head source", 1, 0.0),
        Fault(faults.SWEEP, "put done", 1, 30.0),
        Fault(faults.AGAIN, "list rest", 1, 0.0),
    )
    run = campaign.run(never, struck)
    assert run.violations == []
    told = [answer.status for _, answer in run.answers(run.jobs[1])]
    assert told == ["succeeded", "succeeded"]


def test_a_version_that_somebody_tags_before_it_is_looked_at_is_not_deleted() -> None:
    """Right: tags are changed in place, so that other tags say nothing of what was written."""
    itself = replace(CALM, size=50_000, versioned=True, keeps=True, itself=True, former=False)
    untagged, tagged = (
        Fault(faults.FOREIGN, "get done", 1, 0.0),
        Fault(faults.TAGS, "find destination", 1, 0.0),
    )
    run = campaign.run(itself, (untagged, tagged))
    assert run.violations == []
    (answer,) = [answer for _, answer in run.answers(run.job)]
    assert answer.error is not None
    assert answer.error.code == "DestinationChanged"


def test_an_undated_copy_that_a_retry_has_made_is_on_record_too() -> None:
    """Right: the delivery after the retry knows no more than the first one did."""
    never = replace(CALM, entry="http", overwrite="never", former=False, size=50_000, timeout=60.0)
    struck = (
        Fault(faults.KILL, "head source", 1, 0.0),
        Fault(faults.RIVAL, "head source", 1, 0.0),
        Fault(faults.KILL, "get open", 1, 0.0),
        Fault(faults.AGAIN, "list rest", 1, 0.0),
        Fault(faults.SWEEP, "head source", 1, 30.0),
    )
    run = campaign.run(never, struck)
    assert run.violations == []
    assert [answer.status for _, answer in run.answers(run.jobs[1])] == ["succeeded", "succeeded"]


def test_an_object_that_was_not_changed_in_place_is_cancelled_and_no_unknown_outcome() -> None:
    """It is shown as it was, written in the second in which its copy began, before."""
    itself = replace(CALM, size=101_513, timeout=60.0, versioned=True, keeps=True, itself=True, former=False)
    struck = (Fault(faults.CANCEL, "put open", 1, 0.26), Fault(faults.KILL_LATE, "", 1, 0.2))
    run = campaign.run(itself, struck)
    assert run.violations == []


def test_a_copy_that_is_under_way_is_not_called_cancelled_since_its_source_is_archived_again() -> None:
    """The source was restored and is copied; then another archived one takes its place, and it is cancelled.

    Right: that the new one waits for its restoration says nothing of the CopyObject of the old one.
    """
    archived = replace(CALM, entry="direct", size=50_000, former=False, timeout=60.0, restore=3.0)
    struck = (
        Fault(faults.BYTES, "copy object", 1, 0.05, choice=0.0),
        Fault(faults.CANCEL, "copy object", 1, 0.1),
    )
    run = campaign.run(archived, struck)
    assert run.violations == []
    done = records.done(run.world, run.job)
    assert done is not None
    assert done.result.status == "succeeded"
    assert run.world.shown[-1].job == run.job


def test_wrong_bytes_that_an_upload_has_written_are_not_called_cancelled() -> None:
    """Who has seen them cannot put that on record; the canceller finds the upload gone.

    Right: it was completed, and what the destination shows is not known, whoever has written it.
    """
    struck = (
        Fault(faults.CORRUPT, "copy part", 1, 0.0),
        Fault(faults.NEVER, "put done", 1, 9.0),
        Fault(faults.CANCEL, "put done", 1, 1.0),
    )
    run = campaign.run(replace(CALM, timeout=60.0), struck)
    assert run.violations == []
    done = records.done(run.world, run.job)
    assert done is not None
    assert done.result.error is not None
    assert (done.result.status, done.result.error.code) == ("failed", "OutcomeUnknown")
    assert run.world.shown[-1].corrupt


def test_wrong_bytes_of_a_copyobject_from_before_the_upload_are_not_called_cancelled() -> None:
    """It had no answer and took effect late; the sweep lets parts begin, and then the copy is cancelled.

    Right: the copy may have written since it was put on record, not only since its upload was opened.
    """
    large = replace(CALM, entry="http", size=599_399, former=False, timeout=60.0, threshold=1_000_000)
    struck = (
        Fault(faults.CORRUPT, "copy object", 1, 0.0),
        Fault(faults.KILL, "submit", 1, 0.0),
        Fault(faults.CANCEL, "initiate", 1, 0.0),
    )
    run = campaign.run(replace(large, part_seconds=10.0), struck)
    assert run.violations == []
    done = records.done(run.world, run.job)
    assert done is not None
    assert done.result.error is not None
    assert (done.result.status, done.result.error.code) == ("failed", "OutcomeUnknown")
    assert run.world.shown[-1].job == run.job


def test_wrong_bytes_in_a_part_are_seen_before_the_destination_shows_them() -> None:
    run = campaign.run(replace(CALM, part_crcs=True), (Fault(faults.CORRUPT, "copy part", 2, 0.0),))
    assert run.violations == []
    (answer,) = [answer for _, answer in run.answers(run.job)]
    assert answer.error is not None
    assert answer.error.code == "VerificationFailed"
    assert [shown.origin for shown in run.world.shown] == ["former"]
    assert run.requests["complete"] == 0


def test_a_symlink_that_was_changed_before_and_after_it_was_copied_is_not_deleted() -> None:
    """Right: OSS copies a symlink as it is then; that of an instant in between is no wrong version."""
    link = replace(CALM, entry="direct", link="copy", keeps=True, former=False)
    struck = (
        Fault(faults.BYTES, "get link", 1, 0.03),
        Fault(faults.BYTES, "copy object", 1, 0.03),
    )
    run = campaign.run(link, struck)
    assert run.violations == []
    (answer,) = [answer for _, answer in run.answers(run.job)]
    assert answer.error is not None
    assert answer.error.code == "SourceChanged"
    assert run.requests["delete version"] == 0
    assert run.world.destination is not None
    assert run.world.destination.link == "t2"


def test_a_copy_that_waits_for_an_archived_source_gives_up_in_the_end() -> None:
    """Right: after a week, the longest that an event lives."""
    never = replace(CALM, restore=700_000.0, period=20_000.0)
    run = campaign.run(never)
    assert run.violations == []
    done = records.done(run.world, run.job)
    assert done is not None
    assert done.result.error is not None
    assert done.result.error.code == "RestoreTooSlow"


def test_tags_that_a_late_copy_onto_itself_takes_back_may_be_missed() -> None:
    """The source is tagged anew; a killed CopyObject onto it lands between HEAD and the answer of its tags.

    Right: HEAD tells the pinned version, the tags are the pinned ones again, and the copy is completed.
    """
    itself = Scenario(
        entry="event",
        size=706_799,
        overwrite="always",
        former=False,
        versioned=False,
        timeout=20.0,
        part_seconds=5.0,
        page=1000,
        skew=0.6542846938590747,
        by_rule=True,
        threshold=1_000_000,
        listed=3,
        itself=True,
        told=True,
        parallel=4,
        lanes=3,
        apart=True,
    )
    struck = (
        Fault(faults.TAGS, "", 26, 2.898548830340095, choice=0.9587430718617913),
        Fault(
            faults.KILL_LATE, "copy object", 1, 2.009768245719287, survives=False, choice=0.5202047027982556
        ),
        Fault(faults.CANCEL, "copy object", 1, 0.02604399937348322, choice=0.5936736787275524),
    )
    chosen = {
        "retry 1": 0.1141, "copy object 2": 0.4035, "arrival 17": 0.9139, "copy part 1": 0.9964,
        "answer 31": 0.8843, "copy part 3": 0.4613, "arrival 35": 0.9942, "copy part 5": 0.8887,
        "delivery 4": 0.1407, "sending 56": 0.9255, "arrival 42": 0.8169, "sending 60": 0.4094,
        "copy part 10": 0.3171, "answer 60": 0.3209, "sending 68": 0.7566,
    }  # fmt: skip
    run = campaign.run(itself, struck, chosen)
    assert run.violations == []
    assert run.requests["complete"] == 1


def test_a_copy_whose_parts_do_not_fit_into_a_shorter_timeout_has_stalled() -> None:
    """The function's timeout becomes 20 s while parts take 17 s, and two hops begin theirs late.

    Right: three invocations in a row copied no part, and the copy says so.
    """
    slow = Scenario(
        entry="event",
        size=896_599,
        overwrite="never",
        former=False,
        versioned=False,
        timeout=60.0,
        part_seconds=15.0,
        page=1000,
        skew=-0.44290338271716934,
        by_rule=True,
        threshold=60_000,
        listed=2,
        told=True,
        lanes=2,
        part_crcs=True,
    )
    struck = (
        Fault(faults.MISLAID, "submit", 1, 0.2784544273747546, survives=False, choice=0.9333454559012123),
        Fault(faults.BYTES, "get cancel", 1, 11.368577809503405, survives=False, choice=0.3316117272268194),
        Fault(faults.META, "copy part", 1, 17.993357540169754, choice=0.38292917849667496),
        Fault(faults.MISLAID, "submit", 2, 0.0, survives=False, choice=0.5),
        Fault(faults.SETTINGS, "submit", 2, 0.1, survives=False, choice=0.2152174580703936),
    )
    chosen = {
        "arrival 7": 0.9411, "copy part 1": 0.8748, "arrival 34": 0.9919, "arrival 45": 0.9852,
        "arrival 50": 0.984, "retry 1": 0.3376, "arrival 64": 0.9387, "retry 2": 0.2435,
        "arrival 92": 0.9952, "arrival 96": 0.9801, "copy part 11": 0.654,
    }  # fmt: skip
    run = campaign.run(slow, struck, chosen)
    assert run.violations == []
    done = records.done(run.world, run.job)
    assert done is not None
    assert done.result.error is not None
    assert done.result.error.code == "Stalled"


def test_parts_that_an_abort_took_away_may_have_been_told_as_done() -> None:
    """A redelivery finds the source changed and aborts, while the first delivery still copies parts.

    One of them brings the upload back. Right: the first delivery tells what it was answered, and the next
    hop finds the outcome on record and aborts once more.
    """
    large = Scenario(
        entry="event",
        size=501_999,
        overwrite="always",
        former=True,
        versioned=False,
        timeout=60.0,
        part_seconds=15.0,
        page=1,
        skew=1.6913972034382834,
        by_rule=True,
        threshold=60_000,
        listed=3,
        parallel=4,
        link="follow",
        apart=True,
    )
    struck = (
        Fault(faults.META, "", 10, 0.18751913113207513, survives=False, choice=0.9001843874413658),
        Fault(faults.AGAIN, "", 24, 9.728501964501676, survives=True, choice=0.19079508237513587),
        Fault(faults.SLOW, "copy part", 1, 14.57354984513487, survives=True, choice=0.774210857809407),
    )
    run = campaign.run(large, struck, {"copy part 1": 0.604, "copy part 4": 0.0746})
    assert run.violations == []
    assert any(upload.survived and upload.state == "aborted" for upload in run.world.uploads.values())


def test_a_late_copy_of_a_source_that_was_gone_meanwhile_does_not_stay_on_top() -> None:
    """A killed CopyObject of a rule lands when the source has been deleted, written anew and copied.

    Right: the redelivery that finds no source puts the copy on record, so that the sweep looks at source and
    destination once more, after that time.
    """
    shallow = Scenario(
        entry="event",
        size=50_000,
        overwrite="always",
        former=True,
        versioned=True,
        timeout=60.0,
        part_seconds=10.0,
        page=1,
        skew=-2.45142697972707,
        by_rule=True,
        threshold=1_000_000,
        listed=3,
        parallel=2,
        shallow=True,
        apart=True,
    )
    struck = (
        Fault(
            faults.BYTES,
            "find destination",
            1,
            29.245455762448987,
            survives=True,
            choice=0.049155379171374136,
        ),
        Fault(
            faults.KILL_LATE, "copy object", 1, 39.55917184358371, survives=True, choice=0.9837655952335201
        ),
        Fault(faults.DELETE, "copy object", 1, 0.0153966701452522, choice=0.22468746930877714),
    )
    run = campaign.run(shallow, struck)
    assert run.violations == []
    assert len(run.followers) == 1
    assert run.world.destination is not None
    assert run.world.destination.content == 3


def test_tags_that_came_between_their_question_and_head_are_copied() -> None:
    """The tags are asked for beside HEAD, which comes late: the object was tagged between the two.

    Right: they are asked for again. Else the copy of a rule fails as `SourceChanged`, and nobody follows it,
    since its pin holds no tags, as the pin of a copy does that reads none.
    """
    tagged = Scenario(
        entry="http",
        size=609_399,
        overwrite="always",
        former=True,
        versioned=False,
        timeout=60.0,
        part_seconds=5.0,
        page=1,
        skew=2.829252614435143,
        by_rule=True,
        threshold=60_000,
        listed=5,
        told=True,
        parallel=4,
        apart=True,
    )
    struck = (
        Fault(faults.TAGS, "get tags", 1, 0.2850225821415886, survives=True, choice=0.14958917611416334),
    )
    run = campaign.run(tagged, struck, {"arrival 1": 0.9366})
    assert run.violations == []
    assert run.world.destination is not None
    assert (run.world.destination.content, run.world.destination.tags) == (2, 1)


def test_a_late_copy_does_not_stay_on_top_though_another_delivery_has_closed_it() -> None:
    """A CopyObject of a rule is killed; the event comes twice, and the second one finds no source and closes.

    Right: FC's own retry of the killed one finds that outcome, and puts the copy on record all the same.
    """
    followed = Scenario(
        entry="event",
        size=50_000,
        overwrite="always",
        former=False,
        versioned=False,
        timeout=60.0,
        part_seconds=5.0,
        page=1,
        skew=2.885888815220871,
        by_rule=True,
        keeps=True,
        threshold=1_000_000,
        listed=4,
        lanes=2,
        part_crcs=True,
        link="follow",
    )
    struck = (
        Fault(faults.AGAIN, "", 2, 0.29866168841496155, survives=False, choice=0.9330550032636068),
        Fault(faults.BYTES, "", 13, 1.0122858037664193, survives=False, choice=0.007418524206101229),
        Fault(
            faults.KILL_LATE, "copy object", 1, 30.35271686927033, survives=True, choice=0.9165879257003146
        ),
        Fault(faults.DELETE, "copy object", 1, 0.2189493388991035, survives=False, choice=0.9824190522326751),
    )
    run = campaign.run(followed, struck)
    assert run.violations == []
    assert run.world.destination is not None
    assert run.world.destination.content == 2


def test_a_late_copy_does_not_stay_on_top_though_two_deliveries_ran_at_once() -> None:
    """One of them is killed in CopyObject; the source changes, and the other one copies it and closes.

    Right: the second one knows of no other, and FC's retry of the first finds everything done; so whoever
    forgets the copy looks at the destination, too.
    """
    two = Scenario(
        entry="event",
        size=50_000,
        overwrite="always",
        former=True,
        versioned=False,
        timeout=60.0,
        part_seconds=15.0,
        page=2,
        skew=1.4989067030763437,
        by_rule=True,
        keeps=False,
        threshold=60_000,
        listed=2,
        lanes=1,
        part_crcs=False,
        apart=True,
        limit=60_000,
    )
    struck = (
        Fault(faults.AGAIN, "put open", 1, 0.2617143117471508, survives=False, choice=0.07722347982686817),
        Fault(
            faults.KILL_LATE, "copy object", 1, 45.25861821389923, survives=False, choice=0.5628105746895545
        ),
        Fault(
            faults.BYTES,
            "copy object",
            1,
            0.11930537044586433,
            survives=True,
            choice=0.9608656363591026,
        ),
    )
    run = campaign.run(two, struck)
    assert run.violations == []
    assert run.world.destination is not None
    assert run.world.destination.content == 3
