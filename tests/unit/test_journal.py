"""Records as they are read: what the journal adds to the small objects under it."""

from __future__ import annotations

import subprocess
import sys

MANY_READERS = """
import sys, threading
from osscopy.journal import RecordJournal

class Records:
    def get(self, name):
        source, destination = {"bucket": "abc", "key": "k"}, {"bucket": "def", "key": "k"}
        request = {"source": source, "destination": destination}
        return repr({"nonce": "n", "result": {"job": "j", "status": "skipped"}, "request": request}).replace(
            "'", '"').encode()

sys.setswitchinterval(1e-6)
readers, journal, together, seen = 8, RecordJournal(Records()), threading.Barrier(8), []

def read():
    together.wait()
    seen.append(journal.done("j").result.status)

threads = [threading.Thread(target=read) for _ in range(readers)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert seen == ["skipped"] * readers
"""


def test_the_first_records_of_a_process_may_be_read_by_many_threads_at_once() -> None:
    """The list of copies does; made late, msgspec's decoders crash every other such process."""
    for _ in range(6):
        run = subprocess.run([sys.executable, "-c", MANY_READERS], check=False, capture_output=True)
        assert run.returncode == 0, (run.returncode, run.stderr.decode())
