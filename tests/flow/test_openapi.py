"""The OpenAPI document and the function behind the HTTP trigger agree."""

from __future__ import annotations

import pytest

from functions.cli import openapi
from tests.cloud.client import LocalCloud
from tests.fuzz.drive import TOKEN, drive

EXAMPLES = 20  # an operation; `make soak-fuzz` draws 300, and tries each limit of each field


def test_the_function_serves_its_document(cloud: LocalCloud) -> None:
    answer = cloud.http("GET", "/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == openapi.document()


@pytest.mark.timeout(900)
def test_every_request_made_of_the_document_is_answered_as_the_document_says() -> None:
    driven = drive(examples=EXAMPLES, seed=4, systematic=False)
    assert driven.is_clean, driven.report
    assert driven.cases >= 7 * EXAMPLES
    assert not any(TOKEN in told for told in driven.told)
