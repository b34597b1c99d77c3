"""The documents of the local cloud are true: requests are sent, options parse, tables are those of the code.

Its scripts and programs are run by `test_document_commands.py` and `test_documents.py`.
"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from typing import Any, get_args

import httpx
import pytest

from tests.cloud import admin, conditions
from tests.cloud.client import ROOT, LocalCloud
from tests.cloud.oss.names import SHAPES
from tests.flow import documents
from tests.flow.documents import HOST, LOCAL, OF_CLOUD, OPERATIONS, READINGS, RIGHTS

ROUTE = re.compile(r'Route\("(?P<path>[^"]+)", self\.[\w.]+, methods=\["(?P<method>\w+)"\]\)')
HELP = [sys.executable, "-m", "tests.cloud", "--help"]
TABLES = {  # the heads of tables, and what compares them
    LOCAL: {
        "you look for": "tests/flow/test_documents.py",
        "request": "test_the_admin_api_has_these_requests_and_no_other",
        "`answer`": "test_a_fault_has_these_answers_and_no_other",
        "shape": "test_objects_have_these_shapes_and_no_other",
    },
    READINGS: {"reading": "tests/cloud/oss/test_readings.py"},
    RIGHTS: {"question": "tests/cloud/test_policies.py"},
    OPERATIONS: {
        "supported": "tests/cloud/oss/test_table.py",
        "answered 501": "tests/cloud/oss/test_table.py",
    },
    HOST: {"question": "tests/cloud/fc/test_control.py"},
}
EXAMPLES: list[dict[str, Any]] = [
    json.loads(each.text) for each in documents.blocks(documents.about_cloud(), "json")
]


def path_of(example: dict[str, Any]) -> str:
    """The request of the admin API whose body an example is."""
    if "faults" in example:
        return "/conditions"
    return "/seed" if "count" in example else "/inventory"


@pytest.mark.parametrize("document", OF_CLOUD)
def test_every_block_and_every_table_is_known_to_somebody_here(document: str) -> None:
    found = documents.blocks(documents.read(document))
    assert {each.language for each in found} <= {"bash", "json", "python"}
    heads = {each.head[0] for each in documents.tables(documents.read(document))}
    assert heads == TABLES[document].keys()
    for proof in TABLES[document].values():
        assert callable(globals().get(proof)) or (ROOT / proof).is_file(), proof


def test_an_example_of_the_admin_api_is_taken_as_it_stands() -> None:
    assert [path_of(each) for each in EXAMPLES] == ["/conditions", "/seed", "/inventory"]
    with LocalCloud(template=None, buckets=("src", "lists")) as cloud:
        for example in reversed(EXAMPLES):
            method = "PUT" if path_of(example) == "/conditions" else "POST"
            answer = httpx.request(method, cloud.admin + path_of(example), json=example, timeout=60)
            assert answer.is_success, answer.text
            given = answer.json()
            if method == "PUT":
                assert {name: given[name] for name in example if name != "faults"} == {
                    name: value for name, value in example.items() if name != "faults"
                }
                assert len(given["faults"]) == len(example["faults"])
        cloud.conditions()
        (first,) = cloud.oss_bucket("src").list_objects_v2(prefix="data/", max_keys=1).object_list
        assert first.key.startswith("data/")


def test_the_admin_api_has_these_requests_and_no_other() -> None:
    there = {f"{each['method']} {each['path']}" for each in ROUTE.finditer(inspect.getsource(admin.Admin))}
    told = documents.pairs(documents.read(LOCAL), "request", "does")
    assert {each.strip("`") for each in told} == there


def test_a_fault_has_these_answers_and_no_other() -> None:
    told = documents.pairs(documents.read(LOCAL), "`answer`", "what happens")
    assert [each.strip("`") for each in told] == list(get_args(conditions.Answer))


def test_objects_have_these_shapes_and_no_other() -> None:
    told = documents.pairs(documents.read(LOCAL), "shape", "keys behind the prefix")
    assert {each.strip("`") for each in told} == set(SHAPES)


def test_the_local_cloud_has_the_options_that_the_documents_name() -> None:
    done = subprocess.run(HELP, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    named = {
        option
        for span in documents.spans(documents.about_cloud())
        for option in re.findall(r"--[a-z-]+", span)
    }
    known = set(re.findall(r"--[a-z-]+", done.stdout))
    assert len(named) > 4
    assert named - known == {"--tool"}, "of `oss-copy deploy`"
