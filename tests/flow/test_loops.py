"""Nothing goes round for ever: each brake, and what the local cloud does to the same function without it.

FC has no recursion detection, so these are the only brakes there are. A copy of the product with a line
appended to a module stands for the function without a brake, or with a fault that the brake is for.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import oss2
import pytest
import yaml

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    CODE,
    DESTINATION,
    SOURCE,
    count_requests,
    genuine,
    in_parts,
    open_uploads,
    request_of,
)

ROUNDS = 8  # more than any chain or retry of these tests takes by itself
DEADLINE = 60.0  # seconds

RULES, VALIDATE, STEPS = "plan/rules.py", "plan/validate.py", "plan/steps.py"
ONTO_ITSELF = {"source": {"bucket": SOURCE, "prefix": "incoming/"}, "destination": {"bucket": SOURCE}}
NO_FEEDBACK_GUARD = "_feeds = lambda made, watching: False\ncheck_rule = lambda rule: None"
NO_RECORDS_GUARD = """
Settings.keep_apart = lambda self, rules: rules
Settings.allow = lambda self, request: None
"""
NO_SELF_COPY_GUARD = "_changes_nothing = lambda request: False"
NO_CEILING = "max_hops = lambda upload: 1 << 60"
NO_STALL_LIMIT = "MAX_STALLS = 1 << 60"
NEVER_DONE = "next_step = lambda progress: HandOver(delay=0, stalls=0)"
NO_PAUSES = """
_step = next_step
def next_step(progress):
    step = _step(progress)
    return HandOver(0, step.stalls) if isinstance(step, HandOver) else step
"""


def changed(folder: Path, appended: dict[str, str]) -> Path:
    """Return a template that deploys a copy of the product with these texts at the ends of its modules."""
    code = folder / "code"
    shutil.copytree(CODE, code, ignore=shutil.ignore_patterns("__pycache__"))
    for module, text in appended.items():
        path = code / "osscopy" / module
        path.write_text(f"{path.read_text()}\n\n{text}\n")
    (folder / "s.yaml").write_text(yaml.safe_dump(genuine(code), allow_unicode=True))
    return folder / "s.yaml"


def goes_round(cloud: LocalCloud, rounds: int = ROUNDS) -> bool:
    """Whether so many invocations come to be before the deadline, or before nothing is left to do."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if len(cloud.invocations()) >= rounds:
            return True
        try:
            cloud.wait_idle(0.2)
        except TimeoutError:
            continue
        if len(cloud.invocations()) < rounds:
            return False
    raise AssertionError(f"neither over nor {rounds} invocations after {DEADLINE} s")


def with_rules(*rules: dict[str, Any]) -> dict[str, str]:
    return {
        "COPY_RULES": json.dumps(rules),
        "ALLOWED_DESTINATIONS": f"{SOURCE}/*,{DESTINATION}/*",
        "MULTIPART_THRESHOLD": "2MiB",
    }


def outcomes(cloud: LocalCloud) -> list[dict[str, Any]]:
    """All results, of all invocations, oldest first."""
    told = [json.loads(one["result"]) for one in cloud.invocations() if one["result"]]
    return [each for answer in told for each in answer.get("results", [answer])]


# --- a trigger that feeds itself ---------------------------------------------------------------------------


def rule(prefix: str, key: str, **options: Any) -> dict[str, Any]:
    source = {"bucket": SOURCE, "prefix": prefix}
    return {"source": source, "destination": {"bucket": SOURCE, "key": key}, **options}


