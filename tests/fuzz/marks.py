"""Continuations and records that somebody has changed: `python -m tests.fuzz.marks [--inputs N] [--seed N]`.

Each input is a valid one whose tree or bytes are edited, with the mark of what it says by now, with the one
it had, with that of another, or with none. Only the first may be believed, and then nothing but what it says.
An input that is a finding is printed whole.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from osscopy import events
from osscopy.copying import start
from osscopy.jobs.marks.sealed import SealedInvoker, SealedRecords
from osscopy.jobs.records import read
from osscopy.model import (
    Bulk,
    BulkJob,
    Cancelled,
    Continue,
    Copy,
    Done,
    Entered,
    Entry,
    Misconfigured,
    Opened,
    Ping,
    Range,
    Refused,
    Rest,
    Settle,
    Source,
    Sweep,
    Waiting,
    Walk,
)
from osscopy.plan.marks.seal import CONTINUATION, Seal
from tests.fuzz import inputs
from tests.unit import engine, many

SEAL = Seal((b"k" * 32,))
ARRIVAL = msgspec.structs.replace(inputs.ARRIVAL, seal=SEAL)
JOB = "b-" + "0" * 32
KINDS: dict[str, type[msgspec.Struct]] = {
    "open": Opened,
    "up": Entered,
    "done": Done,
    "cancel": Cancelled,
    "rest": Waiting,
    "job": BulkJob,
    "log": Entry,
}
MARKS = ("right", "former", "other", "none")


class Record(NamedTuple):
    """A record that an invocation has written."""

    name: str
    kind: type[msgspec.Struct]
    tree: Any


class Shelf:
    """One record, as somebody has put it there."""

    def __init__(self) -> None:
        self.body = b""

    def get(self, name: str) -> bytes | None:
        del name
        return self.body

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a record that is read asks for {name}")


def commands() -> list[Any]:
    """Trees of the commands that the function submits."""
    made = (Sweep("c-" + "0" * 32), Ping(), Rest("l-" + "0" * 32), Walk(JOB, Range()), Settle(JOB))
    trees = [json.loads(events.encode(each))["continuation"] for each in made]
    return trees + [each["continuation"] for each in inputs.SAMPLES if "continuation" in each]


def records() -> list[Record]:
    """Records of a copy in parts, of one by CopyObject that failed, and of a job of many objects."""
    made = engine.Engine()
    made.cloud.put("a", size=engine.LARGE)
    start.begin(made.context(), made.copy())
    start.begin(made.context(), made.copy(engine.request(source=Source(engine.SRC, "gone"))))
    made.put("cancel/c-" + "0" * 32, Cancelled("n", "2026-11-22T10:00:00.000Z"))
    jobs = many.Jobs()
    jobs.put("a", "b")
    jobs.run()
    found = {**made.cloud.records, **jobs.cloud.records}
    return [
        Record(name, kind, json.loads(body))
        for name, (_, body) in sorted(found.items())
        if (kind := _kind(name)) is not None
    ]


def _kind(name: str) -> type[msgspec.Struct] | None:
    first, *rest = name.split("/")
    if first == "bulk":
        return KINDS.get(rest[1])
    return KINDS.get(first) if not rest[0].startswith("b-") else None


class Judge:
    """Judges edited continuations and records, chosen by `chance`."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._commands, self._records = commands(), records()
        self._shelf = Shelf()
        self._sealed = SealedRecords(self._shelf, SEAL, ARRIVAL.now.timestamp)

    def one(self) -> str:
        """Judge one input; return what it ended as."""
        mark = self._chance.choice(MARKS)
        what: Callable[[str], str] = self._continuation if self._chance.random() < 0.5 else self._record
        return what(mark)

    def _edited(self, tree: Any) -> Any:
        made = json.loads(json.dumps(tree))
        for _ in range(self._chance.choice((1, 1, 1, 2, 3))):
            draw = self._chance.getrandbits
            made = inputs.change(made, inputs.Edit(draw(3), draw(16), draw(16), draw(16)))
        return made

    def _bytes(self, tree: Any) -> bytes:
        """Return an edited tree as text; now and then a byte of it is another one."""
        body = bytearray(json.dumps(self._edited(tree), separators=(",", ":")).encode("utf-8", "replace"))
        if self._chance.random() < 0.1:
            body[self._chance.randrange(len(body))] = self._chance.getrandbits(8)
        return bytes(body)

    def _continuation(self, mark: str) -> str:
        tree = self._chance.choice(self._commands)
        body, before = self._bytes(tree), json.dumps(tree, separators=(",", ":")).encode()
        given = self._mark(mark, CONTINUATION, body, before)
        event = b'{"continuation":' + body + (b',"mac":"%s"' % given.encode() if given else b"") + b"}"
        with inputs.watched():
            try:
                parsed = events.parse(event, ARRIVAL, ())
            except Refused as error:
                assert error.code.isalpha(), event
                return "refused"
        if b'"continuation"' not in event[:20] or not isinstance(parsed, events.Batch):
            assert given == SEAL.mark(CONTINUATION, body) or not isinstance(
                parsed, Sweep | Ping | Rest | Walk | Settle
            ), event
            return "believed"
        for item in parsed.items:
            if isinstance(item, Copy | Continue | Bulk):
                assert given == SEAL.mark(CONTINUATION, body), event
                inputs.judge_command(item)
        return "believed"

    def _record(self, mark: str) -> str:
        record = self._chance.choice(self._records)
        body, before = self._bytes(record.tree), json.dumps(record.tree, separators=(",", ":")).encode()
        given = self._mark(mark, record.name, body, before)
        self._shelf.body = b'{"mac":"%s",' % given.encode() + body[1:] if given else body
        try:
            found = read(self._sealed, record.name, record.kind)
        except Misconfigured as error:
            assert error.code == "UnreadableRecord", (record.name, self._shelf.body)
            return "unreadable"
        assert given == SEAL.mark(record.name, b"{" + body[1:]), (record.name, self._shelf.body)
        assert isinstance(found, record.kind)
        assert msgspec.json.decode(msgspec.json.encode(found), type=record.kind) == found
        return "read"

    def _mark(self, mark: str, about: str, body: bytes, before: bytes) -> str:
        match mark:
            case "right":
                return SEAL.mark(about, body)
            case "former":
                return SEAL.mark(about, before)
            case "other":
                return SEAL.mark(f"{about}x", body)
        return ""


