"""Events to throw at the parser, and what must be true of its answer to each.

The samples of tests/events are edited as trees, so that most inputs come past the JSON parser. Knows no
fuzzer: `tests/unit/test_fuzz.py` (hypothesis) and `soak.py` (atheris) choose the edits.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from osscopy import events
from osscopy.model import Bulk, Continue, Copy, Destination, Problem, Refused, Remove, Rule, RuleSource
from osscopy.plan import keys

PAYLOADS = Path(__file__).parents[1] / "events"
SAMPLES = tuple(json.loads(path.read_bytes()) for path in sorted(PAYLOADS.glob("*.json")))
_TEXTS = tuple(json.dumps(sample) for sample in SAMPLES)
ARRIVAL = events.Arrival("req-1", datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc))
RULES = (
    Rule(source=RuleSource("src-bucket", "in/"), destination=Destination("dst-bucket", "out/{name}")),
    Rule(
        source=RuleSource("src-bucket", "", ".bin"),
        destination=Destination("dst-bucket", "{date@+08:00:%Y}/{key}"),
    ),
)

WORDS = (
    *("source", "destination", "bucket", "key", "events", "oss", "object", "data", "specversion", "type"),
    *(
        "payload",
        "triggerName",
        "triggerTime",
        "continuation",
        "command",
        "version",
        "requestContext",
        "http",
    ),
    *("headers", "body", "isBase64Encoded", "queryParameters", "rawPath", "action", "prefix", "manifest"),
    *("metadata", "user", "tags", "tuning", "partSize", "conditions", "eTag", "job", "pin", "upload", "id"),
    *(
        "size",
        "parts",
        "lanes",
        "lane",
        "hop",
        "trafficLimit",
        "versionId",
        "alternative",
        "alternatives",
        "step",
        "time",
    ),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 10_000, 1 << 31, 1 << 53, 1 << 63, 1 << 64, 10**40, 0.5, 1e300, [], {}),
    *("", "copy", "none", "never", "continue", "start", "src-bucket", "dst-bucket", "in/a.bin", ".", ".."),
    *("{key}", "{name}", "{", "}", "{{", "{0}", "{key!r}", "{key:>99}", "{date:%Y}", "{date}", "{date:%}"),
    *(
        "{date:%Q}",
        "{date:%-d}",
        "{date:\x00}",
        "{date@+08:00:%F}",
        "{date@-14:59:%j}",
        "{date@Asia/Shanghai:%H}",
    ),
    *("{date@America:%Y}", "{date@../etc/passwd:%Y}", "{date@/etc:%Y}", "{date@UTC:%G}", "{dir}", "{ext}"),
    *(
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-11-22T10:00:00+23:59",
        "2026-02-30T00:00:00Z",
        "now",
    ),
    *(
        "a\r\nx: y",
        "\x00",
        "\x7f",
        " lead",
        "trail ",
        "é" * 600,
        "x" * 1024,
        "x" * 9000,
        "备份",
        "😀",
        "\u2028",
    ),
    *(
        "%",
        "%41",
        "%ff",
        "%00",
        "%2e%2e",
        "in/%00",
        "in/%C3%A9",
        "+",
        "a/../b",
        "\\",
        "http://x",
        "x&uploads",
    ),
    *("64MiB", "5GiB", "5TiB", "٣MiB", "0", "1e9", "c-" + "0" * 32, "ObjectCreated:PutObject", "acs.oss"),
    *("oss:ObjectCreated:PutObject", '"', '{"a":', "[{}]", "AAAA", "A", "Sun, 22 Nov 2026 10:00:00 GMT"),
)


class Edit(NamedTuple):
    """One change of a tree; `at` picks the node, `what` and `other` the word or value."""

    kind: int
    at: int
    what: int
    other: int = 0


def event_of(entropy: bytes) -> bytes:
    """The input that these bytes stand for: raw bytes, or a sample after some edits, perhaps spoilt.

    Any bytes stand for one, and near bytes for near inputs, which is what a fuzzer needs.
    """
    if len(entropy) < 2 or entropy[0] < 24:
        return entropy[1:]
    numbers = [int.from_bytes(entropy[at : at + 2], "big") for at in range(2, len(entropy) - 1, 2)]
    edits = [Edit(*numbers[at : at + 4]) for at in range(0, len(numbers) - 3, 4)]
    event = edited(entropy[1], edits)
    if entropy[0] < 56 and numbers:
        at = numbers[-1] % (len(event) + 1)
        return event[:at] + entropy[-3:] + event[at + entropy[0] % 8 :]
    return event


def edited(sample: int, edits: Sequence[Edit] = ()) -> bytes:
    """The sample after the edits, as JSON."""
    tree = json.loads(_TEXTS[sample % len(_TEXTS)])
    for edit in edits:
        tree = change(tree, edit)
    is_ascii = bool(edits) and edits[0].what % 2 == 0
    return json.dumps(tree, ensure_ascii=is_ascii).encode()


def change(tree: Any, edit: Edit) -> Any:
    if not isinstance(tree, (dict, list)):
        return VALUES[edit.what % len(VALUES)]
    places = list(_places(tree))
    if not places:
        return VALUES[edit.what % len(VALUES)]
    holder, name = places[edit.at % len(places)]
    value = VALUES[edit.what % len(VALUES)]
    match edit.kind % 8:
        case 0 | 1:
            holder[name] = value
        case 2:
            del holder[name]
        case 3 if isinstance(holder, dict):
            holder[WORDS[edit.other % len(WORDS)]] = holder.pop(name)
        case 4 if isinstance(holder, dict):
            holder[WORDS[edit.other % len(WORDS)]] = value
        case 5 if isinstance(holder[name], str):
            text = holder[name]
            cut = edit.other % (len(text) + 1)
            holder[name] = text[:cut] + str(value) + text[cut:]
        case 6:
            holder[name] = [holder[name], value]
        case _:
            holder[name] = json.loads(_TEXTS[edit.other % len(_TEXTS)])
    return tree


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    for name, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, name
        if isinstance(value, (dict, list)):
            yield from _places(value)


# --- what must be true -------------------------------------------------------------------------------------


def judge(event: bytes) -> str:
    """Parse `event`; what it ended as. AssertionError, or what the parser lets out, is a finding."""
    with watched():
        try:
            parsed = events.parse(event, ARRIVAL, RULES)
        except Refused as error:
            return _judge_refusal(error)
        if isinstance(parsed, events.HttpCall):
            return _judge_call(parsed)
        if not isinstance(parsed, events.Batch):
            return "action"
        for item in parsed.items:
            if isinstance(item, Refused):
                _judge_refusal(item)
            else:
                judge_command(item)
        assert parsed.many or len(parsed.items) == 1
        return "batch"


def _judge_refusal(error: Refused) -> str:
    assert error.code.isalpha()
    assert error.message
    assert not error.retryable
    msgspec.json.encode(Problem.of(error))
    return "refused"


def _judge_call(call: events.HttpCall) -> str:
    assert all(call.header(name.upper()) is not None for name in call.headers if name.isascii())
    assert all(isinstance(value, str) for name in call.query_parameters for value in call.query(name))
    assert call.segments
    try:
        body = call.body.encode()
        judge_command(events.read_request(body, "http:1", ARRIVAL.now, ARRIVAL))
    except Refused as error:
        _judge_refusal(error)
    return "http"


def judge_command(command: Copy | Continue | Bulk | Remove) -> None:
    if isinstance(command, Bulk | Remove):
        (item,) = events.parse(events.encode(command), ARRIVAL, ()).items  # type: ignore[union-attr]  # it is one
        assert item == command
        return
    request = command.request
    for place in (request.source, request.destination):
        keys.check_bucket(place.bucket, "bucket")
        keys.check_key(place.key, "key")
    assert not set(request.source.version_id or "") & set("&?=#%\r\n \0")
    try:
        again = events.parse(events.encode(command), ARRIVAL, ())
    except Refused as error:
        assert error.code == "RequestTooLarge", (error, command)
        return
    assert isinstance(again, events.Batch)
    assert again.items == (command,)


_watching = [False]


def _watch(event: str, _: object) -> None:
    if _watching[0] and event.startswith(("socket.", "subprocess.", "os.system", "urllib.")):
        raise AssertionError(f"parsing asked the world: {event}")


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Whoever opens a connection or starts a program meanwhile fails."""
    if not hasattr(sys, "_oss_copy_watched"):
        sys.addaudithook(_watch)
        sys._oss_copy_watched = True  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way to it
    _watching[0] = True
    try:
        yield
    finally:
        _watching[0] = False
