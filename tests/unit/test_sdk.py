"""The import of oss2 without what no copy needs: lighter, and whole for everybody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from osscopy.aliyun.wire import sdk
from tests.cloud.client import ROOT

HEAVY = ("Crypto", "aliyunsdkcore", "aliyunsdkkms", "cffi", "pycparser")
FIRST = f"__version__ = '{sdk.KNOWN}'\n"


def run(script: str, *before: Path) -> Any:
    """Run a script in a fresh process, with these folders before all packages; return the JSON it prints."""
    path = os.pathsep.join(map(str, (*before, ROOT / "functions/oss_copy", ROOT)))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import json, sys\n{script}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_is_known_of_the_version_that_is_installed() -> None:
    """Another version is imported as usual: look whether the same may be left out, then say so."""
    assert version("oss2") == sdk.KNOWN


def test_the_handler_imports_nothing_for_encryption_and_leaves_no_stand_in() -> None:
    found = run("import index, oss2\nprint(json.dumps([sorted(sys.modules), '__getattr__' in vars(oss2)]))")
    names, light = found
    tops = {name.partition(".")[0] for name in names}
    assert light
    assert not tops & set(HEAVY)
    assert not {"oss2.crypto", "oss2.crypto_bucket", "oss2.resumable", "oss2.task_queue"} & set(names)


ORDER = {"alone": "", "after the handler": "import index\n", "before it": "import oss2, index\n"}


def test_oss2_has_every_name_for_whoever_imports_it_before_or_after() -> None:
    listed = "import oss2\nspace = {}\nexec('from oss2 import *', space)\ndel space['__builtins__']\n"
    listed += "hidden = {'__getattr__', '__all__', '__dir__'}\n"
    listed += "print(json.dumps([sorted(set(dir(oss2)) - hidden), sorted(space), "
    listed += "{n: getattr(getattr(oss2, n), '__module__', '') for n in dir(oss2) if n not in hidden}]))"
    found = {order: run(before + listed) for order, before in ORDER.items()}
    assert found["after the handler"] == found["alone"]
    assert found["before it"] == found["alone"]


def test_who_imports_oss2_first_keeps_it_as_it_is() -> None:
    script = "import oss2\nbefore = dict(vars(oss2))\nimport index\n"
    script += "from osscopy.aliyun.oss_transport import Bucket\n"
    script += "print(json.dumps([before == vars(oss2), Bucket.__mro__[1] is oss2.Bucket]))"
    assert run(script) == [True, True]


def test_a_name_that_oss2_lacks_is_lacking() -> None:
    script = "import index, oss2\ntry:\n    oss2.Buckets\nexcept AttributeError as error:\n"
    script += "    print(json.dumps(str(error)))"
    assert run(script) == "module 'oss2' has no attribute 'Buckets'"


def test_encryption_works_for_whoever_needs_it_after_all() -> None:
    """The ciphers of `oss2.utils`, which has been imported, and the modules that have not."""
    script = """
import index, oss2
from oss2.crypto_bucket import CryptoBucket
from oss2.crypto import RsaProvider
from Crypto.PublicKey import RSA
key = RSA.generate(1024)
pair = {"private_key": key.export_key().decode(), "public_key": key.publickey().export_key().decode()}
provider = oss2.RsaProvider(pair)
material = provider.create_content_material()
plain = b"".join([material.cipher.encrypt(b"secret")])
again = provider.decrypt_encrypted_key(material.encrypted_key)
cipher = oss2.utils.AESCTRCipher()
cipher.initialize(again, provider.decrypt_encrypted_iv(material.encrypted_iv))
same = oss2.CryptoBucket is CryptoBucket and oss2.RsaProvider is RsaProvider
print(json.dumps([cipher.decrypt(plain).decode(), same, issubclass(CryptoBucket, oss2.Bucket)]))
"""
    assert run(script) == ["secret", True, True]


def test_what_somebody_has_imported_already_is_not_replaced() -> None:
    script = "import Crypto.Cipher.AES as before\nimport index, oss2\n"
    script += "print(json.dumps(oss2.utils.AES is before and sys.modules['Crypto.Cipher.AES'] is before))"
    assert run(script) is True


def test_both_sdks_of_fc_and_that_of_kms_work_afterwards() -> None:
    script = """
import index
from tests.unit.peer import Told, running
from tests.unit.test_fc_requests import Gateway, invoker, refused
with running() as peer:
    peer.tell(Told(202))
    took = [invoker(peer, gateway).submit("t", b"{}", 0) for gateway in (Gateway(), refused())]
    tokens = [sorted(n for n in each.headers if n.endswith("token")) for each in peer.asked]
from aliyunsdkcore.client import AcsClient
from aliyunsdkkms.request.v20160120.DecryptRequest import DecryptRequest
signed = AcsClient("id", "secret", "cn-x").get_location_service() is None and DecryptRequest().get_product()
print(json.dumps([took, tokens, signed]))
"""
    assert run(script) == [[True, True], [["x-fc-security-token"], ["x-acs-security-token"]], "Kms"]


# --- the usual way -----------------------------------------------------------------------------------------

SEEN = "import sys\nlight = 'oss2.crypto' in sys.modules\nsys.times = getattr(sys, 'times', 0) + 1\n"
MADE: Mapping[str, tuple[str, int]] = {  # and how often it is begun
    "another version": (f"__version__ = '2.20.0'\n{SEEN}", 1),
    "no version in its first line": (f"'A text.'\n{FIRST}{SEEN}", 1),
    "without the names that come later": (f"{FIRST}{SEEN}", 2),
    "that fails with what stands in": (f"{FIRST}{SEEN}assert not light", 2),
}


@pytest.mark.parametrize("name", MADE)
def test_any_other_oss2_is_imported_as_usual(tmp_path: Path, name: str) -> None:
    text, times = MADE[name]
    (tmp_path / "oss2").mkdir()
    (tmp_path / "oss2/__init__.py").write_text(text, encoding="utf-8")
    script = "from osscopy.aliyun.wire.sdk import oss2\nimport oss2 as again\nassert oss2 is again\n"
    script += "left = 'oss2.crypto' in sys.modules or 'Crypto' in sys.modules\n"
    script += "print(json.dumps([oss2.light, left, sys.times]))"
    assert run(script, tmp_path) == [False, False, times]


def test_an_oss2_in_an_archive_is_imported_as_usual(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "packages.zip", "w") as archive:
        archive.writestr("oss2/__init__.py", f"{FIRST}{SEEN}")
    script = "from osscopy.aliyun.wire.sdk import oss2\nprint(json.dumps([oss2.light, sys.times]))"
    assert run(script, tmp_path / "packages.zip") == [False, 1]


def test_an_oss2_that_cannot_be_imported_says_why(tmp_path: Path) -> None:
    (tmp_path / "oss2.py").write_text(f"{FIRST}import nothing_of_this_name", encoding="utf-8")
    script = "try:\n    import osscopy.aliyun.wire.sdk\nexcept ModuleNotFoundError as error:\n"
    script += "    print(json.dumps([error.name, 'oss2' in sys.modules, 'Crypto' in sys.modules]))"
    assert run(script, tmp_path) == ["nothing_of_this_name", False, False]
