"""What README.md shows is true: its examples are sent, its routes called, its settings those of the function.

An example, a route or a setting that is not known here fails: say below what proves it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from osscopy import events, plan, settings
from osscopy.model import MIB, Misconfigured
from tests import openapi
from tests.cloud.client import LocalCloud
from tests.flow import documents
from tests.flow.conftest import STATE, exists, open_uploads, set_versioning

Json = dict[str, Any]

TEXT = documents.read()
SOURCE, DESTINATION = "src-bucket", "dst-bucket"  # as in the examples
WATCHED = "incoming/"
RULE = {
    "source": {"bucket": SOURCE, "prefix": WATCHED, "suffix": ".bin"},
    "destination": {"bucket": DESTINATION, "key": "by-rule/{name}"},
    "storageClass": "IA",
}
NOBODY = "c-" + "0" * 32  # a job that never was


@pytest.fixture(scope="module")
def shared_cloud() -> Iterator[LocalCloud]:
    buckets = {"sourceBucket": SOURCE, "destinationBucket": DESTINATION}
    with LocalCloud(variables=buckets, environment={"COPY_RULES": json.dumps([RULE])}) as running:
        yield running


# --- blocks of JSON ----------------------------------------------------------------------------------------

EXAMPLES: list[Json] = [json.loads(each.text) for each in documents.blocks(TEXT) if each.language == "json"]


def kind(example: Json) -> str:
    """What an example is one of; empty: nobody knows."""
    if {"source", "destination"} <= example.keys():
        return "result" if "status" in example else "request"
    return "report" if example.keys() == {"status", "lines"} else ""


def test_every_block_is_known_to_somebody_here() -> None:
    assert {each.language for each in documents.blocks(TEXT)} <= {"sh", "json", ""}
    assert {kind(each) for each in EXAMPLES} == {"request", "result", "report"}


@pytest.mark.parametrize("example", [each for each in EXAMPLES if kind(each) == "request"])
def test_an_example_of_a_request_is_copied_as_it_stands(cloud: LocalCloud, example: Json) -> None:
    source, destination = example["source"], example["destination"]
    cloud.seed(source["bucket"], source["key"], 3 * MIB, seed=1)
    result = cloud.invoke(example)
    assert result["status"] == "succeeded", result
    found = cloud.oss_bucket(destination["bucket"]).head_object(result["destination"]["key"])
    assert found.headers["x-oss-server-side-encryption"] == example["encryption"]["algorithm"]


def test_all_that_can_be_in_a_request_is_in_the_example_and_nearly_all_has_a_default(
    cloud: LocalCloud,
) -> None:
    (example,) = (each for each in EXAMPLES if kind(each) == "request")
    schemas = openapi.schemas()
    known = {name: set(schema["properties"]) for name, schema in schemas.items() if "properties" in schema}
    assert example.keys() == known["CopyRequest"]
    for name in ("Source", "Destination", "Conditions"):
        assert example[name.lower()].keys() == known[name]
    assert example["tuning"].keys() == known["Tuning"] - {"lanes"}, "more than one lane is not done yet"
    cloud.oss_bucket(SOURCE).put_object("least", b"x")
    result = cloud.invoke(
        {"source": {"bucket": SOURCE, "key": "least"}, "destination": {"bucket": DESTINATION}}
    )
    assert (result["status"], result["destination"]["key"]) == ("succeeded", "least"), result


FREE = {  # what of a result depends on when and where it is made, and the form it has
    "job": events.JOB,
    "etag": r"[0-9A-F]+…?(-\d+)?",
    "crc64": r"\d+…?",
    "startedAt": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "finishedAt": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "hops": r"\d+",
}


def settled(value: object, name: str = "") -> object:
    """A result with what is free in it replaced by its name; that must have its form."""
    if isinstance(value, dict):
        return {key: settled(each, key) for key, each in value.items()}
    if name in FREE:
        assert re.fullmatch(FREE[name], str(value)), f"{name}: {value}"
        return name, type(value)
    return value


def undated(result: Json) -> Json:
    """The day on which it began, in the key of its copy, replaced by a word."""
    day = result["startedAt"][:10].replace("-", "/")
    target = result["destination"]
    return {**result, "destination": {**target, "key": target["key"].replace(day, "DAY")}}


@pytest.mark.parametrize("example", [each for each in EXAMPLES if kind(each) == "result"])
def test_an_example_of_a_result_is_what_the_example_of_a_request_comes_to(
    cloud: LocalCloud, example: Json
) -> None:
    (request,) = (each for each in EXAMPLES if kind(each) == "request")
    cloud.seed(SOURCE, example["source"]["key"], example["source"]["size"], seed=2)
    result = cloud.invoke(request)
    assert list(result) == list(example)
    assert settled(undated(result)) == settled(undated(example))


@pytest.mark.parametrize("example", [each for each in EXAMPLES if kind(each) == "report"])
def test_an_example_of_a_report_is_what_a_check_says_of_such_a_deployment(example: Json) -> None:
    with LocalCloud() as broken:
        set_versioning(broken.oss_bucket(STATE), "Enabled")
        report = broken.invoke(json.loads('{"action": "check"}'))
    assert report["status"] == example["status"]
    for line in example["lines"]:
        assert line in report["lines"]


# --- JSON in running text ----------------------------------------------------------------------------------


def request_of(key: str, **options: object) -> Json:
    return {"source": {"bucket": SOURCE, "key": key}, "destination": {"bucket": DESTINATION}, **options}


def names_in(fragment: str) -> set[str]:
    return set(re.findall(r'"(\w+)"', fragment))


def the_size_counts_where_nothing_has_a_crc64(cloud: LocalCloud, fragment: str) -> None:
    cloud.seed(SOURCE, "bare", 3 * MIB, seed=3)
    cloud.conditions([{"operation": "*", "answer": "bare"}])
    assert fragment in json.dumps(cloud.invoke(request_of("bare", tuning={"method": "multipart"})))


def a_symlink_is_proved_as_one(cloud: LocalCloud, fragment: str) -> None:
    cloud.oss_bucket(SOURCE).put_symlink("nowhere", "link")
    assert fragment in json.dumps(cloud.invoke(request_of("link")))


def a_list_is_answered_by_a_list(cloud: LocalCloud, fragment: str) -> None:
    for name in ("one", "two"):
        cloud.oss_bucket(SOURCE).put_object(name, b"x")
    answer = cloud.invoke([request_of("one"), request_of("two")])
    assert answer.keys() == names_in(fragment)
    assert [each["status"] for each in answer["results"]] == ["succeeded"] * 2


def an_error_comes_alone_and_with_a_fitting_status(cloud: LocalCloud, fragment: str) -> None:
    misspelt = cloud.http("POST", "/copies", json_body=request_of("a", overwirte="never"))
    absent = cloud.http("POST", "/copies", json_body=request_of("absent"))
    assert (misspelt.status_code, absent.status_code) == (422, 404)
    assert misspelt.json().keys() == absent.json().keys() == names_in(fragment)


def an_error_has_these_fields(cloud: LocalCloud, fragment: str) -> None:
    error = cloud.invoke(request_of("absent"))["error"]
    assert {"error", *error} == names_in(fragment)
    assert error["code"] == "NoSuchKey"
    assert error["requestId"]


def a_check_is_answered_by_its_report(cloud: LocalCloud, fragment: str) -> None:
    report = cloud.invoke(fragment)
    assert report.keys() == {"status", "lines"}
    assert report["status"] in {"ok", "warning"}, report


def a_sweep_is_answered_by_its_counts(cloud: LocalCloud, fragment: str) -> None:
    report = cloud.invoke(fragment)
    counts = {name for name, value in report.items() if type(value) is int}
    (told,) = re.findall(r"Its report counts (.*?)\(", TEXT, re.DOTALL)
    assert counts == set(documents.spans(told))


def a_rule_copies_what_it_names(cloud: LocalCloud, fragment: str) -> None:
    assert names_in(fragment) == names_in(
        json.dumps({name: RULE[name] for name in ("source", "destination")})
    )
    for name in ("yes.bin", "no.txt"):
        cloud.oss_bucket(SOURCE).put_object(WATCHED + name, b"x")
    cloud.wait_idle()
    destination = cloud.oss_bucket(DESTINATION)
    assert destination.head_object("by-rule/yes.bin").headers["x-oss-storage-class"] == "IA"
    assert not exists(destination, "by-rule/no.txt")


FRAGMENTS: dict[str, Callable[[LocalCloud, str], None]] = {
    '"verified": "size"': the_size_counts_where_nothing_has_a_crc64,
    '"verified": "link"': a_symlink_is_proved_as_one,
    '{"results": […]}': a_list_is_answered_by_a_list,
    '{"error": …}': an_error_comes_alone_and_with_a_fitting_status,
    '"error": {"code", "message", "requestId", "retryable", "field"}': an_error_has_these_fields,
    '{"action": "check"}': a_check_is_answered_by_its_report,
    '{"action": "sweep"}': a_sweep_is_answered_by_its_counts,
    '{"source": {"bucket", "prefix", "suffix"}, "destination": {"bucket", "key"}, …}': (
        a_rule_copies_what_it_names
    ),
}
ANSWERS = {  # what the table of routes says is answered: proved with the route
    '{"copies": [result], "next": job or null}': "GET /copies",
    '{"status": "ok"}': "GET /healthz",
}


def test_every_piece_of_json_is_known_to_somebody_here() -> None:
    assert set(documents.json_spans(TEXT)) == {*FRAGMENTS, *ANSWERS}


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_a_piece_of_json_is_what_the_function_takes_or_answers(cloud: LocalCloud, fragment: str) -> None:
    FRAGMENTS[fragment](cloud, fragment)


# --- what is not done --------------------------------------------------------------------------------------


def test_copies_of_many_objects_are_refused_and_lanes_have_no_effect(cloud: LocalCloud) -> None:
    for field in ("prefix", "manifest"):
        error = cloud.invoke({**request_of(""), "source": {"bucket": SOURCE, field: "x"}})["error"]
        assert (error["code"], error["field"]) == ("NotAvailable", f"source.{field}")
    assert "`lanes` in a result is 1" in TEXT
    cloud.seed(SOURCE, "lanes", 12 * MIB, seed=5)
    result = cloud.invoke(request_of("lanes", tuning={"lanes": 4, "partSize": "1MiB", "method": "multipart"}))
    assert (result["status"], result["lanes"]) == ("succeeded", 1), result


# --- routes ------------------------------------------------------------------------------------------------


def begin(cloud: LocalCloud, key: str) -> str:
    """The job of a copy that goes on, slowly, until the weather changes."""
    cloud.seed(SOURCE, key, 32 * MIB, seed=4)
    cloud.conditions(bandwidth_mb_s=2.0)
    tuning = {"partSize": "1MiB", "parallel": 4, "method": "multipart"}
    answer = cloud.http("POST", "/copies", json_body=request_of(key, tuning=tuning))
    job: str = answer.json()["job"]
    assert (answer.status_code, answer.headers["location"]) == (202, f"/copies/{job}")
    assert answer.json()["status"] == "running"
    return job


def fail(cloud: LocalCloud, key: str) -> str:
    """The job of a copy that failed for good."""
    job: str = cloud.invoke(request_of(key))["job"]
    return job


def ask(cloud: LocalCloud, route: str, job: str, status: int = 200) -> Json:
    method, _, path = route.replace("{job}", job).partition(" ")
    answer = cloud.http(method, path)
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


SHOWN = [each for each in documents.spans(TEXT) if re.match(r"(GET|HEAD|POST|PUT|DELETE) /", each)]
RESULT = set(openapi.schemas()["Result"]["required"])


def a_copy_is_asked_for(cloud: LocalCloud, route: str) -> None:
    cloud.oss_bucket(SOURCE).put_object("post", b"x")
    method, _, path = route.partition(" ")
    first, again = (
        cloud.http(method, path, json_body=request_of("post"), headers={"Idempotency-Key": "k"})
        for _ in range(2)
    )
    assert (first.status_code, first.json()["status"]) == (200, "succeeded")
    assert first.json().keys() == RESULT
    assert again.json()["job"] == first.json()["job"]
    assert cloud.http(method, path, json_body=request_of("post"), signed=False).status_code == 403
    begin(cloud, "post-long")  # 202 and where to look


def it_tells_how_a_copy_stands(cloud: LocalCloud, route: str) -> None:
    job = begin(cloud, "look")
    running = ask(cloud, route, job)
    cloud.conditions()
    cloud.wait_idle()
    ended = ask(cloud, route, job)
    assert (running["status"], ended["status"]) == ("running", "succeeded")
    assert running.keys() == ended.keys() == RESULT | {"rate", "etaSeconds"}
    assert ask(cloud, route, NOBODY, 404).keys() == {"error"}


def it_lists_copies_in_the_order_of_their_jobs(cloud: LocalCloud, route: str) -> None:
    first, *others = sorted(fail(cloud, f"list-{number}") for number in range(3))
    running = begin(cloud, "listed")
    every = ask(cloud, route, "")
    assert {running, first, *others} <= {each["job"] for each in every["copies"]}
    assert every["next"] is None
    for shown in SHOWN:
        if not shown.startswith(route + "?"):
            continue
        page = ask(cloud, shown, first)
        assert page.keys() == {"copies", "next"}
        assert all(each.keys() == RESULT for each in page["copies"])
        jobs = [each["job"] for each in page["copies"]]
        assert jobs == sorted(jobs)
        if "after={job}" in shown:
            assert jobs == [job for job in jobs if job > first]
        (status,) = re.findall(r"status=(\w+)", shown)
        assert {each["status"] for each in page["copies"]} == {status}
        assert ({running} if status == "running" else {*others}) <= {*jobs}


def it_ends_a_copy(cloud: LocalCloud, route: str) -> None:
    job = begin(cloud, "delete")
    assert ask(cloud, route, job)["status"] == "cancelled"
    cloud.conditions()
    cloud.wait_idle()
    destination = cloud.oss_bucket(DESTINATION)
    assert not exists(destination, "delete")
    assert open_uploads(destination, "delete") == []


def it_makes_a_copy_once_more(cloud: LocalCloud, route: str) -> None:
    running = begin(cloud, "resubmit")
    assert ask(cloud, route, running, 409)["error"]["code"] == "StillRunning"
    failed = fail(cloud, "resubmit-later")
    cloud.conditions()
    cloud.oss_bucket(SOURCE).put_object("resubmit-later", b"now")
    again = ask(cloud, route, failed)
    assert again["status"] == "succeeded"
    assert again["job"] != failed


def it_is_well(cloud: LocalCloud, route: str) -> None:
    (answer,) = (each for each, asked in ANSWERS.items() if asked == route)
    assert ask(cloud, route, "") == json.loads(answer)


def it_describes_these_routes(cloud: LocalCloud, route: str) -> None:
    document = ask(cloud, route, "")
    assert document["openapi"].startswith("3.1.")
    assert {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if method != "parameters"
    } == ROUTES.keys()


ROUTES: dict[str, Callable[[LocalCloud, str], None]] = {
    "POST /copies": a_copy_is_asked_for,
    "GET /copies/{job}": it_tells_how_a_copy_stands,
    "GET /copies": it_lists_copies_in_the_order_of_their_jobs,
    "DELETE /copies/{job}": it_ends_a_copy,
    "POST /copies/{job}/resubmit": it_makes_a_copy_once_more,
    "GET /healthz": it_is_well,
    "GET /openapi.json": it_describes_these_routes,
}


def test_every_route_is_known_to_somebody_here() -> None:
    assert {each.partition("?")[0] for each in SHOWN} == ROUTES.keys()


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_answers_as_its_row_says(cloud: LocalCloud, route: str) -> None:
    ROUTES[route](cloud, route)


# --- settings ----------------------------------------------------------------------------------------------


class Asked(dict[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self, **variables: str) -> None:
        super().__init__(variables)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def rows_of_settings() -> dict[str, str]:
    """What is said of each variable that a row of a table is about."""
    found = {}
    for first, *others in documents.rows(TEXT):
        names = documents.spans(first)
        if others and all(re.fullmatch(r"[A-Z]+(_[A-Z]+)+", name) for name in names):
            found.update(dict.fromkeys(names, others[0]))
    return found


def test_the_settings_are_those_that_the_function_reads() -> None:
    environment = Asked(STATE_BUCKET=STATE)
    settings.load(environment)
    assert rows_of_settings().keys() == environment.names


def test_defaults_are_those_that_the_rows_name() -> None:
    rows, loaded = rows_of_settings(), settings.load({"STATE_BUCKET": STATE})
    assert f"(`{loaded.state_prefix}`)" in rows["STATE_PREFIX"]
    (size,) = re.findall(r"\((\w+)\)", rows["MULTIPART_THRESHOLD"])
    assert plan.byte_size(size) == loaded.multipart_threshold
    assert f"({loaded.max_parallel})" in rows["MAX_PARALLEL"]
    assert "empty allows nothing" in rows["ALLOWED_SOURCES"]
    assert (loaded.allowed_sources, loaded.allowed_destinations, loaded.rules) == ((), (), ())
    for name in ("OSS_ENDPOINT", "INVOKE_ENDPOINT", "INVOKE_FUNCTION"):
        assert "default: the" in rows[name]
        assert getattr(loaded, name.lower()) is None


def test_the_levels_of_the_log_are_those_that_the_row_names() -> None:
    for level in documents.spans(rows_of_settings()["LOG_LEVEL"]):
        assert settings.load({"STATE_BUCKET": STATE, "LOG_LEVEL": level}).log_level == level
    with pytest.raises(
        Misconfigured, match="none of " + ", ".join(documents.spans(rows_of_settings()["LOG_LEVEL"]))
    ):
        settings.load({"STATE_BUCKET": STATE, "LOG_LEVEL": "LOUD"})
