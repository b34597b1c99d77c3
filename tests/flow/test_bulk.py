"""Jobs of many objects through the real handler, real SDKs and the local cloud."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
from collections import Counter
from typing import Any
from urllib.parse import quote, unquote

import oss2
import pytest

from osscopy.model import MIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    DESTINATION,
    SOURCE,
    STATE,
    answers,
    count_requests,
    expect_no_upload,
    open_uploads,
    records,
    status,
    until,
)

ODD = tuple(
    dict.fromkeys(
        (
            *(
                "=1+1",
                "+1",
                "-1",
                "@a",
                "a b",
                "a+b",
                "%41",
                "a%20b",
                'a"b',
                "a,b",
                "a;b",
                "a'b",
                "a\tb",
                "a\rb",
                "a\nb",
            ),
            *(
                "中文/文件",
                "é",
                "e\u0301",
                "🚀",
                "a&b<c>",
                "a?b#c",
                "..a",
                "a//b",
                "a/./b",
                "~",
                "!",
                "$(x)",
                "`x`",
                "{name}",
            ),
            *(f"a{chr(number)}b" for number in range(1, 32)),
            *(f"{chr(number)}x" for number in range(33, 127) if chr(number) not in "/\\"),
        )
    )
)


def bulk(prefix: str, **options: Any) -> dict[str, Any]:
    return {
        "source": {"bucket": SOURCE, "prefix": prefix},
        "destination": {"bucket": DESTINATION, "prefix": f"copied/{prefix}"},
        "encryption": "bucket",
        "tuning": {"partSize": "1MiB"},
        **options,
    }


def ended(cloud: LocalCloud, job: str) -> dict[str, Any]:
    """The result of a job; what is delayed is delivered at once."""

    def is_over() -> bool:
        cloud.hurry()
        return bool(status(cloud, job).get("status", "running") != "running")  # a look may be killed, too

    until(is_over)
    cloud.wait_idle()
    return status(cloud, job)


def in_the_next_second() -> None:
    """Wait, since dates have whole seconds: what was written in that of a job's start counts as its own."""
    begun = time.time()
    until(lambda: time.time() >= begun + 1)


def rows(cloud: LocalCloud, result: dict[str, Any], *, deletes: bool = False) -> list[dict[str, str]]:
    """All rows of a report, as its manifest names them."""
    place = result["report"]
    bucket = cloud.oss_bucket(place["bucket"])
    listed = json.loads(bucket.get_object(place["prefix"] + "manifest.json").read())
    found: list[dict[str, str]] = []
    for file in listed["files"]:
        text = gzip.decompress(bucket.get_object(file["key"]).read()).decode()
        table = list(csv.DictReader(io.StringIO(text, newline="")))
        assert len(table) == file["rows"]
        found += table
    assert listed["objects"] == result["objects"]
    apart = ("deleted", "kept") if deletes else ()
    assert len(found) == sum(listed["objects"][name] for name in ("total", "wouldDelete", *apart))
    return found


def keys_of(bucket: Any, prefix: str) -> set[str]:
    return {each.key.removeprefix(prefix) for each in oss2.ObjectIteratorV2(bucket, prefix=prefix)}


def fill(cloud: LocalCloud, prefix: str, count: int) -> set[str]:
    """Objects of mixed kind: small ones, large ones, folder markers, symlinks, metadata and tags."""
    bucket = cloud.oss_bucket(SOURCE)
    for number in range(count):
        headers = (
            {"x-oss-meta-number": str(number), "x-oss-tagging": f"n={number}"} if number % 7 == 0 else {}
        )
        bucket.put_object(f"{prefix}{number % 5}/{number:04}", str(number), headers=headers)
    bucket.put_object(f"{prefix}folder/", b"")
    bucket.put_symlink(f"{prefix}0/0000", f"{prefix}link")
    cloud.seed(SOURCE, f"{prefix}large", 5 * MIB, seed=3)
    return keys_of(bucket, prefix)


