"""What the commands make of an `s` that exits 0 for what it has not done: the stand-in is the `s` here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_fc20230330 import models

from functions.cli import rights
from functions.cli.errors import Status
from functions.cli.rights import reach
from tests.cli.deployer import Deployer
from tests.cloud.client import LocalCloud

TOKEN, OLDER = "a-token-of-some-length", "the-token-before-this"
SOURCE, DESTINATION = "oss-copy-source", "oss-copy-destination"
TRIGGERS = ["oss", "reconcile", "sweep", "timer"]


@pytest.fixture
def deployed(acting: Deployer, own: Path) -> Deployer:
    done = acting.run("deploy", template=own)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("FC has what s.yaml says\n")
    return acting


@pytest.fixture
def control(shared_account: LocalCloud) -> Iterator[Any]:
    """The owner's client of FC; every function is gone afterwards."""
    client = shared_account.control()
    yield client
    shared_account.set_policy("deployer", None)
    for each in client.list_functions(models.ListFunctionsRequest()).body.functions:
        for trigger in client.list_triggers(each.function_name, models.ListTriggersRequest()).body.triggers:
            client.delete_trigger(each.function_name, trigger.trigger_name)
        client.delete_function(each.function_name)


def edit(template: Path, old: str, new: str) -> None:
    text = template.read_text(encoding="utf-8")
    assert old in text
    template.write_text(text.replace(old, new, 1), encoding="utf-8")


def triggers(control: Any) -> list[str]:
    listed = control.list_triggers("oss-copy", models.ListTriggersRequest()).body.triggers
    return [each.trigger_name for each in listed]


def without_trigger(template: Path, name: str, following: str) -> None:
    text = template.read_text(encoding="utf-8")
    begin, end = (
        text.index(f"        - triggerName: {name}\n"),
        text.index(f"        - triggerName: {following}\n"),
    )
    template.write_text(text[:begin] + text[end:], encoding="utf-8")


# --- deploy ---


def test_a_second_deploy_changes_nothing_and_says_so(deployed: Deployer, control: Any, own: Path) -> None:
    before = control.get_trigger("oss-copy", "oss").body.to_map()
    again = deployed.run("deploy", template=own)
    assert again.returncode == 0, again.stderr
    assert "FC has what s.yaml says" in again.stdout
    assert " => " not in again.stdout
    assert control.get_trigger("oss-copy", "oss").body.trigger_id == before["triggerId"]


def test_a_changed_source_bucket_moves_the_trigger(deployed: Deployer, control: Any, own: Path) -> None:
    edit(own, "sourceBucket: my-source", "sourceBucket: my-other-source")
    done = deployed.run("deploy", template=own)
    assert done.returncode == 0, done.stderr
    assert "oss-copy: triggers.oss.sourceArn: FC has " in done.stdout
    assert "the trigger is deleted and created" in done.stdout
    assert control.get_trigger("oss-copy", "oss").body.source_arn.endswith(":my-other-source")


def test_a_trigger_that_cannot_be_moved_is_put_back(deployed: Deployer, control: Any, own: Path) -> None:
    edit(own, "sourceBucket: my-source", "sourceBucket: nobody-s-source")
    refused = deployed.run("deploy", template=own)
    assert refused.returncode == 1
    assert "The specified bucket does not exist. (nobody-s-source)" in refused.stderr
    assert "the trigger is what it was before" in refused.stderr
    assert control.get_trigger("oss-copy", "oss").body.source_arn.endswith(":my-source")


def test_a_trigger_that_is_taken_out_is_named_and_pruned(deployed: Deployer, control: Any, own: Path) -> None:
    without_trigger(own, "timer", "reconcile")
    refused = deployed.run("deploy", template=own)
    assert refused.returncode == Status.PARTLY
    assert "oss-copy: triggers.timer: FC has it, and s.yaml does not" in refused.stderr
    assert "deploy --prune" in refused.stderr
    assert triggers(control) == TRIGGERS
    done = deployed.run("deploy", "--prune", template=own)
    assert done.returncode == 0, done.stderr
    assert "triggers.timer: FC has it, and s.yaml does not: taken away" in done.stdout
    assert triggers(control) == ["oss", "reconcile", "sweep"]


