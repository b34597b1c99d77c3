"""The function's answer to an event, and whether it says that the function has failed."""

from __future__ import annotations

import pytest

from functions.cli.service import verdicts


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": "succeeded"}, None),
        ({"status": "running", "error": None}, None),
        ({"status": "failed", "error": {"code": "NoSuchKey"}}, "failed"),
        ({"results": [{"status": "failed"}, {"status": "skipped"}, {"status": "failed"}]}, "2 of 3 failed"),
        ({"results": [{"status": "succeeded"}]}, None),
        ({"resumed": 1, "failed": 0}, None),
        ({"resumed": 1, "failed": 2}, "2 failed"),
        ("text", None),
        (None, None),
    ],
)
def test_the_answer_decides(answer: object, said: str | None) -> None:
    found = verdicts.failure(answer)
    assert (found and found.removeprefix("the function says: ")) == said