@pytest.mark.parametrize("way", ["http", "timer", "direct"])
def test_a_prefix_is_copied_and_every_object_has_its_row(cloud: LocalCloud, way: str) -> None:
    prefix = f"many-{way}/"
    wanted = fill(cloud, prefix, 100)
    match way:
        case "http":
            answer = cloud.http("POST", "/copies", json_body=bulk(prefix))
            assert answer.status_code == 202
            job = answer.json()["job"]
            assert answer.headers["location"] == f"/copies/{job}"
        case "timer":
            cloud.fire("timer", json.dumps(bulk(prefix)))
            cloud.wait_idle()
            (job,) = [each["job"] for each in answers(cloud.invocations(trigger="timer"))][-1:]
        case _:
            job = cloud.invoke(bulk(prefix))["job"]
    result = ended(cloud, job)
    assert result["status"] == "succeeded", result
    assert result["objects"]["succeeded"] == len(wanted)
    assert {unquote(row["key"]).removeprefix(prefix) for row in rows(cloud, result)} == wanted
    destination = cloud.oss_bucket(DESTINATION)
    assert keys_of(destination, f"copied/{prefix}") == wanted
    assert destination.head_object(f"copied/{prefix}0/0035").headers["x-oss-meta-number"] == "35"
    assert open_uploads(destination, "copied/") == []


def test_a_second_time_nothing_is_copied_and_few_requests_are_made(cloud: LocalCloud) -> None:
    wanted = fill(cloud, "again/", 120)
    first = ended(cloud, cloud.invoke(bulk("again/"))["job"])
    assert first["objects"]["succeeded"] == len(wanted)
    in_the_next_second()
    copies, asked = count_requests(cloud, "CopyObject"), count_requests(cloud)
    second = ended(cloud, cloud.invoke(bulk("again/"))["job"])
    assert (second["objects"]["skipped"], second["objects"]["succeeded"]) == (len(wanted), 0)
    assert count_requests(cloud, "CopyObject") == copies
    assert count_requests(cloud) - asked < len(wanted)


def summary(cloud: LocalCloud, result: dict[str, Any]) -> dict[str, Any]:
    place = result["report"]
    found: dict[str, Any] = json.loads(
        cloud.oss_bucket(place["bucket"]).get_object(place["prefix"] + "summary.json").read()
    )
    return found


def test_the_summary_counts_what_the_walkers_have_sent(cloud: LocalCloud) -> None:
    bucket = cloud.oss_bucket(SOURCE)
    for number in range(60):
        bucket.put_object(f"summed/{number:02}", str(number))
    copies, heads = count_requests(cloud, "CopyObject"), count_requests(cloud, "HeadObject")
    result = ended(cloud, cloud.invoke(bulk("summed/", encryption="keep"))["job"])
    found = summary(cloud, result)
    assert {name: found[name] for name in result if name in found} == result
    put, get = count_requests(cloud, "CopyObject") - copies, count_requests(cloud, "HeadObject") - heads
    assert put == 60
    assert put <= found["requests"]["put"] <= put + 30
    assert get <= found["requests"]["get"] <= get + 30
    assert found["cost"] is None
    assert len(found["notes"]) == 2
    assert found["slowest"][0]["objects"] == 60
    own = [each for each in cloud.invocations(trigger="api") if result["job"] in each["event"]]
    assert 1 <= found["invocations"] <= 1 + len(own)  # those after the walk have no entry that tells
    assert found["seconds"] > 0


def test_a_change_of_headers_is_copied_at_the_rate_that_was_asked_for(cloud: LocalCloud) -> None:
    bucket = cloud.oss_bucket(SOURCE)
    for number in range(12):
        bucket.put_object(f"headers/{number:02}", str(number))
    ended(cloud, cloud.invoke(bulk("headers/"))["job"])
    in_the_next_second()
    bucket.put_object("headers/03", "3", headers={"Content-Type": "text/x-other"})
    in_the_next_second()
    blind = ended(cloud, cloud.invoke(bulk("headers/"))["job"])
    assert blind["objects"]["skipped"] == 12
    sees = ended(cloud, cloud.invoke(bulk("headers/", compare="metadata"))["job"])
    assert (sees["objects"]["succeeded"], sees["objects"]["skipped"]) == (1, 11)
    copied = cloud.oss_bucket(DESTINATION).head_object("copied/headers/03")
    assert copied.headers["Content-Type"] == "text/x-other"
    slow = ended(cloud, cloud.invoke(bulk("headers/", overwrite="always", maxRate=5))["job"])
    assert slow["objects"]["succeeded"] == 12
    assert summary(cloud, slow)["seconds"] >= 2


