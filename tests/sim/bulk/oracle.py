"""What must be true of a schedule: rows against what the listings could have shown. Imports no product."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.sim.bulk import deletion
from tests.sim.bulk.scenario import is_copied
from tests.unit.engine import DST, SRC

if TYPE_CHECKING:
    from tests.sim.bulk.scheduler import Schedule

COUNTS = {"copied": "succeeded", "skipped": "skipped", "failed": "failed", "missing": "missing"}
NO_REPORT = {"EmptySource", "NoSuchBucket"}
KEPT = ("done/", "cancel/", "turn/", "key/", "gen/l-")  # records that stay


def judge(schedule: Schedule) -> list[str]:
    """Return what is wrong."""
    found = list(schedule.violations)
    found += [f"left behind: {name}" for name in _open(schedule)]
    found += [f"open upload: {name}" for name in schedule.cloud.uploads]
    record = schedule.cloud.records.get(f"done/{schedule.job}")
    if not schedule.is_begun:
        return found
    if record is None:
        return [*found, "it has no end"]
    result = json.loads(record[1])["result"]
    code = (result["error"] or {}).get("code")
    if code in NO_REPORT:
        return found
    table, deletions = parted(rows(schedule))
    if schedule.scenario.delete:
        found += deletion.judge(schedule, table, deletions, code)
        if deletion.lied(schedule):  # what a listing hides has no row
            return found
    is_whole = result["status"] != "cancelled" and code in {None, "ObjectsFailed"}
    found += _all_have_a_row(schedule, table, is_whole=is_whole)
    found += _counts_are_told(result, table, deletions)
    found += _failures_stop(schedule, table, code, is_whole=is_whole)
    found += [wrong for row in table for wrong in _row(schedule, row)]
    if schedule.cancelled_at is None and schedule.scenario.overwrite != "never":
        found += _nothing_is_stale(schedule, table)
    return found + _work(schedule)


def outcome(schedule: Schedule) -> str:
    """Return how a job has ended."""
    record = schedule.cloud.records.get(f"done/{schedule.job}")
    if record is None:
        return "never begun"
    result = json.loads(record[1])["result"]
    status: str = result["status"]
    return f"{status} {result['error']['code']}" if result["error"] else status


def _open(schedule: Schedule) -> list[str]:
    return sorted(name for name in schedule.cloud.records if not name.startswith(KEPT))[:8]


def rows(schedule: Schedule) -> list[dict[str, str]]:
    """All rows of the report, file by file as its manifest names them; keys without the prefix."""
    files = schedule.cloud.files
    found: list[dict[str, str]] = []
    for file in json.loads(files[f"r/{schedule.job}/manifest.json"])["files"]:
        text = gzip.decompress(files[file["key"]]).decode()
        table = list(csv.DictReader(io.StringIO(text, newline="")))
        found += table if len(table) == file["rows"] else [*table, {"key": "", "status": "miscounted"}]
    for row in found:
        row["key"] = unquote(row["key"]).removeprefix("in/")
    return found


def _all_have_a_row(schedule: Schedule, table: list[dict[str, str]], *, is_whole: bool) -> list[str]:
    """A line has one row; a key has one, if it was there all the time, and none, if it never was."""
    keys, listed = Counter(row["key"] for row in table), Counter(schedule.scenario.lines)
    most = listed if schedule.scenario.form else Counter(dict.fromkeys(schedule.ever, 1))
    taken = [key for key in schedule.always if is_copied(schedule.scenario, key)]
    least = listed if schedule.scenario.form else Counter(dict.fromkeys(taken, 1))
    found = [f"too many rows: {dict(keys - most)}"] if keys - most else []
    return found + ([f"no row: {dict(least - keys)}"] if is_whole and least - keys else [])


def parted(table: list[dict[str, str]]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The rows of a report, and those of its deletions."""
    deletions = [row for row in table if row["status"] in {"deleted", "kept"}]
    return [row for row in table if row not in deletions], deletions


def _counts_are_told(
    result: dict[str, Any], table: list[dict[str, str]], deletions: list[dict[str, str]]
) -> list[str]:
    counts = Counter(COUNTS.get(row["status"], row["status"]) for row in (*table, *deletions))
    told = {name: count for name, count in result["objects"].items() if count and name != "total"}
    if told != dict(counts) or result["objects"]["total"] != len(table):
        return [f"told {result['objects']}, rows {dict(counts)}"]
    return []


def _failures_stop(
    schedule: Schedule, table: list[dict[str, str]], code: str | None, *, is_whole: bool
) -> list[str]:
    """More failures than are allowed stop the job; those of chains do not count.

    Nothing less does, but where the rows of an entry are lost with its hop.
    """
    failed = sum(row["status"] == "failed" and not row["copy"] for row in table)
    is_more = failed > schedule.scenario.max_failures
    is_stopped = code == "TooManyFailures" and not schedule.struck
    if (is_more and is_whole) or (not is_more and is_stopped):
        return [f"{failed} have failed, {schedule.scenario.max_failures} may: {code}"]
    return []


def _row(schedule: Schedule, row: dict[str, str]) -> list[str]:
    """Return what is wrong with one row, as far as the end shows it."""
    key = row["key"]
    shown = schedule.cloud.objects.get((DST, f"out/{key}"))
    if shown is None and "vanishes" in schedule.scenario.happens:
        return []  # somebody else has deleted it
    match row["status"]:
        case "copied" if shown is None:
            return [f"{key} is copied and not there"]
        case "copied" if shown is not None and shown.head.crc64 not in schedule.versions[key] | {"8", "9"}:
            return [f"{key} is copied and shows {shown.head.crc64}"]
        case "missing" if key in schedule.always:
            return [f"{key} is missing and was always there"]
        case "failed" if row["errorCode"] == "cancelled" and schedule.cancelled_at is None:
            return [f"{key} was cancelled by nobody"]
        case "failed" if row["errorCode"] == "BadLine" and key:
            return [f"{key} is no bad line"]
        case "skipped" if shown is None:
            return [f"{key} is skipped for nothing"]
    return []


def _nothing_is_stale(schedule: Schedule, table: list[dict[str, str]]) -> list[str]:
    """No older copy of ours stays on top of a newer one; chains have an engine of their own."""
    chains, found = {row["key"] for row in table if row["copy"]}, []
    for place, wrote in schedule.cloud.wrote.items():
        key = place.removeprefix("out/")
        ours = [int(each.crc64) for each in itertools.takewhile(lambda each: each.is_ours, reversed(wrote))]
        source = schedule.cloud.objects.get((SRC, f"in/{key}"))
        is_older = bool(ours) and ours[0] < max(ours) and source is not None
        if is_older and source and int(source.head.crc64 or 0) > ours[0] and key not in chains:
            found.append(f"{key} is stale: it shows {ours[0]} after {max(ours)}")
    return found


def _work(schedule: Schedule) -> list[str]:
    """Where nothing but doubled deliveries came, each object is copied once, or once a line."""
    is_calm = set(schedule.struck) <= {"twice"} and not schedule.scenario.happens
    if not is_calm:
        return []
    may = Counter(schedule.scenario.lines) if schedule.scenario.form else Counter(schedule.ever)
    copies = {key.removeprefix("out/"): count for key, count in schedule.cloud.copies.items()}
    often = {key: count for key, count in copies.items() if count > may[key]}
    return [f"copied more than once: {often}"] if often else []
