"""`make page`: the page in a headless Chromium, on the local cloud, in every state that it has.

Shoots each view into a folder, lets axe judge it, and starts, cancels and repeats jobs by keys alone.
Chromium comes from Debian (`apt-get install chromium`); axe and Playwright are pinned. Exits non-zero at what
is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from functions.cli.service.proxy import serving
from tests.cloud.client import ROOT, LocalCloud

PYTHON = ROOT / ".venvs/page/bin/python"
AXE = ROOT / ".ci/page/node_modules/axe-core/axe.min.js"
TOKEN = "a-token-of-the-browser"
SOURCE, DESTINATION, STATE = "oss-copy-source", "oss-copy-destination", "oss-copy-state"
WIDE, NARROW = (1280, 900), (390, 844)
EVIL = "<img src=x onerror=alert(1)>\u202egnp.exe"
MIB = 1 << 20
PRICES = json.dumps({"currency": "CNY", "put": 1e-6, "get": 1e-6, "second": 1e-4, "invocation": 1e-6})


class Browser:
    """A browser in a process of its own, asked line by line."""

    def __init__(self, program: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [PYTHON, "-m", "tests.tours.browser", program, AXE, folder],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def __call__(self, what: str, *given: object) -> Any:
        """Return the browser's answer; raise RuntimeError where there is none."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([what, *given]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "the browser has ended"}')
        if "error" in answer:
            raise RuntimeError(f"{what} {given}: {answer['error']}")
        return answer["answer"]

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(30)