def test_what_is_taken_out_of_how_a_function_is_invoked_is_named_and_pruned(
    deployed: Deployer, control: Any, own: Path
) -> None:
    control.put_async_invoke_config(
        "oss-copy-dropped",
        models.PutAsyncInvokeConfigRequest(
            body=models.PutAsyncInvokeConfigInput(
                destination_config=models.DestinationConfig(
                    on_failure=models.Destination("acs:fc:cn-hangzhou:1000000000000001:functions/oss-copy")
                )
            )
        ),
    )
    text = own.read_text(encoding="utf-8")
    begin = text.index("      concurrencyConfig:\n        reservedConcurrency: 1\n")
    own.write_text(text[:begin] + text[text.index("      triggers: []") :], encoding="utf-8")
    done = deployed.run("deploy", template=own)
    assert done.returncode == 0, (
        "the component sets the first right, and takes the second away: " + done.stderr
    )
    told = control.get_async_invoke_config("oss-copy-dropped", models.GetAsyncInvokeConfigRequest()).body
    assert told.destination_config.on_failure is None


def test_what_somebody_else_has_added_is_named(deployed: Deployer, control: Any, own: Path) -> None:
    config = json.dumps({"cronExpression": "@every 1h", "enable": True, "payload": "{}"})
    given = models.CreateTriggerInput(trigger_name="another", trigger_type="timer", trigger_config=config)
    control.create_trigger("oss-copy", models.CreateTriggerRequest(body=given))
    refused = deployed.run("deploy", template=own)
    assert refused.returncode == Status.PARTLY
    assert "oss-copy: triggers.another: FC has it" in refused.stderr


def test_a_token_is_masked_in_what_the_tool_shows_the_new_one_and_the_old_one(
    acting: Deployer, control: Any, own: Path
) -> None:
    assert control
    edit(own, "LOG_LEVEL: INFO", "LOG_LEVEL: INFO\n        API_TOKEN: ${env('API_TOKEN')}")
    shown = ""
    for token in (OLDER, TOKEN):
        acting.environment["API_TOKEN"] = token
        done = acting.run("deploy", template=own)
        assert done.returncode == 0, done.stderr
        shown += done.stdout + done.stderr
    assert "API_TOKEN: ***" in shown
    assert "STATE_BUCKET: my-state" in shown
    assert TOKEN not in shown
    assert OLDER not in shown


def test_the_destination_is_there_before_it_is_named(acting: Deployer, tmp_path: Path, own: Path) -> None:
    buckets = ["my-source", "my-destination", "my-state"]
    arguments = ["--account", "1000000000000001", "--strict-destinations"]
    with LocalCloud(template=None, buckets=buckets, arguments=arguments) as cloud:
        folder = tmp_path / "strict"
        folder.mkdir()
        done = Deployer(folder, cloud).act().run("deploy", template=own)
        assert done.returncode == 0, done.stdout + done.stderr
    assert acting


# --- remove ---


def test_what_could_not_be_removed_is_named(
    deployed: Deployer, control: Any, shared_account: LocalCloud, own: Path
) -> None:
    granted = rights.deployer_grants(reach.read(own))
    less = rights.document(granted)
    for statement in less["Statement"]:
        statement["Action"] = [each for each in statement["Action"] if each != "fc:DeleteFunction"]
    shared_account.set_policy("deployer", less)
    deployed.be(shared_account.assume("deployer"))
    refused = deployed.run("remove", "--confirm", template=own)
    assert refused.returncode == Status.PARTLY
    assert "fc:DeleteFunction" in refused.stdout, "the tool tells why, and exits 0"
    assert "not removed, whatever s says" in refused.stderr
    assert "function oss-copy\n" in refused.stderr
    assert triggers(control) == []


def test_removing_twice_is_removed(deployed: Deployer, control: Any, own: Path) -> None:
    for _ in range(2):
        done = deployed.run("remove", template=own)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "removed. Left in the account" in done.stdout
    assert control.list_functions(models.ListFunctionsRequest()).body.functions == []


# --- invoke ---


def test_an_invocation_ends_as_the_function_says(deployer: Deployer) -> None:
    deployer.act()
    done = deployer.run("invoke", '{"action": "sweep"}')
    assert done.returncode == 0, done.stdout + done.stderr
    request = {"source": {"bucket": SOURCE, "key": "none"}, "destination": {"bucket": DESTINATION}}
    failed = deployer.run("invoke", json.dumps(request))
    assert failed.returncode == 1
    assert "NoSuchKey" in failed.stdout
    assert failed.stderr == "error: the function says: failed\n"
