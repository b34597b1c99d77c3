"""The local cloud as tests and the demo use it: started as a program, talked to through the real SDKs.

with LocalCloud(variables={"timeout": 5}) as cloud:
    cloud.oss_bucket("source").put_object("a", b"1")
    cloud.wait_idle()
    assert cloud.invocations()[0]["outcome"] == "succeeded"
"""

from __future__ import annotations

import json
import os
import secrets
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import fc2
import httpx
import msgspec
import oss2
from alibabacloud_fc20230330.client import Client as NativeClient
from alibabacloud_tea_openapi.models import Config

from tests.cloud.accounts import Credentials
from tests.cloud.fc.signature import Signed, acs3_signature

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0  # a second where nothing else runs
READING = "LOCAL_CLOUD_READING"  # `NAME=a|b` for every cloud that is started: tests.readings sets it
IDLE_SECONDS = 240.0  # far more than any test needs: where something else runs, everything takes longer


class LocalCloud:
    """Runs while the `with` block does; `variables` become `--var` (as YAML), `environment` `--env`.

    Without a template nothing is deployed, and there are `buckets`: `control` is for whoever deploys then.
    """

    def __init__(
        self,
        *,
        template: Path | None = ROOT / "s.yaml",
        buckets: Sequence[str] = (),
        variables: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self._command = [sys.executable, "-m", "tests.cloud", "--until-eof"]
        self._command += ["--template", str(template)] if template else ["--bare"]
        for bucket in buckets:
            self._command += ["--bucket", bucket]
        for name, value in (variables or {}).items():
            self._command += ["--var", f"{name}={json.dumps(value)}"]
        for name, text in (environment or {}).items():
            self._command += ["--env", f"{name}={text}"]
        self._command += arguments
        if reading := os.environ.get(READING):
            self._command += ["--reading", reading]
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the cloud
        self._http = httpx.Client(timeout=660)
        self.patience = 660.0  # seconds a caller of the function waits for its answer

    # --- life ---

    def __enter__(self) -> LocalCloud:  # noqa: PYI034 - typing has no Self before 3.11
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr
        )
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        line = self._process.stdout.readline() if readable else b""
        if not line:
            self.close()
            raise RuntimeError(f"the local cloud did not start:\n{self.stderr()}")
        ready = json.loads(line)
        self.oss: str = ready["oss"]
        self.fc: str = ready["fc"]
        self.http_trigger: str = ready["http_trigger"]
        self.admin: str = ready["admin"]
        self.region: str = ready["region"]
        self.account_id: str = ready["account_id"]
        self.function: str = ready["function"]
        self.owner = Credentials(ready["access_key_id"], ready["access_key_secret"], "")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._http.close()
        self._stderr.close()

    def close(self) -> int | None:
        """Stop it (SIGTERM) and return its exit code; may be called again."""
        if self._process is None:
            return None
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return self._process.returncode

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stderr(self) -> str:
        """What the cloud has complained about so far."""
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    # --- as a client of OSS and FC ---

    def oss_bucket(self, name: str, credentials: Credentials | None = None) -> Any:
        """An `oss2.Bucket` of the account's owner or of whose `credentials` are given, with V4 signatures."""
        who = credentials or self.owner
        if who.security_token:
            auth = oss2.StsAuth(
                who.access_key_id, who.access_key_secret, who.security_token, auth_version="v4"
            )
        else:
            auth = oss2.AuthV4(who.access_key_id, who.access_key_secret)
        return oss2.Bucket(auth, self.oss, name, region=self.region)

    def fc_client(self, credentials: Credentials | None = None, **options: object) -> Any:
        """An `fc2.Client` of the account's owner or of whose `credentials` are given."""
        who = credentials or self.owner
        return fc2.Client(
            endpoint=self.fc,
            accessKeyID=who.access_key_id,
            accessKeySecret=who.access_key_secret,
            securityToken=who.security_token or "",
            **{"Timeout": self.patience, **options},
        )

    def control(self, credentials: Credentials | None = None) -> Any:
        """The FC 3.0 SDK's client of the account's owner or of whose `credentials` are given."""
        who = credentials or self.owner
        return NativeClient(
            Config(
                access_key_id=who.access_key_id,
                access_key_secret=who.access_key_secret,
                security_token=who.security_token,
                endpoint=self.fc.removeprefix("http://"),
                protocol="http",
                region_id=self.region,
                read_timeout=60_000,
            )
        )

    def invoke(self, payload: object = b"", headers: Mapping[str, str] | None = None) -> Any:
        """Invoke synchronously: the result, decoded if it is JSON. `fc2.FcError` if that failed."""
        answer = self.fc_client().invoke_function(
            "local", self.function, _bytes(payload), dict(headers or {})
        )
        try:
            return json.loads(answer.data)
        except ValueError:
            return answer.data

    def invoke_async(
        self, payload: object = b"", *, task_id: str | None = None, delay: int | None = None
    ) -> str:
        """Queue an invocation; its request id. `fc2.FcError` (409) if the task id was used before."""
        headers = {"x-fc-invocation-type": "Async"}
        if task_id is not None:
            headers["x-fc-stateful-async-invocation-id"] = task_id
        if delay is not None:
            headers["x-fc-async-delay"] = str(delay)
        answer = self.fc_client().invoke_function("local", self.function, _bytes(payload), headers)
        return str(answer.headers["x-fc-request-id"])

    def http(
        self,
        method: str,
        path: str,
        *,
        json_body: object | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        signed: bool = True,
    ) -> httpx.Response:
        """A request to the HTTP trigger, signed by the owner unless told otherwise or already authorized."""
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if json_body is not None:
            body = json.dumps(json_body).encode()
            sent.setdefault("content-type", "application/json")
        url = httpx.URL(self.http_trigger).join(path)
        if signed and "authorization" not in sent:
            sent |= sign_acs3(method, str(url), sent, body, self.owner)
        return self._http.request(method, url, content=body, headers=sent, timeout=self.patience)

    # --- as its operator ---

    def conditions(self, faults: Iterable[Mapping[str, object]] = (), **settings: object) -> None:
        """Set the weather: `conditions([{"operation": "UploadPart", "error": …}], latency_ms=5, seed=1)`."""
        self._admin("PUT", "/conditions", {**settings, "faults": [dict(fault) for fault in faults]})

    def struck(self) -> int:
        """How often the faults of the weather have struck so far."""
        return sum(self.strikes())

    def strikes(self) -> list[int]:
        """How often each fault of the weather has struck so far."""
        found: list[int] = self._admin("GET", "/conditions")["struck"]
        return found

    def refuse_fc_signature(self, refuse: bool = True) -> None:
        """Whether the 2023-03-30 path takes ACS3 signatures only."""
        self._admin("PUT", "/switches", {"refuse_fc_signature": refuse})

    def set_policy(self, role: str, document: Mapping[str, object] | None) -> None:
        """What a role may do from now on; None: everything, as without a policy."""
        self._admin("PUT", "/policies", {role: document})

    def assume(self, role: str) -> Credentials:
        """Temporary credentials of a role, as STS gives them."""
        return msgspec.convert(self._admin("POST", "/credentials", {"role": role}), Credentials)

    def ram_requests(self) -> dict[str, int]:
        """How often each action of RAM's API was carried out; its endpoint is `admin`."""
        counted: dict[str, int] = self._admin("GET", "/ram")
        return counted

    def invocations(self, **wanted: object) -> list[dict[str, Any]]:
        """All invocations, oldest first, that have these values: `invocations(trigger="sweep")`."""
        found: list[dict[str, Any]] = self._admin("GET", "/invocations")
        return [one for one in found if all(one[name] == value for name, value in wanted.items())]

    def requests(self) -> dict[str, Any]:
        """What the OSS server has counted: operations, errors, connections, bytes copied."""
        counted: dict[str, Any] = self._admin("GET", "/requests")
        return counted

    def request_log(self) -> list[dict[str, Any]]:
        """The last 10,000 requests that the OSS server has answered, and from when until when."""
        logged: list[dict[str, Any]] = self._admin("GET", "/requests/log")
        return logged

    def instances(self) -> list[dict[str, Any]]:
        """The processes that are alive, busy or warm."""
        found: list[dict[str, Any]] = self._admin("GET", "/instances")
        return found

    def destinations(self) -> list[dict[str, Any]]:
        """Results that went to destinations outside this host."""
        found: list[dict[str, Any]] = self._admin("GET", "/destinations")
        return found

    def fire(self, trigger: str, payload: str | None = None) -> str:
        """Fire a timer now; the request id of the invocation."""
        return str(self._admin("POST", f"/triggers/{trigger}", {"payload": payload})["request_id"])

    def seed(self, bucket: str, key: str, size: int, seed: int = 0) -> None:
        """Make an object of any size without sending its bytes."""
        self._admin("POST", "/seed", {"bucket": bucket, "key": key, "size": size, "seed": seed})

    def foreign(self, bucket: str, key: str, **settings: str | bool) -> None:
        """Make a bucket of another account with an object in it: `acl`, `payer`, `granted` by policy."""
        self._admin("POST", "/foreign", {"bucket": bucket, "key": key, **settings})

    def kill(self, request_id: str) -> bool:
        """SIGKILL the instance that runs this request; False if none does."""
        return bool(self._admin("POST", "/kill", {"request_id": request_id})["killed"])

    def hurry(self) -> None:
        """Let what is delayed be delivered now, as if that time had passed."""
        self._admin("POST", "/hurry")

    def wait_idle(self, deadline: float = IDLE_SECONDS) -> None:
        """Wait until nothing is queued, delayed or running; TimeoutError after `deadline` seconds."""
        if not self._admin("GET", f"/idle?timeout={deadline}")["idle"]:
            open_ones = [one for one in self.invocations() if one["end"] is None]
            raise TimeoutError(f"after {deadline} s there are still {len(open_ones)} open: {open_ones[:3]}")

    def _admin(self, method: str, path: str, content: object | None = None) -> Any:
        answer = self._http.request(method, self.admin + path, json=content)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()


def sign_acs3(
    method: str, url: str, headers: Mapping[str, str], body: bytes, credentials: Credentials
) -> dict[str, str]:
    """The headers that sign this request with ACS3-HMAC-SHA256, as `alibabacloud-openapi-util` makes them."""
    parts = urlsplit(url)
    added = {
        "host": parts.netloc,
        "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "x-acs-signature-nonce": secrets.token_hex(16),
    }
    if credentials.security_token:
        added["x-acs-security-token"] = credentials.security_token
    every = {**headers, **added}
    names = sorted(name for name in every if name.startswith("x-acs-") or name in {"host", "content-type"})
    request = Signed(method, parts.path or "/", parts.query, every, body)
    signature = acs3_signature(request, names, "", credentials)
    added["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={credentials.access_key_id},"
        f"SignedHeaders={';'.join(names)},Signature={signature}"
    )
    return added


def _bytes(payload: object) -> bytes:
    match payload:
        case bytes():
            return payload
        case str():
            return payload.encode()
    return json.dumps(payload).encode()