def test_a_dry_run_shows_what_its_report_then_does(cloud: LocalCloud) -> None:
    source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
    wanted = fill(cloud, "shown/", 20)
    destination.put_object("copied/shown/0/0000", "0")
    before = records(cloud)
    shown = ended(cloud, cloud.invoke(bulk("shown/", dryRun=True))["job"])
    assert (shown["status"], shown["objects"]["wouldCopy"]) == ("succeeded", len(wanted) - 1)
    assert shown["would"]["requests"]["put"] >= len(wanted)
    assert keys_of(destination, "copied/shown/") == {"0/0000"}
    assert {each.split("/")[0] for each in records(cloud) - before} == {"bulk", "done", "reports"}
    planned = {row["key"] for row in rows(cloud, shown) if row["status"] == "wouldCopy"}
    destination.put_object("copied/shown/gone", "x")
    mirror = ended(cloud, cloud.invoke(bulk("shown/", dryRun=True, delete=True, maxDelete="50%"))["job"])
    assert [row["key"] for row in rows(cloud, mirror) if row["status"] == "wouldDelete"] == ["shown/gone"]
    assert mirror["objects"]["wouldCopy"] == len(planned)
    destination.delete_object("copied/shown/gone")
    source.put_object("shown/1/0001", "another")
    source.put_object("shown/new", "new")
    repeated = {
        "source": {"report": {"job": shown["job"], "status": "wouldCopy"}},
        "destination": {"bucket": DESTINATION},
        "tuning": {"partSize": "1MiB"},
    }
    answer = cloud.http("POST", "/copies", json_body=repeated)
    assert answer.status_code == 202, answer.text
    done = ended(cloud, answer.json()["job"])
    table = {row["key"]: row for row in rows(cloud, done)}
    assert set(table) == planned
    assert table.pop("shown/1/0001")["errorCode"] == "SourceChanged"
    assert {row["status"] for row in table.values()} == {"copied"}
    assert keys_of(destination, "copied/shown/") == wanted - {"1/0001"}


def test_a_check_finds_what_differs_and_writes_no_object(cloud: LocalCloud) -> None:
    source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
    wanted = fill(cloud, "checked/", 20)
    ended(cloud, cloud.invoke(bulk("checked/"))["job"])
    same = ended(cloud, cloud.invoke(bulk("checked/", mode="check", compare="metadata"))["job"])
    assert same["objects"] == {**dict.fromkeys(same["objects"], 0), "same": len(wanted), "total": len(wanted)}
    source.put_object("checked/only", "x")
    destination.put_object("copied/checked/theirs", "x")
    for name, other in {"1/0001": "2", "2/0002": "longer"}.items():
        destination.put_object(f"copied/checked/{name}", other)
    destination.put_object("copied/checked/3/0003", "3", headers={"x-oss-meta-a": "b"})
    destination.put_object_tagging("copied/checked/0/0000", tags("n", "other"))
    destination.put_symlink("elsewhere", "copied/checked/link")
    for name in ("Upper", "\u00e9"):
        source.put_object(f"checked/{name}", "x")
    for name in ("upper", "e\u0301"):
        destination.put_object(f"copied/checked/{name}", "x")
    before = keys_of(destination, "copied/checked/")
    found = ended(cloud, cloud.invoke(bulk("checked/", mode="check", compare="metadata"))["job"])
    told = {
        unquote(row["key"]).removeprefix("checked/"): f"{row['status']} {row['errorCode']}".strip()
        for row in rows(cloud, found)
        if row["status"] != "same"
    }
    assert told == {
        "only": "missing",
        "theirs": "superfluous",
        "1/0001": "different Bytes",
        "2/0002": "different Size",
        "3/0003": "different Headers",
        "0/0000": "different Tags",
        "link": "different Target",
        "Upper": "missing",
        "\u00e9": "missing",
        "upper": "superfluous",
        "e\u0301": "superfluous",
    }
    assert keys_of(destination, "copied/checked/") == before


