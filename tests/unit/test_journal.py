"""Records as they are read: what the journal adds to the small objects under it."""

from __future__ import annotations

import subprocess
import sys

from osscopy.copying import start
from tests.unit.engine import LARGE, Engine

FIRST_PAGE = """
import json, sys
from osscopy.jobs.queries import READERS, Queries
from osscopy.jobs.journal import RecordJournal
from osscopy.model import RecordPage

class Records:
    def get(self, name):
        source, destination = {"bucket": "abc", "key": "k"}, {"bucket": "def", "key": "k"}
        request = {"source": source, "destination": destination}
        result = {"job": "j", "status": "skipped"}
        return json.dumps({"nonce": "n", "result": result, "request": request}).encode()

    def page(self, prefix, after, limit):
        return RecordPage(tuple((f"{prefix}j{n}", 0) for n in range(READERS)), 0)

class Asked:
    ask = staticmethod(lambda question, *arguments: question(*arguments))

sys.setswitchinterval(1e-6)
page = Queries(Asked(), RecordJournal(Records())).page("skipped", 50, "")
assert len(page.copies) == READERS
"""


def test_the_first_list_of_copies_of_a_process_is_read_by_many_threads_at_once() -> None:
    """Where several threads are the first to read a type, msgspec crashes: every other such process."""
    for _ in range(6):
        run = subprocess.run([sys.executable, "-c", FIRST_PAGE], check=False, capture_output=True)
        assert run.returncode == 0, (run.returncode, run.stderr.decode())


FIRST_RECORDS = """
import json, sys, threading
from osscopy.jobs import records
from osscopy.model import Cancelled, Done, Entered, Opened

request = {"source": {"bucket": "abc", "key": "k"}, "destination": {"bucket": "def", "key": "k"}}
pin = {"size": 1, "etag": "E", "lastModified": 1}
upload = {"id": "u", "partSize": 1048576, "parts": 1, "lanes": 1, "openedAt": 1}
job = "c-" + "0" * 32
bodies = {
    Opened: {"nonce": "n", "job": job, "request": request, "pin": pin, "startedAt": "2026-11-22T10:00:00Z"},
    Done: {"nonce": "n", "result": {"job": "j", "status": "skipped"}, "request": request},
    Entered: {"nonce": "n", "upload": upload},
    Cancelled: {"nonce": "n", "at": "x"},
}

class Records:
    def __init__(self, kind):
        self._kind = kind

    def get(self, name):
        return json.dumps(bodies[self._kind]).encode()

def read(kind):
    start.wait()
    found.append(records.read(Records(kind), f"open/{job}", kind))

sys.setswitchinterval(1e-6)
found = []
kinds = list(bodies) * 3
start = threading.Barrier(len(kinds))
threads = [threading.Thread(target=read, args=(each,)) for each in kinds]
for each in threads:
    each.start()
for each in threads:
    each.join()
assert len(found) == len(kinds) and None not in found
"""


def test_the_first_records_of_a_process_are_read_at_once() -> None:
    for _ in range(6):
        run = subprocess.run([sys.executable, "-c", FIRST_RECORDS], check=False, capture_output=True)
        assert run.returncode == 0, (run.returncode, run.stderr.decode())


def test_the_open_record_that_was_written_last_is_known_without_asking(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    copy = engine.copy()
    start.begin(engine.context(), copy)
    asked = engine.cloud.count("get open")
    known = engine.journal.known_opened(copy.job)
    assert known is not None
    assert known.job == copy.job
    assert engine.journal.known_opened("c-other") is None
    assert engine.cloud.count("get open") == asked
