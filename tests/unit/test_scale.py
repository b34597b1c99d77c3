"""The synthetic OSS of the measurement at scale: what it lists, and that a lost or doubled row is seen."""

from __future__ import annotations

import gzip
from pathlib import Path
from urllib.parse import quote

import pytest

from osscopy.model import Failed
from tests.bench import scale


@pytest.mark.parametrize("after", ["", "data/", "data/000000000499.parquet", "data/0000000004995", "data/1"])
def test_pages_go_on_wherever_they_are_cut(tmp_path: Path, after: str) -> None:
    objects = scale.MadeObjects(2345, tmp_path)
    every = [f"data/{number:012}.parquet" for number in range(2345)]
    left = [key for key in every if key > after]
    page = objects.page("b", "data/", after, 1000)
    assert [each.key for each in page.objects] == left[:1000]
    assert page.more == (len(left) > 1000)


def test_a_second_sync_counts_each_key_and_a_row_that_lacks_is_seen(tmp_path: Path) -> None:
    told = scale.run(tmp_path, 12_500, 2)
    assert (told["status"], told["objects"]["skipped"], told["objects"]["total"]) == (
        "succeeded",
        12_500,
        12_500,
    )
    scale.check(tmp_path, 12_500)
    (file, *_) = (each for each in (tmp_path / "reports").iterdir() if quote("rows-", safe="") in each.name)
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join([*lines[:-1], lines[-2]])))
    with pytest.raises(Failed, match="Miscounted"):
        scale.check(tmp_path, 12_500)