def tags(name: str, value: str) -> oss2.models.Tagging:
    rule = oss2.models.TaggingRule()
    rule.add(name, value)
    return oss2.models.Tagging(rule)


def test_odd_keys_are_copied_and_read_back_from_the_report(cloud: LocalCloud) -> None:
    source = cloud.oss_bucket(SOURCE)
    for number, key in enumerate(ODD):
        source.put_object(f"odd/{key}", str(number))
    result = ended(cloud, cloud.invoke(bulk("odd/"))["job"])
    assert result["objects"] == {**result["objects"], "succeeded": len(ODD), "total": len(ODD)}
    table = rows(cloud, result)
    assert {unquote(row["key"]) for row in table} == {f"odd/{key}" for key in ODD}
    assert not [row for row in table if row["key"][:1] in "=+-@"]
    for number, key in enumerate(ODD):
        assert cloud.oss_bucket(DESTINATION).get_object(f"copied/odd/{key}").read() == str(number).encode()


def test_what_the_filters_and_the_allow_list_leave_out(cloud: LocalCloud) -> None:
    source = cloud.oss_bucket(SOURCE)
    for key in ("a.txt", "b.bin", "tmp/c.txt"):
        source.put_object(f"filtered/{key}", b"x")
    filters = {"include": ["**/*.txt"], "exclude": ["tmp/**"]}
    result = ended(cloud, cloud.invoke(bulk("filtered/", filters=filters))["job"])
    assert (result["objects"]["total"], result["excluded"]) == (1, 2)
    assert keys_of(cloud.oss_bucket(DESTINATION), "copied/filtered/") == {"a.txt"}


def test_failures_are_rows_and_too_many_of_them_stop_the_job(cloud: LocalCloud) -> None:
    source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
    for number in range(20):
        source.put_object(f"archived/{number:02}", b"x", headers={"x-oss-storage-class": "Archive"})
    source.put_object("archived/plain", b"x")
    result = ended(cloud, cloud.invoke(bulk("archived/"))["job"])
    assert (result["status"], result["error"]["code"]) == ("failed", "ObjectsFailed")
    assert (result["objects"]["failed"], result["objects"]["succeeded"]) == (20, 1)
    assert result["errors"] == {"InvalidObjectState": 20}
    place = result["report"]
    failed = gzip.decompress(cloud.oss_bucket(STATE).get_object(place["prefix"] + "failed.csv.gz").read())
    assert failed.count(b"InvalidObjectState") >= 20
    assert keys_of(destination, "copied/archived/") == {"plain"}
    failed_ones = cloud.http("POST", f"/copies/{result['job']}/resubmit", json_body={"only": "failed"})
    again = ended(cloud, failed_ones.json()["job"])
    assert (again["objects"]["failed"], again["objects"]["total"]) == (20, 20)
    repeated = {"source": {"report": {"job": result["job"]}}, "destination": {"bucket": DESTINATION}}
    third = ended(cloud, cloud.http("POST", "/copies", json_body=repeated).json()["job"])
    assert (third["objects"]["failed"], third["objects"]["total"]) == (20, 20)
    assert {row["destinationKey"] for row in rows(cloud, third)} == {
        f"copied/archived/{number:02}" for number in range(20)
    }
    in_the_next_second()
    skipped = ended(cloud, cloud.invoke(bulk("archived/", archive="skip"))["job"])
    assert skipped["objects"]["skipped"] == 21
    few = ended(cloud, cloud.invoke(bulk("archived/", maxFailures=5))["job"])
    assert few["error"]["code"] == "TooManyFailures"


def test_a_job_is_cancelled_with_its_chains(cloud: LocalCloud) -> None:
    for number in range(4):
        cloud.seed(SOURCE, f"slow/{number}", 20 * MIB, seed=number)
    cloud.conditions(bandwidth_mb_s=1.0)
    job = cloud.http("POST", "/copies", json_body=bulk("slow/")).json()["job"]
    destination = cloud.oss_bucket(DESTINATION)
    until(lambda: len(open_uploads(destination, "copied/slow/")) > 0)
    assert cloud.http("DELETE", f"/copies/{job}").status_code == 202
    assert cloud.http("POST", f"/copies/{job}/resubmit").status_code == 409
    result = ended(cloud, job)
    assert result["status"] == "cancelled", result
    expect_no_upload(cloud, "copied/slow/")
    assert keys_of(destination, "copied/slow/") == set()


