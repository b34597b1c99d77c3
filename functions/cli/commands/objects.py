"""`put` and `get`: a file of one's own to a bucket and back; and how objects are listed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from functions.cli.commands import session as shared
from functions.cli.commands.session import Session
from functions.cli.errors import Misused
from functions.cli.request import addresses
from functions.cli.service import objects, target
from functions.cli.service.local import Local
from functions.cli.service.target import Target
from functions.cli.shown import figures
from functions.cli.texts import command, plain


@click.command()
@shared.in_region
@shared.as_json
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("address")
@click.pass_obj
def put(session: Session, /, file: Path, address: str, region: str | None, template: Path) -> None:
    """Put a file into a bucket: oss://BUCKET/KEY, or oss://BUCKET/FOLDER/ to keep its name."""
    to = addresses.into(address, _text(file.name))
    found = target.find(template, region)
    with _moving(session, to.key) as progress:
        objects.put(found, file, to, progress)
    size = file.stat().st_size
    session.screen.give({"bucket": to.bucket, "key": to.key, "size": size})
    session.screen.say(f"put: {plain(str(to))}, {size} bytes")
    if found.local:
        _advise(session, found.local, str(to))


@click.command()
@shared.in_region
@shared.as_json
@click.argument("address")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def get(session: Session, /, address: str, file: Path, region: str | None, template: Path) -> None:
    """Get an object into FILE, or into a folder under its own name."""
    source = addresses.of_object(address, "name one object")
    to = file / _file_name(source.key) if file.is_dir() else file
    with _moving(session, source.key) as progress:
        objects.get(target.find(template, region), source, to, progress)
    size = to.stat().st_size
    session.screen.give({"file": _text(str(to)), "size": size})
    session.screen.say(f"got: {plain(str(to))}, {size} bytes")


def show(session: Session, found: Target, address: str, limit: int, *, is_deep: bool) -> None:
    """List the objects under a prefix."""
    place = addresses.read(address)
    listed = list(islice(objects.found(found, place, is_deep=is_deep), limit + 1))
    shown = listed[:limit]
    session.screen.give(
        [
            {"key": each.key, "size": each.size, "modified": each.modified, "folder": each.is_folder}
            for each in shown
        ]
    )
    rows = [(figures.size(each.size), f"oss://{place.bucket}/{each.key}") for each in shown]
    session.screen.table(("size", "object"), rows, right=("size",))
    if len(listed) > limit:
        session.screen.note("there are more: --limit shows them")


def _text(name: str) -> str:
    """Return a file's name as text; raise Misused for bytes that are none."""
    try:
        return os.fsencode(name).decode()
    except UnicodeDecodeError:
        raise Misused(f"{name!r} is no UTF-8: give the key in the address") from None


def _file_name(key: str) -> str:
    """Return the name under which an object comes into a folder: never one that leads out of it."""
    name = key.rpartition("/")[2]
    if name in {"", ".", ".."}:
        raise Misused(f"{key!r} makes no file name: name the file")
    return name


def _advise(session: Session, local: Local, address: str) -> None:
    to = f"oss://{local.destination}/"
    if local.watched and address.startswith(local.watched):
        session.screen.note("the OSS trigger copies what is put there:")
        session.screen.note(f"  {command('oss-copy', 'ls', '-r', to)}")
    else:
        session.screen.note(f"  {command('oss-copy', 'cp', address, to)}   # copies it")


@contextmanager
def _moving(session: Session, name: str) -> Iterator[objects.Progress]:
    """Show the bytes on their way, in a terminal."""
    name_column = TextColumn("{task.description}", markup=False)
    columns = (name_column, BarColumn(20), DownloadColumn(binary_units=True), TransferSpeedColumn())
    screen = session.screen
    is_shown = screen.error.is_terminal and not screen.is_json
    with Progress(*columns, console=screen.error, disable=not is_shown) as bars:
        task = bars.add_task(plain(name)[-30:], total=None)
        yield lambda done, whole: bars.update(task, completed=done, total=whole)
