"""The documents are true: examples are sent, routes called, programs run, tables and links compared.

A block, a table, a piece of JSON, a route or a setting that is not known here fails: say below what proves
it.
Commands are in `test_document_commands.py`.
"""

from __future__ import annotations

import inspect
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any, get_args, get_type_hints

import pytest
from rich.console import Console
from rich.progress import Progress

from functions.cli import openapi
from osscopy import plan, settings
from osscopy.events import batch
from osscopy.model import MIB, Misconfigured, Result, Tuning
from osscopy.plan import templates, validate
from osscopy.plan.allowed.options import WORDS
from osscopy.web import requests, responses
from tests.bench import page, results
from tests.cloud.client import ROOT, LocalCloud
from tests.flow import documents
from tests.flow.conftest import STATE, exists, open_uploads, set_versioning
from tests.flow.documents import (
    API,
    BULK,
    CHECKS,
    COSTS,
    ERRORS,
    LOG,
    OPERATING,
    PROGRAM,
    README,
    SETTINGS,
    WORK,
)
from tests.tours import demo

Json = dict[str, Any]

TEXT = documents.everything()
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
    environment = {"COPY_RULES": json.dumps([RULE]), "ALLOWED_OPTIONS": "colder-class"}
    with LocalCloud(variables=buckets, environment=environment) as running:
        yield running


# --- nothing that nobody knows -----------------------------------------------------------------------------

MOST_WORDS = 2000  # of a document, as `wc -w` counts them
OTHERWISE = {README: 1300}
LONGER = {"CHANGELOG.md"}
LINKED = "test_every_link_leads_to_a_heading_or_a_file_that_is_there"
DRAWING = "a drawing, with no example in it"
TEXTS = {  # how blocks of text begin, and what compares them
    "Copies": "test_the_demo_prints_tables_of_this_form",
    "s.yaml ": "tests/unit/test_house_map.py",
    " upload ": DRAWING,
    " OSS trigger ": DRAWING,
    "T    = ": "tests/flow/test_costs.py",
}
TABLES = {  # the heads of tables, and what compares them
    (README, "you want to"): LINKED,
    (README, "measured beside a peer"): "test_what_is_said_of_peers_was_measured",
    (API, "field"): "test_all_that_can_be_in_a_request_is_in_the_example_and_nearly_all_has_a_default",
    (API, "template"): "test_a_template_makes_the_key_beside_it",
    (API, "`status`"): "test_every_status_of_a_result_has_its_row",
    (API, "request"): "test_a_route_answers_as_its_row_says",
    (API, "status"): "test_the_http_statuses_are_those_of_their_codes",
    (BULK, "option"): "test_all_that_can_be_in_a_request_for_many_is_in_the_example",
    (OPERATING, "you look for"): LINKED,
    (SETTINGS, "setting"): "test_the_settings_are_those_that_the_function_reads",
    (SETTINGS, "word"): "test_the_words_of_options_are_those_that_the_function_reads",
    (ERRORS, "code"): "tests/flow/test_troubleshooting.py",
    (PROGRAM, "command"): "tests/flow/test_document_commands.py",
    (PROGRAM, "exit status"): "tests/cli/test_program.py",
    (COSTS, "what"): "tests/flow/test_costs.py",
    (COSTS, "example"): "tests/flow/test_costs.py",
    (LOG, "event"): "tests/unit/test_house.py",
    (LOG, "record"): "test_the_records_are_those_that_jobs_write",
    (WORK, "you want to"): LINKED,
    (WORK, "room"): "tests/unit/test_house_map.py",
    (WORK, "word"): "test_the_glossary_has_the_words_that_the_documents_use",
    (CHECKS, "command"): "tests/flow/test_document_commands.py",
    (CHECKS, "test"): "tests/unit/test_house.py",
}
MEASURED = [f"tests/bench/{path}" for path in page.pages(list(results.load().values()))]
ELSEWHERE = {  # documents that are not for users, and what keeps them right
    "CHANGELOG.md": "history: links only",
    **dict.fromkeys(documents.OF_CLOUD, "tests/flow/test_cloud_documents.py"),
    **dict.fromkeys(MEASURED, "tests/unit/test_bench.py"),
    "SECURITY.md": "tests/flow/test_attacks.py",
    "functions/alarms.md": "tests/unit/test_alarms.py",
    "README.zh-CN.md": "test_both_readmes_have_the_same_headings_blocks_and_tables",
    "layers/app/readme.md": "tests/cli/test_app.py",
    "layers/app/readme_en.md": "tests/cli/test_app.py",
}
NOWHERE = {"layers/app/readme.md", "layers/app/readme_en.md"}  # the registry of Serverless Devs shows them


