"""Build the layer that holds the function's runtime dependencies: `make layer [ARGS="--python 3.10"]`.

Installs what `requirements.txt` pins, hashes checked, into `../sdk-<python>/python/` and packs that as
`../sdk-<python>.zip`, which `oss-copy deploy` publishes. Wheels are those for manylinux2014, since the
runtimes have an old glibc. The few packages that exist as sdists only are built here, by the matching
interpreter if it is installed. The same input gives the same archive to the byte (with the same zlib and C
compiler): files are sorted, times and modes fixed, nothing of this machine is kept. Knows nothing of the
function's code.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
GLIBC = {"3.10": (2, 28), "3.12": (2, 31)}  # of the runtimes: Debian 10 and Debian 11
SDISTS = ("alibabacloud-tea", "aliyun-fc2", "crcmod", "oss2")  # published without wheels
IN_C = "crcmod"  # the one of them that is compiled for one version of Python
EARLIEST = 315_532_800  # 1980-01-01, where the calendar of zip begins
# What installers note about themselves and this machine; `bin` has its paths in the scripts' first lines.
LITTER = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"})
_ENTRY = re.compile(r"(?m)^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def main() -> int:
    """Build the layer of one runtime and say what came of it."""
    parser = argparse.ArgumentParser(prog="make layer", description=__doc__)
    parser.add_argument("--python", choices=sorted(GLIBC), default="3.12", help="of the runtime (3.12)")
    version = parser.parse_args().python
    python = find_interpreter(version)
    packages = HERE.parent / f"sdk-{version}" / "python"  # unzipped as /opt/python, where the runtime looks
    shutil.rmtree(packages, ignore_errors=True)
    install(packages, version, python)
    for left_out in prune(packages, version):
        print(f"left out: {left_out}, built for another Python")
    check_glibc(packages, GLIBC[version])
    if python is None:
        print(
            f"python{version} is not installed here, so the layer has no byte code (its packages take about "
            "three times as long to import in a cold start) and crcmod is pure Python (slower; the function "
            "computes no checksum of contents)."
        )
    else:
        add_byte_code(packages, python)
    archive = HERE.parent / f"sdk-{version}.zip"
    epoch = max(EARLIEST, int(os.environ.get("SOURCE_DATE_EPOCH", EARLIEST)))
    pack(packages, archive, epoch)
    listed = archive.with_suffix(".cdx.json")
    lock = (HERE / "requirements.txt").read_text(encoding="utf-8")
    listed.write_text(bill(lock, version), encoding="utf-8")
    unpacked = sum(path.stat().st_size for path in _files(packages))
    print(f"{packages.relative_to(HERE.parent.parent)}: {unpacked:,} bytes")
    print(f"{archive.relative_to(HERE.parent.parent)}: {archive.stat().st_size:,} bytes")
    print(f"{listed.relative_to(HERE.parent.parent)}: what is in it (CycloneDX)")
    print(f"sha256 {hashlib.sha256(archive.read_bytes()).hexdigest()}")
    return 0


def find_interpreter(version: str) -> str | None:
    """An interpreter that really runs as `version`: a pyenv shim may stand for one that is not active."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [
        sys.executable,
        shutil.which(f"python{version}"),
        *map(str, sorted(pyenv.glob(f"{version}.*/bin/python{version}"), reverse=True)),
    ]
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in filter(None, candidates):
        told = subprocess.run([candidate, "-c", script], capture_output=True, text=True, check=False)
        if told.stdout.strip() == version:
            return candidate
    return None


def install(packages: Path, version: str, python: str | None) -> None:
    """Install the pinned packages for `version`; `python` builds sdists, None: this one does.

    uv and not pip, since pip judges environment markers by the interpreter that runs it.
    """
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--python", python or sys.executable, "--no-python-downloads", "--only-binary", ":all:"]
    for name in SDISTS:
        command += ["--no-binary", name]
    command += ["--target", str(packages), "--link-mode", "copy", "--requirements", "-"]
    # No debug information, build id or library paths: they would tell where this was built.
    flags = {
        "CFLAGS": "-g0",
        "LDSHARED": "cc -shared -s -Wl,--build-id=none",
        "SOURCE_DATE_EPOCH": str(EARLIEST),
    }
    for_runtime = ["--python-version", version, "--python-platform", "x86_64-manylinux2014"]
    lock = (HERE / "requirements.txt").read_text(encoding="utf-8")
    compiled, others = pick(lock, IN_C)
    for pins, target in ((others, for_runtime), (compiled, for_runtime if python else [])):
        subprocess.run([*command, *target], env={**os.environ, **flags}, input=pins.encode(), check=True)


