"""Build the template package of Serverless Devs: `make app`.

`s init --uri dist/app` makes a project of it: the tree that the program `oss-copy` is installed from, with
the answers in the `vars` of its s.yaml. The same tree gives the same archive to the byte: files are sorted,
times and modes fixed. Knows nothing of what the files mean, except where s.yaml keeps its `vars`.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from layers.sdk import build as layer

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Beside what the wheel includes: what it is built from, and what a user of the project reads.
MORE = ("s.yaml", "pyproject.toml", "README.md", "README.zh-CN.md", "LICENSE", "CHANGELOG.md", "SECURITY.md")
DOCUMENTS = ("publish.yaml", "readme.md", "readme_en.md")


def main() -> int:
    """Build the folder and the archive, and say where they are."""
    folder = ROOT / "dist" / "app"
    archive = build(folder)
    print(f"{folder.relative_to(ROOT)}: `s init --uri` takes it")
    print(f"{archive.relative_to(ROOT)}: sha256 {hashlib.sha256(archive.read_bytes()).hexdigest()}")
    return 0


def build(folder: Path) -> Path:
    """Build the package in this folder, which is replaced, and its archive beside it; return the archive."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "src").mkdir(parents=True)
    for name in DOCUMENTS:
        shutil.copyfile(HERE / name, folder / name)
    (folder / "version.md").write_text(notes((ROOT / "CHANGELOG.md").read_text("utf-8")), "utf-8")
    for name in included(tracked()):
        (folder / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / "src" / name)
    template = folder / "src" / "s.yaml"
    template.write_text(with_answers(template.read_text("utf-8"), parameters()), "utf-8")
    archive = folder.with_name(f"oss-copy-app-{published()['Version']}.zip")
    layer.pack(folder, archive, layer.EARLIEST, within="")  # the registry wants no folder around it
    return archive


def published() -> dict[str, Any]:
    """Return what publish.yaml says."""
    said: dict[str, Any] = yaml.safe_load((HERE / "publish.yaml").read_text("utf-8"))
    return said


def parameters() -> tuple[str, ...]:
    """Return the names of what `s init` asks."""
    return tuple(published()["Parameters"]["properties"])


def tracked() -> Iterator[str]:
    """Yield the files of the checkout, as git knows them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return filter(None, listed.stdout.split("\0"))


def included(names: Iterable[str]) -> Iterator[str]:
    """Yield those that the program is installed from: what the wheel includes, and MORE."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    roots = (*wheel["only-include"], *MORE)
    left_out = [each for each in wheel["exclude"] if not each.endswith(".md")]  # the documents are read here
    for name in sorted(names):
        path = PurePosixPath(name)
        if any(
            path == PurePosixPath(root) or PurePosixPath(root) in path.parents for root in roots
        ) and not any(path.match(each) for each in left_out):
            yield name


def with_answers(text: str, names: Iterable[str]) -> str:
    """Return s.yaml with `{{ name }}`, which `s init` replaces, as the value of each of these `vars`."""
    for name in names:
        text, found = re.subn(
            rf"^(  {name}: )(\"[^\"]*\"|[^\s#]+)",
            rf"\g<1>'{{{{ {name} }}}}'",
            text,
            count=1,
            flags=re.MULTILINE,
        )
        if not found:
            raise SystemExit(f"layers/app/publish.yaml asks for {name}, and s.yaml has no such entry of vars")
    return text


def notes(changelog: str) -> str:
    """Return the newest section of the changelog, without its heading."""
    return changelog.split("\n## ")[1].partition("\n")[2].strip() + "\n"


if __name__ == "__main__":
    sys.exit(main())
