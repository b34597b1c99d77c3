"""Buckets that survive a restart: saved when the server stops, read when one starts in the same directory.

It knows files and what a store holds; it must not know what any of that means. The file is a pickle, so that
nobody but its user may write to the directory.
"""

from __future__ import annotations

import fcntl
import os
import pickle
from pathlib import Path
from typing import BinaryIO

from .extents import BLOBS, File
from .state import Bucket, Store

NAME = "buckets.pickle"
_OTHER_VERSION = (AttributeError, ImportError, LookupError)  # of the classes in it


class _Pickler(pickle.Pickler):
    """Names the files of large bodies instead of copying them."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.blobs: set[str] = set()

    def persistent_id(self, obj: object) -> str | None:
        if not isinstance(obj, File):
            return None
        self.blobs.add(Path(obj.path).name)
        return Path(obj.path).name


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, directory: Path) -> None:
        super().__init__(file)
        self._directory = directory
        self._blobs: dict[str, File] = {}

    def persistent_load(self, pid: str) -> File:
        if pid not in self._blobs:
            path = self._directory / pid
            self._blobs[pid] = File(os.open(path, os.O_RDONLY), str(path), lasts=True)
        return self._blobs[pid]


class Held:
    """A directory that no other server may use as long as this one does."""

    def __init__(self, directory: Path) -> None:
        """ValueError if another one uses it."""
        directory.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._descriptor)
            raise ValueError(f"{directory} is in use by another local cloud") from error

    def release(self) -> None:
        os.close(self._descriptor)


def save(store: Store) -> None:
    """Write what the store holds to its directory, if it has one, and delete large bodies that nothing holds.

    Until that is done, what was saved before can be read: a server that is killed loses only what came since.
    """
    if store.data is None:
        return
    held = {
        name: {field: value for field, value in vars(bucket).items() if field != "_draw"}
        for name, bucket in store.buckets.items()
    }
    new = store.data / f"{NAME}.new"
    with new.open("wb") as file:
        pickler = _Pickler(file)
        pickler.dump(held)
        file.flush()
        os.fsync(file.fileno())
    new.replace(store.data / NAME)
    for left in store.data.glob(BLOBS):
        if left.name not in pickler.blobs:
            left.unlink()


def load(store: Store) -> None:
    """Give the store what was saved in its directory; ValueError if that cannot be read."""
    if store.data is None or not (path := store.data / NAME).exists():
        return
    try:
        with path.open("rb") as file:
            for name, held in _Unpickler(file, store.data).load().items():
                bucket = Bucket(name, held["region"], held["owner"], held["created"], store.draw)
                vars(bucket).update(held)
                store.buckets[name] = bucket
    except (pickle.UnpicklingError, EOFError, OSError, ValueError, TypeError, *_OTHER_VERSION) as error:
        raise ValueError(f"{path} cannot be read: name another directory, or delete it: {error!r}") from error