@pytest.mark.parametrize(
    "rules",
    [
        [rule("incoming/", "incoming/{name}x")],
        [rule("incoming/", "{key}", metadata={"user": {"seen": "1"}})],
        [rule("incoming/", "{dir}{name}x")],
        [rule("incoming/a/", "incoming/{date:%Y}/{name}"), rule("incoming/", "elsewhere/{name}")],
        [rule("incoming/", "stage/{name}"), rule("stage/", "incoming/{name}")],
    ],
)
def test_rules_that_feed_themselves_stop_the_instance_by_name(rules: list[dict[str, Any]]) -> None:
    with LocalCloud(environment=with_rules(*rules)) as cloud:
        cloud.oss_bucket(SOURCE).put_object("incoming/a", b"1")
        assert not goes_round(cloud)
        (invocation,) = cloud.invocations(function=cloud.function)
        assert invocation["outcome"] == "function-error"
        told = json.dumps(invocation)
        assert "COPY_RULES" in told
        assert "rule 0 writes" in told
        assert [each.key for each in oss2.ObjectIteratorV2(cloud.oss_bucket(SOURCE))] == ["incoming/a"]


def test_without_that_guard_one_object_would_be_copied_for_ever(tmp_path: Path) -> None:
    template = changed(tmp_path, {RULES: NO_FEEDBACK_GUARD})
    rules = with_rules(rule("incoming/", "incoming/{name}x"))
    with LocalCloud(template=template, environment=rules) as cloud:
        cloud.oss_bucket(SOURCE).put_object("incoming/a", b"1")
        assert goes_round(cloud, 3 * ROUNDS)


# Every copy fails and leaves a record, in the bucket whose objects are copied.
AMONG_RECORDS = {
    **with_rules({"source": {"bucket": SOURCE}, "destination": {"bucket": "no-such-bucket"}}),
    "ALLOWED_DESTINATIONS": "no-such-bucket/*",
}
EVERYTHING = {"stateBucket": SOURCE, "watchedPrefix": ""}


def test_a_rule_that_watches_the_function_s_own_records_stops_the_instance_by_name() -> None:
    with LocalCloud(environment=AMONG_RECORDS, variables=EVERYTHING) as cloud:
        cloud.oss_bucket(SOURCE).put_object("a", b"1")
        assert not goes_round(cloud)
        (invocation,) = cloud.invocations(function=cloud.function)
        assert invocation["outcome"] == "function-error"
        assert f"COPY_RULES: rule 0 watches the function's records, {SOURCE}/oss-copy/*" in json.dumps(
            invocation
        )


def test_without_that_guard_the_records_of_failures_would_fail_for_ever(tmp_path: Path) -> None:
    template = changed(tmp_path, {"settings.py": NO_RECORDS_GUARD})
    with LocalCloud(template=template, environment=AMONG_RECORDS, variables=EVERYTHING) as cloud:
        cloud.oss_bucket(SOURCE).put_object("a", b"1")
        assert goes_round(cloud, 3 * ROUNDS)


def test_rules_in_an_object_that_watch_the_records_are_refused_when_they_are_read() -> None:
    environment = {**AMONG_RECORDS, "COPY_RULES": f"oss://{DESTINATION}/rules.json"}
    with LocalCloud(environment=environment, variables=EVERYTHING) as cloud:
        cloud.oss_bucket(DESTINATION).put_object("rules.json", AMONG_RECORDS["COPY_RULES"])
        cloud.oss_bucket(SOURCE).put_object("a", b"1")
        assert not goes_round(cloud)
        invocation, *later = cloud.invocations(function=cloud.function)
        assert len(later) <= 1, "once given up, it comes again in an hour"
        assert invocation["outcome"] == "function-error"
        assert "COPY_RULES: rule 0 watches the function's records" in json.dumps(invocation)


def test_rules_that_do_not_feed_themselves_copy_once() -> None:
    with LocalCloud(environment=with_rules(rule("incoming/", "done/{name}"))) as cloud:
        cloud.oss_bucket(SOURCE).put_object("incoming/a", b"1")
        assert not goes_round(cloud)
        assert [each["status"] for each in outcomes(cloud)] == ["succeeded"]


# --- a copy onto itself ------------------------------------------------------------------------------------