class Tour:
    """A walk through the states of the page. `wrong`: what was found."""

    def __init__(self, cloud: LocalCloud, browser: Browser, page: str) -> None:
        self.cloud, self.ask, self.page = cloud, browser, page
        self.wrong: list[str] = []

    def api(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(
            method, self.cloud.http_trigger + path, json=body, trust_env=False, timeout=60,
            headers={"Authorization": f"Bearer {TOKEN}"},
        )  # fmt: skip
        return answer.json()

    def look(self, name: str, query: str = "", *, locale: str = "en-US", scheme: str = "light",
             size: tuple[int, int] = WIDE, script: bool = True) -> None:  # fmt: skip
        """Shoot a view in a window of its own, and judge it."""
        self.ask("window", *size, scheme, locale, script)
        self.ask("open", self.page + query)
        self.judge(name, is_scripted=script)

    def judge(self, name: str, *, is_scripted: bool = True, known: tuple[str, ...] = ()) -> None:
        """Shoot what is shown, and note what is wrong with it, but for errors of these `known` statuses."""
        self.ask("shoot", name)
        wide, window = self.ask("width")
        found = list(self.ask("judge")) if is_scripted else []
        found += [
            f"the console says: {each}"
            for each in self.ask("heard")
            if not any(map(each.__contains__, known))
        ]
        found += [
            f"loads {each}"
            for each in self.ask("loaded")
            if not each.startswith((self.page, self.cloud.http_trigger, "data:"))
        ]
        found += [f"{wide} pixels wide in a window of {window}"] if wide > window else []
        self.wrong += [f"{name}: {each}" for each in found]
        print(f"{'  ' if not found else 'X '}{name}: {'; '.join(found) or 'nothing serious'}", flush=True)

    def expect(self, what: str, *, holds: bool) -> None:
        print(f"{'  ' if holds else 'X '}{what}", flush=True)
        self.wrong += [] if holds else [what]

    # --- states ----------------------------------------------------------------------------------------

    def empty(self) -> None:
        self.look("empty")
        self.look("empty-chinese", locale="zh-CN")
        self.look("new", "?new=1")
        self.look("new-phone", "?new=1", size=NARROW)
        self.ask("window", *WIDE, "light", "en-US", True)
        self.ask("shown", self.cloud.http_trigger)
        self.judge("sign-in", known=("401",))

    def running(self) -> None:
        """One copy in one lane, one in eight, and one job of many, all of them slow."""
        self.cloud.seed(SOURCE, "one lane.bin", 2048 * MIB, seed=1)
        self.cloud.seed(SOURCE, f"lanes/{EVIL}.bin", 4096 * MIB, seed=2)
        self.photos()
        self.cloud.conditions(bandwidth_mb_s=1.5, latency_ms=300)
        single = self.begin("one lane.bin", lanes=1)
        lanes = self.begin(f"lanes/{EVIL}.bin", lanes=8)
        many = self.api("POST", "/copies", prefixes("photos/", "slowly/", maxRate=4))["job"]
        time.sleep(9)
        for scheme, locale, size in (
            ("light", "en-US", WIDE),
            ("dark", "zh-CN", WIDE),
            ("light", "en-US", NARROW),
        ):
            kind = f"{scheme}-{locale[:2]}-{size[0]}"
            self.look(f"list-{kind}", scheme=scheme, locale=locale, size=size)
            for name, job in (("single", single), ("lanes", lanes), ("many", many)):
                self.look(f"{name}-{kind}", f"?job={job}", scheme=scheme, locale=locale, size=size)
        self.look("lanes-without-a-script", f"?job={lanes}", script=False)
        self.lives(lanes)
        self.cancels(lanes)
        self.cloud.conditions()
        self.api("DELETE", f"/copies/{single}")
        self.cloud.wait_idle()
        self.look("many-ended", f"?job={many}")

    def photos(self) -> None:
        """Put sixty objects there, as every state that copies many needs them."""
        for number in range(60):
            self.cloud.seed(SOURCE, f"photos/{number:03}.jpg", 20_000 + number, seed=number)

    def begin(self, key: str, lanes: int) -> str:
        asked = {
            "source": {"bucket": SOURCE, "key": key},
            "destination": {"bucket": DESTINATION},
            "tuning": {"partSize": "8MiB", "parallel": 4, "lanes": lanes, "method": "multipart"},
        }
        job: str = self.api("POST", "/copies", asked)["job"]
        return job

    def lives(self, job: str) -> None:
        """The page changes by itself, and the focus stays."""
        self.ask("window", *WIDE, "light", "en-US", True)
        self.ask("open", f"{self.page}?job={job}")
        self.ask("tab_to", "#ask-cancel")
        self.ask("press", "Enter")
        before = self.ask("text")
        time.sleep(7)
        after = self.ask("text")
        self.expect("a page that is left alone goes on showing how a copy stands", holds=before != after)
        self.expect("what is open stays open", holds="destination stays as it is" in after)
        self.judge("lanes-after-a-while")

    def cancels(self, job: str) -> None:
        self.ask("open", f"{self.page}?job={job}")
        self.expect("cancel is reached by Tab", holds=self.ask("tab_to", "#ask-cancel") > 0)
        self.ask("press", "Enter")
        self.ask("tab_to", "button.danger")
        self.ask("press", "Enter")
        self.expect("a copy is cancelled by keys alone", holds=self.ask("wait", "h1 .cancelled", 20))
        self.judge("cancelled")
        self.cloud.conditions()
        self.expect("`again` is reached by Tab", holds=self.ask("tab_to", "button[value=resubmit]") > 0)
        self.ask("press", "Enter")
        self.ask("wait", "h1 .succeeded", 60)
        self.expect("it is asked for again by keys alone", holds=job not in self.ask("where"))
        self.judge("succeeded")

    def starts(self) -> None:
        """A dry run, then what it has shown, by keys alone."""
        self.photos()
        self.ask("window", *WIDE, "light", "en-US", True)
        self.ask("open", f"{self.page}?new=1")
        for field, text in (
            ("source", f"oss://{SOURCE}/photos/"),
            ("destination", f"oss://{DESTINATION}/keys/"),
        ):
            self.ask("tab_to", f"#many-{field}")
            self.ask("write", text)
        self.ask("press", "Enter")
        self.ask("wait", "h1 .succeeded", 60)
        self.judge("dry-run")
        self.expect("a dry run copies nothing", holds=self.count("keys/") == 0)
        self.ask("tab_to", "button[value=carry-out]")
        self.ask("press", "Enter")
        self.ask("wait", "h1 .succeeded", 60)
        self.expect("a dry run and its copies are started by keys alone", holds=self.count("keys/") == 60)
        self.ask("open", f"{self.page}?new=1")
        self.ask("tab_to", "#one-source")
        self.ask("write", f"oss://{SOURCE}/no such key")
        self.ask("tab_to", "#one-destination")
        self.ask("write", f"oss://{DESTINATION}/")
        self.ask("press", "Enter")
        self.ask("wait", "[role=alert] strong", 20)
        self.judge("refused", known=("404", "422"))

    def count(self, prefix: str) -> int:
        return len(self.cloud.oss_bucket(DESTINATION).list_objects_v2(prefix).object_list)

    def failed(self) -> None:
        """A copy and a job that have failed, and what the job says of it."""
        self.photos()
        one = self.cloud.invoke(
            {"source": {"bucket": SOURCE, "key": EVIL}, "destination": {"bucket": DESTINATION}}
        )
        lines = "".join(f"{SOURCE},photos/{number:03}.jpg\n" for number in range(10))
        lost = "".join(f"{SOURCE},lost/%3Cb%3E{number}\n" for number in range(30))
        self.cloud.oss_bucket(SOURCE).put_object("list.csv", lines + lost)
        source = {"manifest": {"bucket": SOURCE, "key": "list.csv"}}
        asked = {"source": source, "destination": {"bucket": DESTINATION, "prefix": "listed/"}}
        many = self.api("POST", "/copies", asked)["job"]
        self.cloud.wait_idle()
        for name, query in (
            ("failed", f"?job={one['job']}"),
            ("failed-many", f"?job={many}"),
            ("report", f"?report={many}"),
        ):
            self.look(name, query)
        self.look("report-phone-dark-chinese", f"?report={many}", size=NARROW, scheme="dark", locale="zh-CN")

    def crowded(self) -> None:
        """Five hundred jobs on record."""
        asked = [
            {"source": {"bucket": SOURCE, "key": f"none/{number}"}, "destination": {"bucket": DESTINATION}}
            for number in range(500)
        ]
        for first in range(0, len(asked), 100):
            self.cloud.invoke(asked[first : first + 100])
        begun = time.monotonic()
        self.look("500-jobs")
        self.expect("a list of 500 is there within 10 s", holds=time.monotonic() - begun < 10)
        self.look("500-jobs-filtered", "?status=failed", size=NARROW)


def prefixes(source: str, destination: str, **options: Any) -> dict[str, Any]:
    return {
        "source": {"bucket": SOURCE, "prefix": source},
        "destination": {"bucket": DESTINATION, "prefix": destination},
        **options,
    }


@contextlib.contextmanager
def touring(program: str, folder: Path) -> Iterator[Tour]:
    """A local cloud, its page on this machine, and a browser."""
    environment = {"API_TOKEN": TOKEN, "PRICES": PRICES, "MAX_PARALLEL": "8"}
    variables = {"httpAuthType": "anonymous", "timeout": 20}
    browser = Browser(program, folder)
    token = {"authorization": f"Bearer {TOKEN}"}
    try:
        with (
            LocalCloud(variables=variables, environment=environment) as cloud,
            httpx.Client(trust_env=False) as http,
            serving(cloud.http_trigger, lambda *_: token, http) as page,
        ):
            yield Tour(cloud, browser, page.address)
    finally:
        browser.close()


def chromium() -> str | None:
    """Return the browser's program; say how to install it if there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        print("there is no Chromium: apt-get install chromium fonts-noto-cjk")
    return program


def main() -> int:
    """Walk through all states, or those that are named; return the exit status."""
    parser = argparse.ArgumentParser(prog="make page", description=__doc__)
    parser.add_argument("states", nargs="*", help="empty, running, starts, failed, crowded; default: all")
    parser.add_argument("--out", type=Path, help="folder of the pictures; default: one that is made")
    given = parser.parse_args()
    program = chromium()
    if program is None:
        return 1
    folder = given.out or Path(tempfile.mkdtemp(prefix="oss-copy-page-"))
    folder.mkdir(parents=True, exist_ok=True)
    with touring(program, folder) as tour:
        states: dict[str, Callable[[], None]] = {
            "empty": tour.empty, "running": tour.running, "starts": tour.starts, "failed": tour.failed,
            "crowded": tour.crowded,
        }  # fmt: skip
        for name in given.states or states:
            states[name]()
    print(f"pictures: {folder}")
    print("\n".join(["wrong:", *tour.wrong]) if tour.wrong else "nothing is wrong")
    return 1 if tour.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
