"""Asks every probe, one after the other; a probe that fails is an answer too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec
import oss2.exceptions
import requests
from Tea.exceptions import TeaException

from functions.cli.service.assumed import function, probes
from functions.cli.service.assumed.facts import ASSUMPTIONS, Assumption
from functions.cli.service.assumed.function import Deployed
from functions.cli.service.assumed.scratch import Scratch

T = TypeVar("T")


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """The answer of one probe. `failed`: it could not be asked, and `answer` says why."""

    name: str
    question: str
    answer: str
    failed: bool
    either: str
    depends: tuple[str, ...]


def survey(scratch: Scratch, deployed: Deployed | None) -> Iterator[Answer]:
    """Yield an answer for each assumption; those about FC are left out without a function."""
    for each in ASSUMPTIONS:
        match each.asks:
            case "oss":
                yield _ask(each, probes.PROBES[each.name], scratch)
            case "function" if deployed is not None:
                yield _ask(each, function.PROBES[each.name], deployed)
            case "function":
                yield _answer(each, "not asked: --function asks the deployed function", failed=False)
            case "nobody":
                yield _answer(each, f"not asked: {each.unasked}", failed=False)


def _ask(assumption: Assumption, probe: Callable[[T], str], whom: T) -> Answer:
    try:
        return _answer(assumption, probe(whom), failed=False)
    except oss2.exceptions.OssError as error:
        text = f"{error.status} {error.code}: {error.message} (request id {error.request_id})"
        return _answer(assumption, text, failed=True)
    except (requests.RequestException, TeaException, OSError) as error:
        return _answer(assumption, f"no answer: {type(error).__name__}", failed=True)


def _answer(assumption: Assumption, text: str, *, failed: bool) -> Answer:
    return Answer(assumption.name, assumption.question, text, failed, assumption.either, assumption.places)
