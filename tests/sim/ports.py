"""The product's ports on the simulation: every call is one request that the scheduler may disturb."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from osscopy.model import (
    Acl,
    Attributes,
    Conditions,
    CopyRequest,
    Head,
    ListedPart,
    Part,
    PartPage,
    Pin,
    RecordPage,
    Source,
    UploadPage,
    Written,
)
from tests.sim.processes import Flag, Process, Request, Wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sim.scheduler import Simulation


class SimPort:
    """What all of them need: the simulation, and whose invocation it is."""

    def __init__(self, simulation: Simulation, process: Process) -> None:
        self._simulation = simulation
        self._process = process
        self._world = simulation.world

    def _ask(
        self,
        name: str,
        apply: Callable[[Any], Any],
        begin: Callable[[], Any] | None = None,
        timeout: float | None = None,
        about: tuple[str, int] | None = None,
    ) -> Any:
        return self._simulation.ask(self._process, Request(name, apply, begin, timeout, about))


class SimStore(SimPort):
    def head(
        self,
        request: CopyRequest,  # noqa: ARG002 - the port's signature
        source: Source,
        conditions: Conditions,  # noqa: ARG002 - the port's signature
    ) -> Head:
        head: Head = self._ask("head source", lambda _: self._world.head(source.key))
        return head

    def find(self, request: CopyRequest, place: Source) -> Head | None:  # noqa: ARG002 - the port's signature
        head: Head | None = self._ask("find destination", lambda _: self._world.find(place.version_id))
        return head

    def link(self, request: CopyRequest, place: Source) -> Head | None:
        def apply(_: Any) -> Head | None:
            if _is_destination(request, place):
                return self._world.find_link(place.version_id)
            return self._world.link()

        link: Head | None = self._ask("get link", apply)
        return link

    def restore(self, request: CopyRequest, source: Source) -> None:  # noqa: ARG002 - the port's signature
        self._ask("restore", lambda _: self._world.restore(source.version_id))

    def delete_version(self, request: CopyRequest, version_id: str) -> None:  # noqa: ARG002 - the port's signature
        def apply(_: Any) -> None:
            deleted = self._world.delete_version(version_id)
            if deleted is not None and not deleted.corrupt:
                self._simulation.violations.append(f"{self._process.name} deletes a good version: {deleted}")

        self._ask("delete version", apply)

    def tags(self, request: CopyRequest, source: Source) -> dict[str, str]:
        def apply(_: Any) -> dict[str, str]:
            if _is_destination(request, source):
                return self._world.tags_shown(source.version_id)
            return self._world.tags(source.version_id, source.key)

        tags: dict[str, str] = self._ask("get tags", apply)
        return tags

    def acl(self, request: CopyRequest, source: Source) -> Acl:  # noqa: ARG002 - the port's signature
        return "default"

    def copy(
        self,
        request: CopyRequest,
        pin: Pin,
        attributes: Attributes,
        timeout: float | None = None,
    ) -> Written:
        by, job = self._process.name, self._process.task.job

        def apply(read: Any) -> Written:
            corrupt = self._process.corrupts
            return self._world.copy(request, read, attributes, by, job, corrupt=corrupt)

        def begin() -> Any:
            return self._world.read(pin, request.source.key)

        written: Written = self._ask("copy object", apply, begin, timeout)
        return written

    def initiate(self, request: CopyRequest, attributes: Attributes) -> str:
        initiator = self._process.name
        upload: str = self._ask("initiate", lambda _: self._world.initiate(request, attributes, initiator))
        return upload

    def copy_part(
        self,
        request: CopyRequest,
        pin: Pin,
        upload_id: str,
        part: Part,
        timeout: float | None = None,
    ) -> None:
        def apply(read: Any) -> None:
            process = self._process
            self._simulation.landed[upload_id, part.number] += 1
            self._world.copy_part(upload_id, read, part, survives=process.survives, corrupt=process.corrupts)

        def begin() -> Any:
            return self._world.read(pin, request.source.key)

        self._ask("copy part", apply, begin, timeout, (upload_id, part.number))

    def list_parts(
        self,
        request: CopyRequest,  # noqa: ARG002 - the port's signature
        upload_id: str,
        after: int,
    ) -> PartPage:
        page: PartPage = self._ask("list parts", lambda _: self._world.list_parts(upload_id, after))
        return page

    def uploads(self, request: CopyRequest) -> UploadPage:  # noqa: ARG002 - the port's signature
        page: UploadPage = self._ask("list uploads", lambda _: self._world.open_uploads())
        return page

    def complete(
        self,
        request: CopyRequest,
        upload_id: str,
        parts: Sequence[ListedPart],
        acl: Acl,  # noqa: ARG002 - the port's signature
    ) -> Written:
        written: Written = self._ask("complete", lambda _: self._world.complete(request, upload_id, parts))
        return written

    def abort(self, request: CopyRequest, upload_id: str) -> None:  # noqa: ARG002 - the port's signature
        self._ask("abort", lambda _: self._world.abort(upload_id))


class SimRecords(SimPort):
    def put_new(self, name: str, body: bytes) -> bool:
        kind = name.split("/", maxsplit=1)[0]
        new: bool = self._ask(f"put {kind}", lambda _: self._world.put_new(name, body))
        return new

    def put(self, name: str, body: bytes) -> None:
        kind = name.split("/", maxsplit=1)[0]
        self._ask(f"put {kind}", lambda _: self._world.put(name, body))

    def get(self, name: str) -> bytes | None:
        kind = name.split("/", maxsplit=1)[0]
        body: bytes | None = self._ask(f"get {kind}", lambda _: self._world.get(name))
        return body

    def page(self, prefix: str, after: str, limit: int) -> RecordPage:
        kind = prefix.split("/", maxsplit=1)[0]
        page: RecordPage = self._ask(f"list {kind}", lambda _: self._world.page(prefix, after, limit))
        return page

    def delete(self, name: str) -> None:
        kind = name.split("/", maxsplit=1)[0]
        self._ask(f"delete {kind}", lambda _: self._world.delete(name))


class SimInvoker(SimPort):
    def submit(self, task_id: str, payload: bytes, delay: int) -> bool:
        def apply(_: Any) -> bool:
            waiting = self._process.mislaid
            fault = waiting.pop(0) if waiting else None
            return self._simulation.accept(task_id, payload, delay, fault)

        fresh: bool = self._ask("submit", apply)
        return fresh


class SimWay(SimPort):
    """Somebody who is told: what is told takes effect like any other request."""

    def __init__(self, simulation: Simulation, process: Process, name: str) -> None:
        super().__init__(simulation, process)
        self.name = name

    def send(self, message: Any) -> None:
        jobs = message.jobs if hasattr(message, "jobs") else (message.result.job,)
        told = self._simulation.told
        self._ask(f"send {self.name}", lambda _: told.append((self._simulation.time, self.name, jobs)))


class SimSignal:
    """A flag that threads of one invocation wait for."""

    def __init__(self, simulation: Simulation, process: Process) -> None:
        self._simulation = simulation
        self._process = process
        self._flag = Flag()

    def set(self) -> None:
        self._simulation.raise_flag(self._flag)

    def clear(self) -> None:
        self._flag.is_up = False

    def wait(self, timeout: float) -> None:
        if not self._flag.is_up:
            self._simulation.pause(self._process, Wait(self._flag, timeout))


class SimClock(SimPort):
    def monotonic(self) -> float:
        return self._simulation.time

    def now(self) -> float:
        return self._simulation.time + self._simulation.scenario.skew

    def sleep(self, seconds: float) -> None:
        self._simulation.pause(self._process, float(seconds))

    def random(self) -> float:
        return self._simulation.choices.draw("pause")

    def nonce(self) -> str:
        self._process.nonces += 1
        return f"{self._process.name}/{self._process.nonces}"

    def cpu(self) -> float:
        return 0.0

    def start(self, work: Callable[[], None]) -> None:
        self._simulation.start(self._process, work)

    def signal(self) -> SimSignal:
        return SimSignal(self._simulation, self._process)

    def together(self, work: Callable[[], None], count: int, until: float) -> None:
        self._simulation.together(self._process, work, count, until)


def _is_destination(request: CopyRequest, place: Source) -> bool:
    """Whether this is the place to copy to, and not the source as well."""
    source, there = request.source, (request.destination.bucket, request.destination.key)
    return (place.bucket, place.key) == there != (source.bucket, source.key)
