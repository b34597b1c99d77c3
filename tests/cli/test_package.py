"""What of the code folder is uploaded: the same, whatever ran there before."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

from tests.cloud.client import ROOT
from tests.cloud.fc.packages import pack_code

CODE = ROOT / "functions" / "oss_copy"


def test_byte_code_is_not_uploaded_and_does_not_change_the_checksum(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    shutil.copytree(CODE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    clean = pack_code(folder)
    for place in (folder, folder / "osscopy"):
        (place / "__pycache__").mkdir()
        (place / "__pycache__" / "index.cpython-312.pyc").write_bytes(b"byte code")
    (folder / "osscopy" / "stray.pyc").write_bytes(b"byte code")
    assert pack_code(folder) == clean
    names = zipfile.ZipFile(io.BytesIO(clean)).namelist()
    assert {"index.py", "osscopy/app.py", "osscopy/web/openapi.json"} <= {*names}
