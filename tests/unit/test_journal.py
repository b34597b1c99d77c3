"""Records as they are read: what the journal adds to the small objects under it."""

from __future__ import annotations

import subprocess
import sys

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
