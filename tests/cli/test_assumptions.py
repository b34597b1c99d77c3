"""`assumptions`: each probe tells what the OSS and the FC that it asks do, under both readings."""

from __future__ import annotations

import ast

import pytest

from functions.cli.errors import Status
from functions.cli.service.assumed import function, probes
from functions.cli.service.assumed.facts import ASSUMPTIONS
from tests.cli.terminal import Said, Terminal
from tests.cloud.client import ROOT, LocalCloud

SOURCE, DESTINATION = "oss-copy-source", "oss-copy-destination"
# The readings of the local cloud that a probe can see, and what it says of each.
SEEN = {
    "self-copy-metadata": ("gone", "kept"),
    "self-copy-acl": ("kept", "default"),
    "self-copy-encryption": ("gone", "kept"),
    "copy-storage-class": ("the bucket's", "the source's"),
    "copy-crc64": ("yes", "no"),
    "copied-part-crc64": ("told", "not told"),
    "appendable-part-copy": ("copied", "refused: 400 OperationNotSupported"),
    "task-id-twice": ("refused: 409", "refused: 400"),
    "payload-too-large": ("refused: 413", "refused: 400"),
}


def ask(terminal: Terminal, cloud: LocalCloud, *more: str) -> Said:
    terminal.use(cloud)
    return terminal.types(
        "assumptions", "--source", SOURCE, "--destination", DESTINATION, "--function", *more
    )


def test_without_yes_it_says_what_it_would_do_and_asks_nobody(terminal: Terminal, cloud: LocalCloud) -> None:
    before = cloud.requests()
    said = ask(terminal, cloud)
    assert (said.code, said.err) == (0, "")
    assert f"In {SOURCE} and {DESTINATION}, under oss-copy-assumptions/" in said.out
    assert cloud.requests() == before


@pytest.mark.parametrize("reading", ["a", "b"])
def test_each_probe_tells_what_is_so_and_leaves_nothing(
    terminal: Terminal, cloud: LocalCloud, reading: str
) -> None:
    cloud.conditions(readings=dict.fromkeys(SEEN, reading))
    said = ask(terminal, cloud, "--yes", "--json")
    assert said.code == 0, said.err
    told = {each["name"]: each for each in said.json}
    assert [each["name"] for each in said.json] == [each.name for each in ASSUMPTIONS]
    assert [each for each in said.json if each["failed"]] == []
    wanted = {name: answers["ab".index(reading)] for name, answers in SEEN.items()}
    assert {name: told[name]["answer"][: len(text)] for name, text in wanted.items()} == wanted
    for name, answer in {
        "head-tag-count": "yes",
        "multipart-crc64": "the source's",
        "multipart-etag": "yes",
        "part-range-past-end": "copies 102400 of 102400 bytes",
        "part-copy-conditions": "refused: 412 PreconditionFailed",
        "second-complete": "refused: 404 NoSuchUpload",
        "forbid-overwrite": "refused: 409 FileAlreadyExists",
        "list-order": "yes",
        "fc2-signature": "taken",
    }.items():
        assert told[name]["answer"] == answer, name
    for name in (SOURCE, DESTINATION):
        bucket = cloud.oss_bucket(name)
        assert bucket.list_objects(prefix="oss-copy-assumptions/").object_list == []
        assert bucket.list_multipart_uploads(prefix="oss-copy-assumptions/").upload_list == []
    secrets = (cloud.owner.access_key_secret, cloud.owner.access_key_id, SOURCE, DESTINATION)
    assert [each for each in secrets if each in said.out] == []


def test_a_probe_that_fails_is_told_and_the_others_go_on(terminal: Terminal, cloud: LocalCloud) -> None:
    cloud.conditions([{"operation": "CopyObject", "error": "AccessDenied"}])
    said = ask(terminal, cloud, "--yes", "--json")
    assert said.code == Status.PARTLY
    failed = {each["name"] for each in said.json if each["failed"]}
    assert {"copy-crc64", "self-copy-acl"} <= failed
    assert not failed & {"second-complete", "list-order"}
    assert "could not be asked: " in said.err


def test_two_buckets_are_needed(terminal: Terminal, cloud: LocalCloud) -> None:
    terminal.use(cloud)
    said = terminal.types("assumptions", "--source", SOURCE, "--destination", SOURCE, "--yes")
    assert (said.code, said.err.count("\n")) == (2, 1)


def test_each_assumption_has_its_probe_or_says_why_not_and_names_code_that_is_there() -> None:
    asked = {each.name: each.asks for each in ASSUMPTIONS}
    assert len(asked) == len(ASSUMPTIONS)
    assert {name for name, asks in asked.items() if asks == "oss"} == probes.PROBES.keys()
    assert {name for name, asks in asked.items() if asks == "function"} == function.PROBES.keys()
    assert all(each.unasked for each in ASSUMPTIONS if each.asks == "nobody")
    for each in ASSUMPTIONS:
        for place in each.places:
            path, _, name = place.partition(":")
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            defined = {
                node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
            }
            assert name in defined, place
