"""What `s invoke` prints, and whether the function has failed by it."""

from __future__ import annotations

import json

import pytest

from functions.cli.tool import answers

FRAME = """\
========= FC invoke Logs begin =========
FC Invoke Start RequestId: 1-2
{{"event": "result", "status": "failed"}}
========= FC invoke Logs end =========

\x1b[1mInvoke instanceId:\x1b[22m \x1b[32mc-1\x1b[39m
{error}
\x1b[1mInvoke Result:\x1b[22m
\x1b[32m{answer}\x1b[39m

"""
RAISED = "\x1b[1mError Type:\x1b[22m \x1b[31mUnhandledInvocationError\x1b[39m\n"


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
    found = answers.failure(FRAME.format(error="", answer=json.dumps(answer)))
    assert (found and found.removeprefix("the function says: ")) == said


def test_a_function_that_raised_has_failed() -> None:
    printed = FRAME.format(error=RAISED, answer='{"errorMessage": "x"}')
    assert answers.failure(printed) == "the function raised (UnhandledInvocationError)"


@pytest.mark.parametrize("printed", ["", "RequestId: 1-2\nAsyncTaskId: x\n", "Invoke Result:\n"])
def test_without_an_answer_nothing_is_said(printed: str) -> None:
    assert answers.failure(printed) is None