def test_every_document_is_known_to_somebody_here() -> None:
    found = [*ROOT.glob("*.md"), *(each for top in ("functions", "layers/app", "layers/sdk", "tests")
                                   for each in (ROOT / top).rglob("*.md"))]  # fmt: skip
    assert {str(each.relative_to(ROOT)) for each in found} == {*documents.ALL, *ELSEWHERE}


@pytest.mark.parametrize("document", documents.ALL)
def test_every_block_and_every_table_is_known_to_somebody_here(document: str) -> None:
    text = documents.read(document)
    found = documents.blocks(text)
    assert {each.language for each in found} <= {"sh", "bash", "json", "http", "python", "text"}
    fences = [line for line in text.splitlines() if line.lstrip("> ").startswith(("```", "~~~"))]
    assert len(fences) == 2 * len(found), "a block that is indented, or not closed"
    for each in documents.blocks(text, "text"):
        assert any(each.text.startswith(begin) for begin in TEXTS), each.text
    heads = {(document, each.head[0]) for each in documents.tables(text)}
    assert heads == {each for each in TABLES if each[0] == document}


@pytest.mark.parametrize("proof", sorted({*TEXTS.values(), *TABLES.values()} - {DRAWING}))
def test_what_compares_a_block_or_a_table_is_there(proof: str) -> None:
    assert callable(globals().get(proof)) or (ROOT / proof).is_file(), proof


@pytest.mark.parametrize("document", sorted({*documents.ALL, *ELSEWHERE} - LONGER))
def test_a_document_is_short(document: str) -> None:
    assert len(documents.read(document).split()) <= OTHERWISE.get(document, MOST_WORDS)


@pytest.mark.parametrize("document", [*documents.ALL, *ELSEWHERE])
def test_every_link_leads_to_a_heading_or_a_file_that_is_there(document: str) -> None:
    for link in documents.links(documents.read(document)):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / document).parent / path if path else ROOT / document).resolve()
        assert target.exists(), link
        known = documents.anchors(target.read_text(encoding="utf-8")) if anchor else [anchor]
        assert anchor in known, f"{link}: {known}"


def test_every_document_can_be_reached_from_the_readme() -> None:
    """By links from one document to the next, two of them at most."""
    first = documents.linked(README)
    second = {each for document in first for each in documents.linked(document)}
    assert {*documents.ALL, *ELSEWHERE} - NOWHERE <= first | second


def test_messages_name_sections_that_there_are() -> None:
    product = "".join(each.read_text(encoding="utf-8") for each in (ROOT / "functions").glob("**/*.py"))
    named = re.findall(r"\b([\w/]+\.md): ([A-Z][\w ]*\w)", product)
    assert named, "AccessDenied names one"
    for document, title in named:
        assert documents.section(document, title)


def test_the_glossary_has_the_words_that_the_documents_use() -> None:
    words = documents.pairs(documents.section(WORK, "Glossary"), "word", "meaning")
    others = TEXT.replace(documents.section(WORK, "Glossary"), "").lower()
    assert len(words) == 10
    assert [each for each in words if each not in others] == []


def test_what_is_said_of_peers_was_measured() -> None:
    """Rows and figures are those of the measurements; a row that begins "the same" follows its own there."""
    measured = {row[0]: row[2] for row in documents.rows((ROOT / "tests/bench/RESULTS.md").read_text("utf-8"))
                if len(row) > 2}  # fmt: skip
    said = documents.pairs(documents.read(README), "measured beside a peer", "figure")
    assert {name: measured.get(name) for name in said} == said


