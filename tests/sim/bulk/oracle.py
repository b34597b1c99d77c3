"""What must be true of a schedule: rows against what the listings could have shown. Imports no product."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.unit.engine import DST

if TYPE_CHECKING:
    from tests.sim.bulk.scheduler import Schedule

COUNTS = {"copied": "succeeded", "skipped": "skipped", "failed": "failed", "missing": "missing"}


def judge(schedule: Schedule) -> list[str]:
    """Return what is wrong."""
    found = list(schedule.violations)
    record = schedule.cloud.records.get(f"done/{schedule.job}")
    if not schedule.is_begun:
        return found + [f"left behind: {left}" for left in _open(schedule)]
    if record is None:
        return [*found, f"it has no end: {_open(schedule)}"]
    result = json.loads(record[1])["result"]
    if result["error"] is not None and result["error"]["code"] in {"EmptySource", "NoSuchBucket"}:
        return found
    found += _rows_are_right(schedule, result)
    if left := _open(schedule):
        found.append(f"left behind: {left}")
    if schedule.cloud.uploads:
        found.append(f"open uploads: {list(schedule.cloud.uploads)}")
    return found + _work(schedule)


def _open(schedule: Schedule) -> list[str]:
    kept = ("done/", "cancel/", "turn/", "key/", "gen/l-")
    return sorted(name for name in schedule.cloud.records if not name.startswith(kept))[:8]


def rows(schedule: Schedule) -> list[dict[str, str]]:
    """All rows of the report, file by file as its manifest names them."""
    files = schedule.cloud.files
    (name,) = [each for each in files if each.endswith("manifest.json")]
    found: list[dict[str, str]] = []
    for file in json.loads(files[name])["files"]:
        text = gzip.decompress(files[file["key"]]).decode()
        table = list(csv.DictReader(io.StringIO(text, newline="")))
        found += table if len(table) == file["rows"] else [*table, {"key": "", "status": "miscounted"}]
    return found


def _rows_are_right(schedule: Schedule, result: dict[str, Any]) -> list[str]:
    found: list[str] = []
    table = rows(schedule)
    keys = Counter(unquote(row["key"]).removeprefix("in/") for row in table)
    if twice := [key for key, count in keys.items() if count > 1]:
        found.append(f"more than one row: {twice}")
    if strangers := keys.keys() - schedule.ever:
        found.append(f"rows of what never was there: {strangers}")
    is_whole = result["status"] != "cancelled"
    if is_whole and (lost := schedule.always - keys.keys()):
        found.append(f"no row: {lost}")
    counts = Counter(COUNTS.get(row["status"], row["status"]) for row in table)
    told = {name: count for name, count in result["objects"].items() if count and name != "total"}
    if told != dict(counts) or result["objects"]["total"] != len(table):
        found.append(f"told {result['objects']}, rows {dict(counts)}")
    return found + [wrong for row in table for wrong in _row(schedule, row)]


def _row(schedule: Schedule, row: dict[str, str]) -> list[str]:
    """Return what is wrong with one row, as far as the end shows it."""
    key = unquote(row["key"]).removeprefix("in/")
    shown = schedule.cloud.objects.get((DST, f"out/{key}"))
    match row["status"]:
        case "copied" if shown is None:
            return [f"{key} is copied and not there"]
        case "copied" if shown is not None and shown.head.crc64 not in schedule.versions[key] | {"8"}:
            return [f"{key} is copied and shows {shown.head.crc64}"]
        case "missing" if key in schedule.always:
            return [f"{key} is missing and was always there"]
        case "failed" if row["errorCode"] == "cancelled" and schedule.cancelled_at is None:
            return [f"{key} was cancelled by nobody"]
        case "skipped" if shown is None:
            return [f"{key} is skipped for nothing"]
    return []


def _work(schedule: Schedule) -> list[str]:
    """Where nothing but doubled deliveries came, each object is copied once."""
    is_calm = set(schedule.struck) <= {"twice"} and not schedule.scenario.happens
    if not is_calm or any(name.startswith("gen/") for name in schedule.cloud.records):
        return []
    often = {key: count for key, count in schedule.cloud.copies.items() if count > 1}
    return [f"copied more than once: {often}"] if often else []
