"""What of the layer's build can be told without a package index."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from layers.sdk import build

ROOT = Path(__file__).parents[2]


def _write(directory: Path, *names: str) -> Path:
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return directory


def _hash(archive: Path) -> str:
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def test_the_same_files_give_the_same_archive_whenever_and_in_whatever_order_they_came(
    tmp_path: Path,
) -> None:
    one = _write(tmp_path / "one", "oss2/api.py", "six.py", "a/b.py")
    other = _write(tmp_path / "other", "a/b.py", "six.py", "oss2/api.py")
    os.utime(other / "six.py", (1, 1))
    (other / "six.py").chmod(0o700)
    for directory in (one, other):
        build.pack(directory, directory.with_suffix(".zip"), build.EARLIEST)
    assert _hash(one.with_suffix(".zip")) == _hash(other.with_suffix(".zip"))


def test_the_archive_unzips_to_python_with_files_everybody_may_read(tmp_path: Path) -> None:
    build.pack(_write(tmp_path / "x", "oss2/api.py", "six.py"), tmp_path / "x.zip", build.EARLIEST)
    with zipfile.ZipFile(tmp_path / "x.zip") as packed:
        entries = packed.infolist()
    assert [entry.filename for entry in entries] == ["python/oss2/api.py", "python/six.py"]
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}


def test_what_another_python_needs_and_what_tells_of_this_machine_is_left_out(tmp_path: Path) -> None:
    kept = ["Crypto/x.abi3.so", "crcmod/_x.cpython-312-x86_64-linux-gnu.so", "oss2.dist-info/METADATA"]
    gone = ["bin/jp.py", "oss2.dist-info/RECORD", "six.dist-info/INSTALLER", ".lock", "a/__pycache__/a.pyc"]
    foreign = "crcmod/_x.cpython-311-x86_64-linux-gnu.so"
    _write(tmp_path, *kept, *gone, foreign)
    assert build.prune(tmp_path, "3.12") == [foreign]
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == kept


def test_a_module_that_needs_a_newer_glibc_than_the_runtime_s_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "x.so").write_bytes(b"\x7fELF GLIBC_2.2.5\0GLIBC_2.34\0")
    assert build.newest_glibc((tmp_path / "x.so").read_bytes()) == (2, 34)
    build.check_glibc(tmp_path, (2, 34))
    with pytest.raises(SystemExit, match=r"x\.so needs glibc 2\.34, the runtime has 2\.31"):
        build.check_glibc(tmp_path, (2, 31))


def test_a_module_that_names_no_version_of_glibc_needs_none() -> None:
    assert build.newest_glibc(b"\x7fELF") == (0, 0)


def test_an_interpreter_is_only_found_if_it_runs_as_that_version() -> None:
    assert build.find_interpreter(f"{sys.version_info[0]}.{sys.version_info[1]}") == sys.executable
    assert build.find_interpreter("3.1") is None


def test_one_entry_of_a_lock_file_is_picked_with_its_hashes() -> None:
    lock = "a==1 \\\n    --hash=x\ncrcmod==1.7 \\\n    --hash=y\n    # via oss2\ncrcmod-plus==2\n"
    chosen, others = build.pick(lock, "crcmod")
    assert chosen == "crcmod==1.7 \\\n    --hash=y\n    # via oss2\n"
    assert others == lock.replace(chosen, "")


def test_the_sdists_are_all_pinned() -> None:
    lock = (build.HERE / "requirements.txt").read_text(encoding="utf-8")
    assert set(build.SDISTS) <= set(re.findall(r"(?m)^([a-z0-9-]+)==", lock))


LOCKS = [
    ROOT / "layers/sdk/requirements.txt",
    *sorted(ROOT.glob("requirements*.txt")),
    *sorted(ROOT.glob("tests/*/requirements*.txt")),
]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_pin_has_hashes_and_none_comes_from_anywhere_else(lock: Path) -> None:
    """An index that is taken over can give nothing that was not locked."""
    text = lock.read_text(encoding="utf-8")
    found = build.entries(text)
    assert found
    assert [name for name, _, hashes in found if not hashes] == []
    pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pins) == len(found), "a line that is no pin"
    assert not re.search(r"(?m)://|--(extra-)?index|--find-links|-e ", re.sub(r"(?m)#.*$", "", text))


def test_only_what_has_no_wheel_is_built_from_its_sdist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What builds runs its author's code on the deployer's machine."""
    commands: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command))
    build.install(tmp_path, "3.12", sys.executable)
    assert build.SDISTS == ("alibabacloud-tea", "aliyun-fc2", "crcmod", "oss2")
    for command in commands:
        assert command[command.index("--only-binary") + 1] == ":all:"
        assert "--require-hashes" in command
        built = [command[at + 1] for at, word in enumerate(command) if word == "--no-binary"]
        assert tuple(built) == build.SDISTS
    names = {name for name, _, _ in build.entries(LOCKS[0].read_text(encoding="utf-8"))}
    assert set(build.SDISTS) <= names


def test_the_bill_of_materials_names_every_package_and_is_the_same_each_time() -> None:
    lock = LOCKS[0].read_text(encoding="utf-8")
    bill = json.loads(build.bill(lock, "3.12"))
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    pinned = {f"pkg:pypi/{name}@{version}" for name, version, _ in build.entries(lock)}
    assert {each["purl"] for each in bill["components"]} == pinned
    assert all(each["externalReferences"][0]["hashes"] for each in bill["components"])
    assert build.bill(lock, "3.12") == build.bill(lock, "3.12") != build.bill(lock, "3.10")
