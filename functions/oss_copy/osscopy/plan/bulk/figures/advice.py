"""What to do about the codes of rows that failed, were missing, or were skipped.

Knows codes alone. The message of each row says more.
"""

from __future__ import annotations

from collections.abc import Iterable

OTHER = "read `message` of these rows in failed.csv.gz, then functions/ERRORS.md"
_ADVICE = {
    "AccessDenied": (
        "grant the function's role the missing action (functions/OPERATING.md: The role); another "
        "account's bucket must grant it as well"
    ),
    "BadLine": "mend the lines of the manifest that `message` names, or leave them out",
    "Collision": "several sources have one destination: choose another template for `destination.key`",
    "FileImmutable": "a retention policy protects the destination: choose another place, or wait",
    "InvalidKey": "rename the source: the destination's key would be one that OSS or HTTP does not take",
    "InvalidObjectState": "the sources are archived: ask with `archive` as `restore` or `skip`",
    "NotAllowed": "name these places in ALLOWED_SOURCES and ALLOWED_DESTINATIONS",
    "NoSuchKey": "the sources are gone, or the manifest names what never was: `allowMissing` takes that",
    "NoSuchVersion": "these versions are gone: `allowMissing` takes that",
    "OutcomeUnknown": "look at these destinations, then resubmit with `only` as `failed`",
    "PreconditionFailed": "a condition of the request does not hold for these objects",
    "SelfCopy": "source and destination are the same: choose another bucket or prefix",
    "SourceChanged": "the sources changed while they were copied: resubmit with `only` as `failed`",
    "SourceChanging": "the sources kept changing: resubmit with `only` as `failed` when they are still",
    "VerificationFailed": "these copies are not what was promised: look at them before anything else",
    "cancelled": "the job was cancelled: ask for the same again to go on",
}


def advice_on(code: str) -> str | None:
    """Return what to do about one error; None where its message is all there is to say."""
    return _ADVICE.get(code)


def advice(codes: Iterable[str]) -> dict[str, str]:
    """Return a word on what to do for each code."""
    return {code: _ADVICE.get(code, OTHER) for code in codes}
