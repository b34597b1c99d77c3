"""One instance: what the function sees of the platform, and how the platform ends it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import fc2
import pytest

from tests.cloud.conditions import Fault
from tests.cloud.fc.home import installed
from tests.cloud.fc.lab import ROLE, Lab

FcError = fc2.fc_exceptions.FcError
SHOW = """
    import os
    def show(value):
        return {k: show(v) for k, v in vars(value).items()} if hasattr(value, "__dict__") else value
    def handler(event, context):
        return {"env": dict(os.environ), "context": show(context), "pid": os.getpid(), "cwd": os.getcwd()}
"""


def _seen(lab: Lab) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(lab.invoke().data)
    return seen


def test_python_3_12_finds_its_credentials_in_the_environment_not_in_the_context(lab: Lab) -> None:
    lab.deploy(SHOW, timeout=7)
    seen = _seen(lab)
    assert "credentials" not in seen["context"]
    assert "service" not in seen["context"]
    assert seen["context"]["function"] == {
        "name": "fn",
        "handler": "index.handler",
        "memory": 256,
        "timeout": 7,
    }
    issued = lab.accounts.find(seen["env"]["ALIBABA_CLOUD_ACCESS_KEY_ID"])
    assert issued is not None
    assert issued.principal == ROLE
    assert issued.security_token == seen["env"]["ALIBABA_CLOUD_SECURITY_TOKEN"]


def test_python_3_10_finds_credentials_service_and_numbers_as_text_in_the_context(lab: Lab) -> None:
    lab.deploy(SHOW, runtime="python3.10", timeout=7)
    seen = _seen(lab)
    assert seen["context"]["function"]["timeout"] == "7"
    assert seen["context"]["service"]["name"] == ""
    key = seen["context"]["credentials"]["access_key_id"]
    assert lab.accounts.find(key) is not None
    assert not [name for name in seen["env"] if name.startswith("ALIBABA")]


def test_every_invocation_gets_new_credentials_and_they_are_on_record(lab: Lab) -> None:
    lab.deploy(SHOW)
    keys = [_seen(lab)["env"]["ALIBABA_CLOUD_ACCESS_KEY_ID"] for _ in range(2)]
    assert keys[0] != keys[1]
    assert [one.access_key_id for one in lab.invocations] == keys


def test_the_function_sees_only_what_fc_gives_and_its_own_variables(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "1")
    lab.deploy(SHOW, environmentVariables={"OWN": "value"})
    names = set(_seen(lab)["env"])
    assert {name for name in names if name.startswith("FC_")} == {
        "FC_FUNCTION_NAME",
        "FC_FUNCTION_HANDLER",
        "FC_FUNCTION_MEMORY_SIZE",
        "FC_REGION",
        "FC_ACCOUNT_ID",
        "FC_INSTANCE_ID",
        "FC_FUNC_CODE_PATH",
    }
    assert "OWN" in names
    assert "SECRET_OF_THE_HOST" not in names


def test_an_instance_is_reused_while_it_is_warm(lab: Lab) -> None:
    lab.deploy(SHOW)
    assert _seen(lab)["pid"] == _seen(lab)["pid"]
    assert [one.attempts[0].cold for one in lab.invocations] == [True, False]


def test_an_instance_is_frozen_between_invocations(lab: Lab) -> None:
    lab.deploy(
        """
        import itertools, threading, time
        ticks = itertools.count()
        def tick():
            while True: next(ticks); time.sleep(0.001)
        threading.Thread(target=tick, daemon=True).start()
        def handler(event, context): return {}
        """
    )
    lab.invoke()
    (instance,) = lab.host.runner.instances
    lab.until(lambda: _state(instance.pid) == "T")
    lab.invoke()


def test_an_instance_that_takes_longer_than_its_timeout_is_killed(lab: Lab) -> None:
    lab.deploy("import time\ndef handler(event, context): time.sleep(60)", timeout=1)
    with pytest.raises(FcError, match="Function timed out after 1 seconds"):
        lab.invoke()
    assert lab.invocations[0].outcome == "timeout"
    assert not lab.host.runner.instances


def test_the_timeout_leaves_no_chance_to_clean_up(lab: Lab, tmp_path: Path) -> None:
    lab.deploy(
        f"""
        import time
        def handler(event, context):
            try: time.sleep(60)
            finally: open({str(tmp_path / "goodbye")!r}, "w").close()
        """,
        timeout=1,
    )
    with pytest.raises(FcError):
        lab.invoke()
    assert not (tmp_path / "goodbye").exists()


def test_an_instance_above_its_memory_size_is_killed(lab: Lab) -> None:
    lab.deploy(
        "import time\ndef handler(event, context): data = b'x' * (300 << 20); time.sleep(60)", timeout=30
    )
    with pytest.raises(FcError, match="FunctionOOMError"):
        lab.invoke()
    assert lab.invocations[0].outcome == "out-of-memory"


def test_peak_memory_is_that_of_the_invocation_not_of_the_instance(lab: Lab) -> None:
    lab.deploy("def handler(event, context): len(b'x' * (int(event) << 20))")
    lab.invoke(b"100")
    lab.invoke(b"1")
    large, small = (one.attempts[0].peak_memory_mb for one in lab.invocations)
    assert large > 100
    assert small < large - 50


def test_a_process_that_exits_is_an_error_with_the_platform_s_words(lab: Lab) -> None:
    lab.deploy("import os\ndef handler(event, context): os._exit(1)")
    with pytest.raises(FcError, match="Process exited unexpectedly before completing request"):
        lab.invoke()
    assert lab.invocations[0].outcome == "exited"


def test_output_belongs_to_the_request_that_made_it(lab: Lab) -> None:
    lab.deploy(
        """
        import logging, sys
        def handler(event, context):
            print("out", event)
            print("err", event, file=sys.stderr)
            logging.getLogger().info("logged %s", event)
        """
    )
    for event in (b"1", b"2"):
        request_id = lab.invoke(event).headers["x-fc-request-id"]
        log = lab.invocations[-1].attempts[0].logs.decode()
        assert log.startswith(f"FC Invoke Start RequestId: {request_id}\nout {event!r}\nerr {event!r}\n")
        assert log.endswith(
            f"Z {request_id} [INFO] logged {event!r}\nFC Invoke End RequestId: {request_id}\n"
        )


def test_the_initializer_runs_once_per_instance_before_the_first_invocation(lab: Lab) -> None:
    lab.deploy(
        """
        seen = []
        def initialize(context): seen.append(context.request_id)
        def handler(event, context): return seen
        """,
        instanceLifecycleConfig={"initializer": {"handler": "index.initialize", "timeout": 5}},
    )
    first = json.loads(lab.invoke().data)
    assert len(first) == 1
    assert json.loads(lab.invoke().data) == first


def test_a_failing_initializer_fails_the_invocation_and_ends_the_instance(lab: Lab) -> None:
    lab.deploy(
        "def initialize(context): raise OSError('no')\ndef handler(event, context): return 1",
        instanceLifecycleConfig={"initializer": {"handler": "index.initialize"}},
    )
    with pytest.raises(FcError, match="no"):
        lab.invoke()
    lab.until(lambda: not lab.host.runner.instances)


def test_a_kill_strikes_the_instance_while_it_runs(lab: Lab) -> None:
    lab.deploy("def handler(event, context): return 1")
    lab.conditions(Fault("invocation", answer="kill", limit=1))
    with pytest.raises(FcError, match="Process exited unexpectedly"):
        lab.invoke()
    assert lab.invocations[0].outcome == "killed"
    assert lab.invoke().data == b"1"


def test_the_holder_of_credentials_can_be_killed(lab: Lab) -> None:
    lab.deploy("import time\ndef handler(event, context): time.sleep(60)", timeout=60)
    lab.submit()
    key = lab.until(lambda: lab.invocations[0].access_key_id)
    lab.conditions()
    lab.call(lab.host.kill_holder, key)
    lab.until(lambda: [one.outcome for one in lab.invocations[0].attempts] == ["killed"])


def test_an_fc_2_service_is_in_the_context_and_in_the_path(tmp_path: Path) -> None:
    lab = Lab(tmp_path, service="svc")
    try:
        lab.deploy("def handler(event, context): return context.service.name", runtime="python3.10")
        assert lab.invoke().data == b"svc"
        with pytest.raises(FcError) as failed:
            lab.fc2().invoke_function("other", "fn", b"")
        assert failed.value.err_code == "ServiceNotFound"
    finally:
        lab.close()


def _state(pid: int | None) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


LAYERS: dict[str, Any] = {"layers": ["acs:fc:cn-hangzhou:1234567890123456:layers/sdk/versions/1"]}


def test_a_forked_instance_sees_what_one_that_was_started_sees(tmp_path: Path) -> None:
    seen = []
    for number, props in enumerate((LAYERS, {})):
        folder = tmp_path / str(number)
        folder.mkdir()
        lab = Lab(folder)
        try:
            lab.deploy(SHOW, timeout=7, **props)
            shown = _seen(lab)
            (instance,) = lab.host.runner.instances
            assert shown["pid"] == instance.pid == os.getsid(shown["pid"])
            assert shown["cwd"] == str(folder / "fn")
            assert " Start RequestId: " in str(lab.invocations[0].view()["logs"])
            same = {name: shown["env"][name] for name in ("PATH", "HOME", "LANG", "FC_FUNCTION_NAME")}
            seen.append((shown["env"].keys(), shown["context"].keys(), same))
        finally:
            lab.close()
    assert seen[0] == seen[1]


def test_forked_instances_share_nothing_and_one_that_is_killed_takes_no_other_with_it(lab: Lab) -> None:
    counting = """
        import os, random
        seen = []
        def handler(event, context):
            seen.append(event)
            if event == b"end":
                os.kill(os.getpid(), 9)
            return f"{os.getpid()} {len(seen)} {random.random()}"
    """
    lab.deploy(counting, **LAYERS)
    first = lab.invoke().data.decode().split()
    assert lab.invoke().data.decode().split()[:2] == [first[0], "2"]
    with pytest.raises(FcError, match="Process exited unexpectedly"):
        lab.invoke(b"end")
    second = lab.invoke().data.decode().split()
    assert second[0] != first[0]
    assert second[1] == "1"
    assert second[2] != first[2]
    lab.until(lambda: not Path(f"/proc/{first[0]}").exists())


@pytest.mark.parametrize("props", [LAYERS, {}], ids=["forked", "started"])
def test_no_process_is_left_when_the_host_stops(tmp_path: Path, props: dict[str, Any]) -> None:
    lab = Lab(tmp_path)
    lab.deploy("def handler(event, context): return 1", **props)
    lab.invoke()
    (instance,) = lab.host.runner.instances
    lab.close()
    assert instance.pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(instance.pid, 0)


@pytest.mark.parametrize("version", ["3.10", "3.12"])
def test_the_runtime_s_own_interpreter_runs_once_a_layer_was_built_for_it(lab: Lab, version: str) -> None:
    packages = lab.root / "layers" / "sdk" / "python"
    packages.mkdir(parents=True)
    (packages / "from_the_layer.py").touch()
    (packages / f"x.cpython-{version.replace('.', '')}-x86_64-linux-gnu.so").touch()
    runtime = f"python{version}"
    if installed(version) is None:
        pytest.skip(f"{runtime} is not installed")
    lab.deploy(
        """
        import sys, from_the_layer
        def handler(event, context): return "python%d.%d" % sys.version_info[:2]
        """,
        runtime=runtime,
        layers=["acs:fc:cn-hangzhou:1:layers/sdk/versions/1"],
    )
    assert lab.invoke().data == runtime.encode()


def test_without_a_built_layer_the_host_s_interpreter_and_packages_serve(lab: Lab) -> None:
    lab.deploy(
        "import sys, oss2\ndef handler(event, context): return sys.executable",
        runtime="python3.10",
        layers=["acs:fc:cn-hangzhou:1:layers/sdk/versions/1"],
    )
    assert lab.invoke().data == sys.executable.encode()