def test_a_copy_onto_itself_that_changes_nothing_ends_at_once_even_if_a_rule_asks_for_it(
    tmp_path: Path,
) -> None:
    template = changed(tmp_path, {RULES: NO_FEEDBACK_GUARD})
    with LocalCloud(template=template, environment=with_rules(ONTO_ITSELF)) as cloud:
        cloud.oss_bucket(SOURCE).put_object("incoming/a", b"1")
        assert not goes_round(cloud)
        assert [each["error"]["code"] for each in outcomes(cloud)] == ["SelfCopy"]
        assert count_requests(cloud, "CopyObject") == 0


def test_without_that_guard_the_object_would_be_copied_onto_itself_for_ever(tmp_path: Path) -> None:
    template = changed(tmp_path, {RULES: NO_FEEDBACK_GUARD, VALIDATE: NO_SELF_COPY_GUARD})
    with LocalCloud(template=template, environment=with_rules(ONTO_ITSELF)) as cloud:
        cloud.oss_bucket(SOURCE).put_object("incoming/a", b"1")
        assert goes_round(cloud, 3 * ROUNDS)


# --- a chain that does not end -----------------------------------------------------------------------------

CHAIN = {"timeout": 3}
THREE_PARTS = 3 * MIB
CEILING = 3 * 3 + 3 + 1  # hops for three parts


def begin(cloud: LocalCloud) -> None:
    cloud.seed(SOURCE, "big", THREE_PARTS)
    cloud.invoke_async(in_parts("big"))


def test_a_chain_that_hands_over_for_ever_is_ended_at_its_ceiling(tmp_path: Path) -> None:
    template = changed(tmp_path, {STEPS: NEVER_DONE})
    with LocalCloud(template=template, variables=CHAIN, environment=with_rules()) as cloud:
        begin(cloud)
        assert not goes_round(cloud, CEILING + ROUNDS)
        last = outcomes(cloud)[-1]
        assert (last["status"], last["error"]["code"]) == ("failed", "TooManyHops")
        assert last["hops"] == CEILING + 1
        assert open_uploads(cloud.oss_bucket(DESTINATION)) == []


def test_without_the_ceiling_it_would_hand_over_for_ever(tmp_path: Path) -> None:
    template = changed(tmp_path, {STEPS: f"{NEVER_DONE}\n{NO_CEILING}"})
    with LocalCloud(template=template, variables=CHAIN, environment=with_rules()) as cloud:
        begin(cloud)
        assert goes_round(cloud, 2 * CEILING)


def broken_parts(cloud: LocalCloud) -> None:
    cloud.conditions([{"operation": "UploadPartCopy", "error": "InternalError"}])


def test_a_chain_that_copies_nothing_is_ended_as_stalled(tmp_path: Path) -> None:
    template = changed(tmp_path, {STEPS: NO_PAUSES})
    with LocalCloud(template=template, variables=CHAIN, environment=with_rules()) as cloud:
        broken_parts(cloud)
        begin(cloud)
        assert not goes_round(cloud)
        last = outcomes(cloud)[-1]
        assert (last["status"], last["error"]["code"]) == ("failed", "Stalled")
        assert open_uploads(cloud.oss_bucket(DESTINATION)) == []


def test_without_that_limit_it_would_try_for_ever(tmp_path: Path) -> None:
    template = changed(tmp_path, {STEPS: f"{NO_PAUSES}\n{NO_STALL_LIMIT}"})
    with LocalCloud(template=template, variables=CHAIN, environment=with_rules()) as cloud:
        broken_parts(cloud)
        begin(cloud)
        assert goes_round(cloud)


def test_an_instance_that_always_dies_is_not_started_for_ever() -> None:
    """FC's own limit: a crashing delivery is retried so often and no more."""
    with LocalCloud(variables=CHAIN, environment=with_rules()) as cloud:
        cloud.oss_bucket(SOURCE).put_object("a", b"1")
        cloud.conditions([{"operation": "invocation", "answer": "kill"}])
        cloud.invoke_async(request_of("a"))
        cloud.wait_idle(DEADLINE)
        (invocation,) = cloud.invocations(function=cloud.function)
        assert invocation["retries"] <= 3
