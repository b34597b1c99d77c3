"""What a deployment allows beyond a plain copy: each act needs its word, whatever the request calls it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from osscopy.copying import start
from osscopy.model import BulkDestination, Encrypted, Encryption, Failed, Filters, Refused
from osscopy.plan.allowed.options import ANY_OPTION, NO_OPTION, WORDS, AllowedOptions, Word, strength
from tests.unit import many
from tests.unit.engine import DENIED, DST, LARGE, SRC, Engine, code, fails, request
from tests.unit.many import Jobs

KMS, AES = Encrypted("KMS", "key-1"), Encrypted("AES256")


def without(word: Word) -> AllowedOptions:
    return replace(ANY_OPTION, words=ANY_OPTION.words - {word})


@pytest.mark.parametrize("word", WORDS)
def test_what_is_not_allowed_is_refused_with_the_word_that_lacks(word: Word) -> None:
    with pytest.raises(Refused) as caught:
        NO_OPTION.need(word, "this deletes objects", "delete")
    error = caught.value
    assert (error.code, error.status, error.field) == ("NotAllowed", 403, "delete")
    assert error.message == f"this deletes objects: ALLOWED_OPTIONS lacks {word}"
    ANY_OPTION.need(word, "this deletes objects", "delete")


@pytest.mark.parametrize(
    ("asked", "word", "field"),
    [
        (request(acl="public-read"), "public-acl", "acl"),
        (request(acl="public-read-write"), "public-acl", "acl"),
        (request(request_payer=True), "requester-pays", "requestPayer"),
        (many.request(acl="public-read"), "public-acl", "acl"),
        (many.request(delete=True), "delete", "delete"),
    ],
)
def test_what_a_request_does_whatever_its_source_is_like_needs_a_word(
    asked: Any, word: Word, field: str
) -> None:
    with pytest.raises(Refused) as caught:
        without(word).judge_request(asked)
    assert (caught.value.field, caught.value.message.rpartition(" ")[2]) == (field, word)
    ANY_OPTION.judge_request(asked)


@pytest.mark.parametrize(
    "asked",
    [
        request(acl="private"),
        request(acl="copy"),
        request(storage_class="Archive", encryption="bucket", archive="restore"),
        many.request(delete=True, dry_run=True),
    ],
)
def test_what_may_take_no_power_is_judged_when_the_source_is_known(asked: Any) -> None:
    NO_OPTION.judge_request(asked)


# --- one copy ----------------------------------------------------------------------------------------------


def begin(engine: Engine, options: AllowedOptions, **asked: Any) -> Any:
    engine.options = options
    return start.begin(engine.context(), engine.copy(request(**asked)))


def lacks(result: Any) -> str | None:
    """The word that a failed copy lacks."""
    assert result.status == "failed", result
    assert (code(result), result.error.retryable) == ("NotAllowed", False)
    message: str = result.error.message
    return message.rpartition(" ")[2]


@pytest.mark.parametrize(
    ("asked", "source", "word"),
    [
        ({"storage_class": "IA"}, {}, "colder-class"),
        ({"storage_class": "DeepColdArchive"}, {"storage_class": "ColdArchive"}, "colder-class"),
        ({"archive": "restore"}, {"storage_class": "Archive"}, "restore"),
        ({"encryption": Encryption("AES256")}, {"encryption": KMS}, "weaker-encryption"),
        ({"encryption": Encryption("SM4")}, {"encryption": KMS}, "weaker-encryption"),
        ({"encryption": "bucket"}, {"encryption": KMS}, "weaker-encryption"),
        ({"encryption": "bucket"}, {"encryption": AES}, "weaker-encryption"),
        ({"encryption": None}, {"encryption": AES}, "weaker-encryption"),
    ],
)
@pytest.mark.parametrize("size", [1000, LARGE])
def test_what_a_copy_of_this_source_would_do_needs_a_word(
    asked: dict[str, Any], source: dict[str, Any], word: Word, size: int
) -> None:
    engine = Engine()
    engine.cloud.put("a", size=size, **source)
    result = begin(engine, without(word), **asked)
    assert lacks(result) == word
    assert (DST, "b") not in engine.cloud.objects
    assert not engine.cloud.count("restore")
    assert not engine.cloud.uploads
    assert engine.done(result.job) is not None, "it can be listed and resubmitted"
    assert begin(Engine_with(source, size), ANY_OPTION, **asked).status in {"succeeded", "running"}


def Engine_with(source: dict[str, Any], size: int) -> Engine:  # noqa: N802 - it makes one
    engine = Engine()
    engine.cloud.put("a", size=size, **source)
    return engine


@pytest.mark.parametrize(
    ("asked", "source", "default"),
    [
        ({}, {"storage_class": "ColdArchive"}, None),
        ({"storage_class": "Standard"}, {"storage_class": "IA"}, None),
        ({"storage_class": "IA"}, {"storage_class": "IA"}, None),
        ({"archive": "restore"}, {"storage_class": "Archive", "restoration": "done"}, None),
        ({"archive": "restore"}, {"storage_class": "Archive", "restoration": "ongoing"}, None),
        ({}, {"encryption": KMS}, None),
        ({"encryption": "bucket"}, {}, None),
        ({"encryption": "bucket"}, {"encryption": KMS}, KMS),
        ({"encryption": "bucket"}, {"encryption": AES}, AES),
        ({"encryption": Encryption("AES256")}, {}, None),
        ({"encryption": Encryption("KMS")}, {"encryption": KMS}, None),
        ({"acl": "private"}, {}, None),
        ({"acl": "copy"}, {}, None),
    ],
)
@pytest.mark.parametrize("size", [1000, LARGE])
def test_a_copy_that_takes_no_power_needs_no_word(
    asked: dict[str, Any], source: dict[str, Any], default: Encrypted | None, size: int
) -> None:
    engine = Engine_with(source, size)
    engine.default = default
    assert begin(engine, NO_OPTION, **asked).status in {"succeeded", "running"}


def test_a_default_is_asked_only_where_it_decides() -> None:
    for asked, source, options in (
        ({"encryption": "bucket"}, {}, NO_OPTION),
        ({}, {"encryption": KMS}, NO_OPTION),
        ({"encryption": "bucket"}, {"encryption": KMS}, ANY_OPTION),
    ):
        engine = Engine_with(dict(source), 1000)
        begin(engine, options, **asked)
        assert not engine.cloud.count("default encryption")


def test_a_default_that_may_not_be_seen_refuses_the_copy() -> None:
    engine = Engine_with({"encryption": KMS}, 1000)
    engine.cloud.at("default encryption", fails(DENIED))
    assert code(begin(engine, NO_OPTION, encryption="bucket")) == "AccessDenied"
    assert (DST, "b") not in engine.cloud.objects


@pytest.mark.parametrize("size", [1000, LARGE])
def test_the_acl_of_a_public_source_is_not_copied_without_its_word(size: int) -> None:
    engine = Engine_with({}, size)
    engine.cloud.objects[SRC, "a"].acl = "public-read"
    assert lacks(begin(engine, without("public-acl"), acl="copy")) == "public-acl"
    assert (DST, "b") not in engine.cloud.objects
    assert not engine.cloud.uploads
    engine = Engine_with({}, size)
    engine.cloud.objects[SRC, "a"].acl = "public-read"
    assert begin(engine, ANY_OPTION, acl="copy").status == "succeeded"
    assert engine.cloud.objects[DST, "b"].acl == "public-read"


def test_a_public_acl_is_refused_before_an_upload_is_opened() -> None:
    engine = Engine_with({}, LARGE)
    engine.cloud.objects[SRC, "a"].acl = "public-read"
    assert lacks(begin(engine, without("public-acl"), acl="copy")) == "public-acl"
    assert not engine.cloud.count("initiate")


@pytest.mark.parametrize("size", [1000, LARGE])
def test_an_acl_that_becomes_public_meanwhile_is_not_copied(size: int) -> None:
    """The look before the first write is not the one that the ACL is taken from."""

    def publish() -> None:
        engine.cloud.objects[SRC, "a"].acl = "public-read"

    engine = Engine_with({}, size)
    engine.cloud.at("head", publish, nth=1 if size == 1000 else 2, after=True)
    assert lacks(begin(engine, without("public-acl"), acl="copy")) == "public-acl"
    assert (DST, "b") not in engine.cloud.objects
    assert not engine.cloud.uploads


def test_an_object_that_is_changed_in_place_keeps_its_own_acl() -> None:
    engine = Engine_with({}, 1000)
    engine.cloud.objects[SRC, "a"].acl = "public-read"
    there = replace(request().destination, bucket=SRC, key="a")
    result = begin(engine, without("public-acl"), destination=there, tags={"a": "b"})
    assert result.status == "succeeded"
    assert engine.cloud.objects[SRC, "a"].acl == "public-read"


def test_an_object_above_the_largest_is_not_copied() -> None:
    for largest, wanted in ((999, "failed"), (1000, "succeeded")):
        engine = Engine_with({}, 1000)
        result = begin(engine, replace(NO_OPTION, largest=largest))
        assert result.status == wanted
    assert "MAX_OBJECT_SIZE" in begin(Engine_with({}, 9), replace(NO_OPTION, largest=8)).error.message


def test_kms_is_stronger_than_what_needs_no_right_to_a_key() -> None:
    assert strength(KMS) > strength(AES) == strength(Encrypted("SM4")) > strength(None)


# --- many objects ------------------------------------------------------------------------------------------


def run(jobs: Jobs, options: AllowedOptions, **asked: Any) -> Any:
    jobs.cloud.options = options
    return jobs.run(many.request(**asked))


def codes(jobs: Jobs, job: str) -> dict[str, str]:
    return {key: row["errorCode"] for key, row in jobs.rows(job).items()}


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"acl": "public-read"}, "acl"), ({"request_payer": True}, "requestPayer")],
)
def test_a_job_that_asks_for_what_is_not_allowed_is_not_begun(asked: dict[str, Any], field: str) -> None:
    jobs = Jobs()
    jobs.put("a")
    jobs.cloud.options = NO_OPTION
    result = jobs.begin(many.request(**asked))
    assert result.error is not None
    assert (result.error.code, result.error.field) == ("NotAllowed", field)
    assert not any(name.startswith("bulk/") for name in jobs.cloud.records)


def test_objects_whose_copies_are_not_allowed_are_failed_rows() -> None:
    jobs = Jobs()
    jobs.put("a", "b")
    jobs.put("cold", storage_class="Archive", restoration="done")
    jobs.put("large", size=LARGE)
    result = run(jobs, replace(NO_OPTION, largest=LARGE - 1), storage_class="Archive")
    assert codes(jobs, result.job) == dict.fromkeys(("in/a", "in/b", "in/large"), "NotAllowed") | {
        "in/cold": ""
    }


@pytest.mark.parametrize("named", ["bucket", Encryption("AES256")])
def test_an_object_of_a_job_is_not_encrypted_more_weakly(named: Any) -> None:
    jobs = Jobs()
    jobs.put("plain")
    jobs.put("sealed", encryption=KMS)
    result = run(jobs, NO_OPTION, encryption=named)
    assert codes(jobs, result.job) == {"in/plain": "", "in/sealed": "NotAllowed"}
    assert (DST, "out/sealed") not in jobs.cloud.objects
    assert jobs.cloud.count("default encryption") == (named == "bucket")
    allowed = Jobs()
    allowed.put("sealed", encryption=KMS)
    assert run(allowed, ANY_OPTION, encryption=named).status == "succeeded"
    assert not allowed.cloud.count("head"), "where it is allowed, one request an object is enough"


def test_a_default_of_kms_is_judged_once_for_a_job() -> None:
    jobs = Jobs()
    jobs.cloud.default = KMS
    jobs.put("sealed", encryption=KMS)
    jobs.put(*"abcdef")
    assert run(jobs, NO_OPTION).status == "succeeded"
    assert jobs.cloud.count("default encryption") == 1
    assert not jobs.cloud.count("head")


def test_a_default_that_a_job_may_not_see_lets_it_look_at_each_object() -> None:
    jobs = Jobs()
    jobs.cloud.broken["default encryption"] = DENIED
    jobs.put("plain")
    jobs.put("sealed", encryption=KMS)
    result = run(jobs, NO_OPTION)
    assert codes(jobs, result.job) == {"in/plain": "", "in/sealed": "NotAllowed"}
    jobs.cloud.broken["default encryption"] = Failed("NoSuchBucket", "gone", status=404)
    again = jobs.begin(many.request(filters=Filters(exclude=("x",))))
    assert code(again) == "NoSuchBucket"  # type: ignore[arg-type]  # of a job


def test_a_template_does_not_change_what_is_judged() -> None:
    jobs = Jobs()
    jobs.put("a")
    there = BulkDestination(bucket=DST, key="made/{name}")
    result = run(jobs, NO_OPTION, destination=there, storage_class="IA")
    assert codes(jobs, result.job) == {"in/a": "NotAllowed"}