def test_one_job_at_a_time_copies_between_two_places(cloud: LocalCloud) -> None:
    cloud.seed(SOURCE, "turns/large", 20 * MIB, seed=1)
    cloud.oss_bucket(SOURCE).put_object("turns/small", b"x")
    cloud.conditions(bandwidth_mb_s=2.0)
    job = cloud.http("POST", "/copies", json_body=bulk("turns/")).json()["job"]
    answer = cloud.http("POST", "/copies", json_body=bulk("turns/"))
    assert (answer.status_code, answer.headers["location"]) == (409, f"/copies/{job}")
    skipped = cloud.invoke(bulk("turns/"))
    assert (skipped["status"], skipped["error"]["code"]) == ("skipped", "AlreadyRunning")
    assert job in {each["job"] for each in cloud.http("GET", "/copies?status=running").json()["copies"]}
    until(lambda: status(cloud, job)["chains"] == 1)
    there = status(cloud, job)
    assert (there["etaSeconds"], there["etaAtLeast"]) == (0, True)  # one chain, whose pace nobody knows
    cloud.conditions()
    assert ended(cloud, job)["status"] == "succeeded"
    in_the_next_second()
    again = cloud.http("POST", f"/copies/{job}/resubmit")
    assert again.status_code == 202
    assert ended(cloud, again.json()["job"])["objects"]["skipped"] == 2


def test_a_request_that_is_repeated_under_one_key_is_one_job(cloud: LocalCloud) -> None:
    cloud.oss_bucket(SOURCE).put_object("keyed/a", b"x")
    headers = {"Idempotency-Key": "keyed"}
    jobs = {
        cloud.http("POST", "/copies", json_body=bulk("keyed/"), headers=headers).json()["job"] for _ in "ab"
    }
    assert len(jobs) == 1
    other = cloud.http("POST", "/copies", json_body=bulk("keyed/", overwrite="always"), headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "IdempotencyKeyReused")
    ended(cloud, jobs.pop())