def test_both_readmes_have_the_same_headings_blocks_and_tables() -> None:
    english, chinese = documents.read(README), (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    levels = [re.findall(r"(?m)^#+(?= )", text) for text in (english, chinese)]
    assert levels[0] == levels[1]
    commands = [[each.text for each in documents.commands(text)] for text in (english, chinese)]
    assert commands[0] == commands[1]
    for language in ("json", "text"):
        blocks = [[each.text for each in documents.blocks(text, language)] for text in (english, chinese)]
        assert blocks[0] == blocks[1]
    tables = [documents.tables(text) for text in (english, chinese)]
    shapes = [[(len(each.head), len(each.rows)) for each in found] for found in tables]
    assert shapes[0] == shapes[1]
    assert [each.rows[row][1] for each in tables[0][1:] for row in range(len(each.rows))] == [
        each.rows[row][1] for each in tables[1][1:] for row in range(len(each.rows))
    ], "figures"
    links = [
        sorted({link for link in documents.links(text) if "#" not in link}) for text in (english, chinese)
    ]
    assert {*links[0]} - {"README.zh-CN.md"} == {*links[1]} - {"README.md"}


# --- blocks ------------------------------------------------------------------------------------------------

EXAMPLES: list[Json] = [json.loads(each.text) for each in documents.blocks(TEXT, "json")]
HTTP = [each.text for each in documents.blocks(TEXT, "http")]
PROGRAMS = [each.text for each in documents.blocks(TEXT + documents.about_cloud(), "python")]


def kind(example: Json | list[Json]) -> str:
    """What an example is one of; empty: nobody knows."""
    if isinstance(example, list):
        return "rules" if all({"source", "destination"} <= each.keys() for each in example) else ""
    if "prefix" in example.get("source", {}):
        return "many"
    if {"source", "destination"} <= example.keys():
        return "result" if "status" in example else "request"
    return "report" if example.keys() == {"status", "lines"} else ""


REQUESTS = [each for each in EXAMPLES if kind(each) == "request"]
WHOLE = max(REQUESTS, key=len)  # the example with all fields


def test_every_example_is_known_to_somebody_here() -> None:
    assert {kind(each) for each in EXAMPLES} == {"request", "many", "result", "report", "rules"}


@pytest.mark.parametrize("example", REQUESTS)
def test_an_example_of_a_request_is_copied_as_it_stands(cloud: LocalCloud, example: Json) -> None:
    source, destination = example["source"], example["destination"]
    cloud.seed(source["bucket"], source["key"], 3 * MIB, seed=1)
    result = cloud.invoke(example)
    assert result["status"] == "succeeded", result
    found = cloud.oss_bucket(destination["bucket"]).head_object(result["destination"]["key"])
    asked = example.get("encryption", {"algorithm": None})["algorithm"]
    assert found.headers.get("x-oss-server-side-encryption") == asked


def test_all_that_can_be_in_a_request_is_in_the_example_and_nearly_all_has_a_default(
    cloud: LocalCloud,
) -> None:
    schemas = openapi.schemas()
    known = {name: set(schema["properties"]) for name, schema in schemas.items() if "properties" in schema}
    assert WHOLE.keys() == known["CopyRequest"]
    for name in ("Source", "Destination", "Conditions"):
        assert WHOLE[name.lower()].keys() == known[name]
    assert WHOLE["tuning"].keys() == known["Tuning"]
    explained = [first.strip("`") for first in documents.pairs(documents.read(API), "field", "values")]
    assert explained == list(WHOLE)
    cloud.oss_bucket(SOURCE).put_object("least", b"x")
    result = cloud.invoke(
        {"source": {"bucket": SOURCE, "key": "least"}, "destination": {"bucket": DESTINATION}}
    )
    assert (result["status"], result["destination"]["key"]) == ("succeeded", "least"), result


def test_all_that_can_be_in_a_request_for_many_is_in_the_example(cloud: LocalCloud) -> None:
    (example,) = [each for each in EXAMPLES if kind(each) == "many"]
    known = (
        openapi.schemas()["BulkRequest"]["properties"].keys()
        - openapi.schemas()["CopyRequest"]["properties"].keys()
    )
    assert example.keys() - WHOLE.keys() == known - {"allowMissing"}
    explained = [first.strip("`") for first in documents.pairs(documents.read(BULK), "option", "values")]
    assert explained == list(example)
    cloud.oss_bucket(SOURCE).put_object("data/a/b.parquet", b"x" * 2000)
    cloud.oss_bucket(SOURCE).put_object("data/tmp/b.parquet", b"x" * 2000)
    assert cloud.invoke(example)["status"] == "running"
    cloud.wait_idle()
    assert exists(cloud.oss_bucket(DESTINATION), "backup/a/b.parquet")
    assert not exists(cloud.oss_bucket(DESTINATION), "backup/tmp/b.parquet")


@pytest.mark.parametrize("example", HTTP)
def test_an_example_of_an_http_request_is_answered_with_success(cloud: LocalCloud, example: str) -> None:
    head, _, body = example.partition("\n\n")
    line, *fields = head.splitlines()
    source = json.loads(body)["source"]
    cloud.seed(source["bucket"], source["key"], 1000, seed=6)
    method, path = line.split()
    headers = dict(each.split(": ", 1) for each in fields)
    answer = cloud.http(method, path, body=body.encode(), headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded"), answer.text


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_shows_a_copy_a_result_and_the_log(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    copied, result, *log = done.stdout.splitlines()
    assert copied == "b'hello'"
    assert "'status': 'succeeded'" in result
    told = [json.loads(line) for line in log if line.startswith("{")]
    assert [each["status"] for each in told if each["event"] == "result"] == ["succeeded"] * 2


def test_the_demo_prints_tables_of_this_form(cloud: LocalCloud) -> None:
    (block,) = (each.text for each in documents.blocks(documents.read(README), "text")
                if each.text.startswith("Copies"))  # fmt: skip
    shown, _, verdict = block.partition("…\n")
    lines = [line for line in shown.splitlines() if line.startswith("│")]
    console = Console(file=io.StringIO(), width=80)
    sizes = {"3.0 MiB": 3 << 20, "8.0 GiB": 8 << 30}
    seen = demo.Demo(cloud, console, Progress())
    for job, trigger, method, size, parts, hops, seconds, verified in (
        [cell.strip() for cell in line.strip("│").split("│")] for line in lines
    ):
        ended = datetime.fromtimestamp(float(seconds), timezone.utc).isoformat()
        result = {
            "job": job, "method": method, "destination": {"size": sizes[size]},
            "parts": int(parts), "hops": int(hops), "verified": verified,
            "startedAt": "1970-01-01T00:00:00Z", "finishedAt": ended,
        }  # fmt: skip
        seen.copies.append((trigger, result))
    assert demo.show(seen, console)
    assert isinstance(console.file, io.StringIO)
    printed = "".join(line.rstrip() + "\n" for line in console.file.getvalue().splitlines())
    assert printed.startswith(shown)
    assert verdict.strip() in inspect.getsource(demo)
    (large,) = (result for _, result in seen.copies if result["method"] == "multipart")
    budget = plan.part_budget(demo.TIMEOUT)
    part = plan.part_size(demo.SIZE, Tuning(), demo.THREADS, budget)
    assert (large["destination"]["size"], large["parts"]) == (demo.SIZE, -(-demo.SIZE // part))


FREE = {  # what of a result depends on when and where it is made, and the form it has
    "job": plan.JOB,
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
    cloud.seed(SOURCE, example["source"]["key"], example["source"]["size"], seed=2)
    result = cloud.invoke(WHOLE)
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


@pytest.mark.parametrize("example", [each for each in EXAMPLES if kind(each) == "rules"])
def test_an_example_of_rules_copies_what_it_names_and_nothing_else(example: list[Json]) -> None:
    (rule,) = example
    watched, made = rule["source"], rule["destination"]
    buckets = {"sourceBucket": watched["bucket"], "destinationBucket": made["bucket"],
               "watchedPrefix": watched["prefix"]}  # fmt: skip
    environment = {"COPY_RULES": json.dumps(example), "ALLOWED_OPTIONS": "colder-class"}
    with LocalCloud(variables=buckets, environment=environment) as ruled:
        for name in (f"yes{watched['suffix']}", "no.other"):
            ruled.oss_bucket(watched["bucket"]).put_object(watched["prefix"] + name, b"x")
        ruled.wait_idle()
        (listed,) = ruled.oss_bucket(made["bucket"]).list_objects_v2().object_list
        moment = datetime.now(timezone.utc)
    assert listed.key == templates.render(made["key"], f"{watched['prefix']}yes{watched['suffix']}", moment)
    assert listed.storage_class == rule["storageClass"]


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


def a_reconcile_is_answered_by_its_jobs(cloud: LocalCloud, fragment: str) -> None:
    assert cloud.invoke(fragment) == {"results": []}, "the rule's keys lack {key}"
    assert "notReconciled" in cloud.invocations()[-1]["logs"]


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
    '{"action": "reconcile"}': a_reconcile_is_answered_by_its_jobs,
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


# --- what the text says of requests and results ------------------------------------------------------------


def test_a_template_makes_the_key_beside_it() -> None:
    text = documents.section(API, "Destination keys")
    (key,) = re.findall(r"(?s)source key\s+`([^`]+)`", text)
    moment = datetime(2026, 11, 22, 20, 30, tzinfo=timezone.utc)
    assert moment.strftime("at %H:%M UTC on %d %B %Y") in " ".join(text.split())
    shown = {first.strip("`"): result.strip("`") for first, result in documents.rows(text)}
    assert {each: templates.render(each, key, moment) for each in shown} == shown
    assert {f"{{{each}}}" for each in templates.PARTS} <= shown.keys()
    assert templates.render("{stem}|{ext}|{dir}", ".profile", moment) == ".profile||", "as the text says"


def test_conditions_take_dates_of_the_form_that_is_shown_and_no_other(cloud: LocalCloud) -> None:
    (date,) = (each for each in documents.spans(documents.section(API, "Conditions")) if " GMT" in each)
    cloud.oss_bucket(SOURCE).put_object("dated", b"x")
    taken = cloud.invoke(request_of("dated", conditions={"ifModifiedSince": date}))
    assert taken["status"] in {"succeeded", "skipped"}, taken
    other = cloud.invoke(request_of("dated", conditions={"ifModifiedSince": "2026-11-22T10:00:00Z"}))
    assert other["error"]["field"] == "conditions.ifModifiedSince"


def test_every_status_of_a_result_has_its_row() -> None:
    told = [first.strip("`") for first in documents.pairs(documents.read(API), "`status`", "meaning")]
    assert sorted(told) == sorted(get_args(get_type_hints(Result)["status"])) == sorted(requests.STATUSES)
    summary = documents.section(README, "Ask for a copy")
    assert [each for each in told if f"`{each}`" not in summary] == []


def test_bounds_are_those_of_the_code() -> None:
    values = documents.pairs(documents.read(API), "field", "values")
    assert f"{validate.MIN_TRAFFIC} to {validate.MAX_TRAFFIC}" in values["`trafficLimit`"]
    assert f"at most {validate.MAX_TAGS} tags" in values["`tags`"]
    assert f"at most {batch.MAX_REQUESTS:,} requests" in documents.section(API, "Ways to ask")
    assert f"at most {requests.MAX_BODY >> 10} KiB" in documents.section(API, "HTTP")


def test_http_takes_no_content_type_or_json_and_nothing_else(cloud: LocalCloud) -> None:
    cloud.oss_bucket(SOURCE).put_object("typed", b"x")
    body = json.dumps(request_of("typed")).encode()
    answers = {
        sent: cloud.http("POST", "/copies", body=body, headers={"Content-Type": sent} if sent else {})
        for sent in ("", "application/json", "application/x-www-form-urlencoded")
    }
    assert [each.status_code for each in answers.values()] == [200, 200, 415]


def test_the_http_statuses_are_those_of_their_codes() -> None:
    told = documents.pairs(documents.read(API), "status", "codes")
    wanted: dict[str, set[str]] = {"422": set(), "503": set()}
    for code, status in responses.STATUS.items():
        wanted.setdefault(str(status), set()).add(code)
    assert {status: set(documents.spans(cell)) for status, cell in told.items()} == wanted


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
        variables = documents.spans(first)
        if others and all(re.fullmatch(r"PRICES|[A-Z]+(_[A-Z]+)+", name) for name in variables):
            found.update(dict.fromkeys(variables, others[0]))
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
    (length,) = re.findall(r"\((\d+) characters or more\)", rows["API_TOKEN"])
    assert settings.load({"STATE_BUCKET": STATE, "API_TOKEN": "x" * int(length)}).api_token
    with pytest.raises(Misconfigured, match="API_TOKEN"):
        settings.load({"STATE_BUCKET": STATE, "API_TOKEN": "x" * (int(length) - 1)})


def test_the_levels_of_the_log_are_those_that_the_row_names() -> None:
    for level in documents.spans(rows_of_settings()["LOG_LEVEL"]):
        assert settings.load({"STATE_BUCKET": STATE, "LOG_LEVEL": level}).log_level == level
    with pytest.raises(
        Misconfigured, match="none of " + ", ".join(documents.spans(rows_of_settings()["LOG_LEVEL"]))
    ):
        settings.load({"STATE_BUCKET": STATE, "LOG_LEVEL": "LOUD"})


def test_the_words_of_options_are_those_that_the_function_reads() -> None:
    (table,) = (each for each in documents.tables(documents.read(SETTINGS)) if each.head[0] == "word")
    assert tuple(row[0].strip("`") for row in table.rows) == WORDS


def test_the_records_are_those_that_jobs_write() -> None:
    told = {first.strip("`").partition("/")[0] for first in documents.pairs(TEXT, "record", "holds")}
    jobs = ROOT.joinpath("functions/oss_copy/osscopy/jobs").rglob("*.py")
    written = {
        kind for path in jobs for kind in re.findall(r'f"([a-z]+)/\{', path.read_text(encoding="utf-8"))
    }
    assert told == written