def run(count: int, seed: int, say: Callable[[str], object]) -> Counter[str]:
    """Judge so many inputs; AssertionError, or what is let out, is a finding."""
    judge, ends, begun = Judge(random.Random(seed)), Counter[str](), time.monotonic()
    for number in range(1, count + 1):
        ends[judge.one()] += 1
        if number % 100_000 == 0 or number == count:
            seconds = time.monotonic() - begun
            say(json.dumps({"inputs": number, "seconds": round(seconds, 1), "seed": seed, **ends}) + "\n")
    return ends


def cost(rounds: int = 20_000) -> dict[str, float]:
    """Return what a mark costs a hop: bytes of its continuation, and microseconds to sign and to judge it."""
    (task,) = (each["continuation"] for each in inputs.SAMPLES if _is_hop(each))
    payload = b'{"continuation":' + json.dumps(task, separators=(",", ":")).encode() + b"}"
    sent: list[bytes] = []

    class Platform:
        def submit(self, task_id: str, payload: bytes, delay: int) -> bool:
            del task_id, delay
            sent[:] = [payload]
            return True

        def triggers(self) -> tuple[Any, ...]:
            return ()

    def spent(seal: Seal, event: bytes) -> float:
        invoker, arrival = SealedInvoker(Platform(), seal), msgspec.structs.replace(ARRIVAL, seal=seal)
        begun = time.process_time()
        for _ in range(rounds):
            invoker.submit("c-1", payload, 0)
            events.parse(event, arrival, ())
        return (time.process_time() - begun) / rounds * 1e6

    SealedInvoker(Platform(), SEAL).submit("c-1", payload, 0)
    signed = sent[0]
    plain, marked = spent(Seal(), payload), spent(SEAL, signed)
    return {
        "bytes": len(signed) - len(payload),
        "of": len(payload),
        "microseconds": round(marked - plain, 2),
        "without": round(plain, 2),
    }


def _is_hop(sample: Any) -> bool:
    return "continuation" in sample and sample["continuation"]["command"]["step"] == "continue"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--inputs", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--cost", action="store_true", help="measure what a mark costs, and nothing else")
    asked = options.parse_args()
    if asked.cost:
        sys.stdout.write(json.dumps(cost()) + "\n")
        return
    run(asked.inputs, asked.seed, sys.stdout.write)


if __name__ == "__main__":
    main()