def test_an_instance_that_is_killed_leaves_no_object_without_its_row(cloud: LocalCloud) -> None:
    wanted = fill(cloud, "killed/", 150)
    cloud.conditions(latency_ms=40)
    job = cloud.http("POST", "/copies", json_body=bulk("killed/")).json()["job"]
    destination = cloud.oss_bucket(DESTINATION)
    until(lambda: len(keys_of(destination, "copied/killed/")) > 20)
    walking = [each for each in cloud.invocations() if each["end"] is None]
    assert [cloud.kill(each["request_id"]) for each in walking] == [True]
    cloud.conditions()
    result = ended(cloud, job)
    counts = Counter(unquote(row["key"]).removeprefix("killed/") for row in rows(cloud, result))
    assert counts == dict.fromkeys(wanted, 1)
    assert keys_of(destination, "copied/killed/") == wanted


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_manifest_is_copied_line_by_line(cloud: LocalCloud, packed: bool) -> None:
    source, name = cloud.oss_bucket(SOURCE), f"list-{packed}"
    for key in ("a b", "c+d", "中文"):
        source.put_object(f"{name}/{key}", key.encode())
    cloud.seed(SOURCE, f"{name}/large", 5 * MIB, seed=2)
    keys = [f"{name}/{key}" for key in ("a b", "c+d", "中文", "large", "not-there", "a b")]
    lines = [f"{SOURCE},{quote(key)}" for key in keys] + ["no row", f"foreign-bucket,{name}"]
    text = ("bucket,key\r\n" + "\r\n".join(lines)).encode()
    source.put_object(f"{name}.csv", gzip.compress(text) if packed else text)
    asked = {
        "source": {"manifest": {"bucket": SOURCE, "key": f"{name}.csv"}},
        "destination": {"bucket": DESTINATION, "prefix": "listed/"},
        "encryption": "bucket",
        "tuning": {"partSize": "1MiB"},
    }
    result = ended(cloud, cloud.invoke(asked)["job"])
    table = [(unquote(row["key"]), row["status"], row["errorCode"]) for row in rows(cloud, result)]
    assert sorted(table) == sorted(
        [
            *((key, "copied", "") for key in keys if "not-there" not in key),
            (f"{name}/not-there", "missing", "NoSuchKey"),
            ("", "failed", "BadLine"),
            (name, "failed", "NotAllowed"),
        ]
    )
    destination = cloud.oss_bucket(DESTINATION)
    assert keys_of(destination, f"listed/{name}/") == {"a b", "c+d", "中文", "large"}


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"source": {"bucket": SOURCE, "prefix": "nothing-here/"}}, "EmptySource", "source.prefix"),
        ({"source": {"bucket": "foreign-bucket", "prefix": ""}}, "NotAllowed", "source"),
        ({"destination": {"bucket": "foreign-bucket", "prefix": ""}}, "NotAllowed", "destination"),
        ({"destination": {"bucket": SOURCE, "prefix": "bad/x/"}}, "InvalidField", "destination.prefix"),
        ({"destination": {"bucket": DESTINATION, "prefix": "x"}}, "InvalidField", "destination.prefix"),
        ({"destination": {"bucket": "no-such-bucket", "prefix": "x/"}}, "NoSuchBucket", "destination.bucket"),
        ({"source": {"bucket": "no-such-bucket", "prefix": "x/"}}, "NoSuchBucket", "source.bucket"),
        ({"report": {"bucket": "no-such-bucket"}}, "NoSuchBucket", "report.bucket"),
        ({"filters": {"include": []}}, "InvalidFilter", "filters.include"),
        ({"filters": {"minSize": "big"}}, "InvalidFilter", "filters.minSize"),
        ({"filters": {"modifiedAfter": "yesterday"}}, "InvalidFilter", "filters.modifiedAfter"),
        ({"maxWorkers": 99}, "InvalidField", "maxWorkers"),
        ({"maxFailures": -1}, "InvalidField", "maxFailures"),
        ({"overwrite": "maybe"}, "InvalidField", "overwrite"),
        ({"mode": "check", "dryRun": True}, "InvalidField", "dryRun"),
        ({"mode": "check", "overwrite": "never"}, "InvalidField", "overwrite"),
        ({"source": {"manifest": {"bucket": SOURCE, "key": "k"}}}, "NoSuchKey", "source.manifest"),
        ({"source": {"report": {"job": "b-1"}}}, "InvalidField", "source.report.job"),
        ({"source": {"report": {"job": "b-" + "0" * 32}}}, "NoSuchJob", "source.report.job"),
        ({"source": {"inventory": {"bucket": SOURCE, "key": "k"}}}, "NoSuchKey", "source.inventory"),
        ({"maxDelete": "10%"}, "InvalidField", "maxDelete"),
        ({"delete": True, "dryRun": True, "maxDelete": "ten"}, "InvalidField", "maxDelete"),
        (
            {"delete": True, "dryRun": True, "destination": {"bucket": DESTINATION}},
            "InvalidField",
            "destination.prefix",
        ),
        ({"report": {"bucket": STATE, "prefix": "oss-copy/done/"}}, "NotAllowed", "report.prefix"),
        ({"report": {"bucket": SOURCE, "prefix": "bad/reports/"}}, "NotAllowed", "source.prefix"),
        ({"filters": {"minSize": 2, "maxSize": 1}}, "InvalidFilter", "filters.maxSize"),
        ({"filters": {"storageClasses": ["ia"]}}, "InvalidField", "filters.storageClasses[0]"),
        ({"nonsense": 1}, "UnknownField", "nonsense"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    cloud: LocalCloud, changes: dict[str, Any], code: str, field: str
) -> None:
    cloud.oss_bucket(SOURCE).put_object("bad/a", b"x")
    before = records(cloud)
    result = cloud.invoke(bulk("bad/", **changes))
    assert (result["status"], result["error"]["code"], result["error"]["field"]) == ("failed", code, field)
    new = {each for each in records(cloud) - before if not each.startswith("turn/")}
    assert new == set()
    assert keys_of(cloud.oss_bucket(DESTINATION), "copied/bad/") == set()