def pick(lock: str, name: str) -> tuple[str, str]:
    """The entry of `name` in a lock file, and all the others."""
    entries = re.split(r"(?m)^(?=[a-z0-9])", lock)
    chosen = [entry for entry in entries if entry.startswith(f"{name}==")]
    return "".join(chosen), "".join(entry for entry in entries if entry not in chosen)


def prune(packages: Path, version: str) -> list[str]:
    """Remove what is of no use in a layer; the extension modules among it that another Python would need."""
    tag = f".cpython-{version.replace('.', '')}-"
    shutil.rmtree(packages / "bin", ignore_errors=True)
    (packages / ".lock").unlink(missing_ok=True)
    foreign = []
    for path in list(_files(packages)):
        if path.suffix == ".so" and ".cpython-" in path.name and tag not in path.name:
            foreign.append(str(path.relative_to(packages)))
            path.unlink()
        elif path.suffix == ".pyc" or (path.parent.suffix == ".dist-info" and path.name in LITTER):
            path.unlink()
    return foreign


def check_glibc(packages: Path, most: tuple[int, int]) -> None:
    """SystemExit if an extension module needs a newer glibc than the runtime has."""
    for path in _files(packages):
        if path.suffix == ".so" and (needed := newest_glibc(path.read_bytes())) > most:
            wanted, there = (".".join(map(str, each)) for each in (needed, most))
            raise SystemExit(
                f"{path.relative_to(packages)} needs glibc {wanted}, the runtime has {there}: "
                "build the layer on an older system"
            )


def newest_glibc(module: bytes) -> tuple[int, int]:
    """The newest version of glibc whose symbols an ELF file names; (0, 0) if none."""
    found = re.findall(rb"GLIBC_(\d+)\.(\d+)", module)
    return max(((int(major), int(minor)) for major, minor in found), default=(0, 0))


def add_byte_code(packages: Path, python: str) -> None:
    """Compile for /opt/python, never checked against the sources: a layer is read-only."""
    command = [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(packages), "-p", "/opt/python", str(packages)]
    # A warning about an escape sequence in oss2 is no news to whoever builds a layer.
    subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}, check=True)


def pack(folder: Path, archive: Path, epoch: int, within: str = "python/") -> None:
    """Zip a folder as `within`: sorted, readable by all, every file of the second `epoch` (UTC)."""
    moment = time.gmtime(epoch)[:6]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in _files(folder):
            entry = zipfile.ZipInfo(f"{within}{path.relative_to(folder).as_posix()}", moment)
            entry.create_system = 3  # Unix, wherever this runs: the mode counts
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())


def entries(lock: str) -> list[tuple[str, str, list[str]]]:
    """Name, version and SHA-256 digests of each pin in a lock file."""
    found = list(_ENTRY.finditer(lock))
    ends = [each.start() for each in found[1:]] + [len(lock)]
    return [
        (each["name"], each["version"], _HASH.findall(lock[each.start() : end]))
        for each, end in zip(found, ends, strict=True)
    ]


def bill(lock: str, python: str) -> str:
    """The bill of materials of a layer, in CycloneDX's JSON; the same lock makes the same bill."""
    digest = hashlib.sha256(f"{python}\n{lock}".encode()).digest()
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",
        "version": 1,
        "metadata": {
            "component": {"type": "library", "name": "oss-copy-sdk", "bom-ref": "oss-copy-sdk"},
            "properties": [{"name": "python", "value": python}],
        },
        "components": [_component(*each, is_built=each[0] in SDISTS) for each in entries(lock)],
    }
    return json.dumps(document, indent=2) + "\n"


def _component(name: str, version: str, hashes: Sequence[str], *, is_built: bool) -> dict[str, Any]:
    """A package; the digests are of all its files in the index, of which the installer takes one."""
    purl = f"pkg:pypi/{name}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "externalReferences": [
            {
                "type": "distribution",
                "url": purl,
                "hashes": [{"alg": "SHA-256", "content": each} for each in hashes],
            }
        ],
        "properties": [{"name": "oss-copy:distribution", "value": "sdist" if is_built else "wheel"}],
    }


def _files(directory: Path) -> Iterator[Path]:
    return (path for path in sorted(directory.rglob("*")) if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
