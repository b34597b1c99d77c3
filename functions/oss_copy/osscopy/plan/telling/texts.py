"""The text of a message, for people: short, and harmless whatever keys and error messages hold.

Knows messages; not the form of a receiver. What others wrote is never markup: robots read `<at …>` and
`<@…>` in plain text as mentions (pages of Feishu and WeCom, see `receivers`).
"""

from __future__ import annotations

from osscopy.model import BulkResult, Problem, Result, Seen
from osscopy.plan.telling.news import JobEnded, News, Outcome

MOST = 1800  # bytes of a text: WeCom takes 2,048
_LONGEST = 300  # characters of what somebody else wrote
_IN_KEYS = frozenset(" -_./()+,=~")
_IN_MESSAGES = _IN_KEYS | frozenset(":;'\"!?[]{}#*%|")


def text_of(news: News) -> str:
    """Return the text of a message, of `MOST` bytes at most."""
    lines = _of_one(news.result) if isinstance(news, JobEnded) else [f"{news.ended} jobs have ended"]
    if not isinstance(news, JobEnded):
        lines.append(f"failed: {news.failed}")
        lines += [f"job {plain(each)}" for each in news.jobs[:10]]
        lines += [f"and {news.ended - 10} more: GET /copies?status=failed"] * (news.ended > 10)
    text = "\n".join([f"oss-copy: {plain(news.function)} in {plain(news.region)}", *lines])
    return text.encode()[:MOST].decode(errors="ignore")


def plain(text: str, allowed: frozenset[str] = _IN_KEYS) -> str:
    """Return a text in which all but letters, digits and `allowed` is percent-encoded, cut if it is long."""
    cut = text[:_LONGEST]
    shown = "".join(
        each if each.isalnum() or each in allowed else "".join(f"%{byte:02X}" for byte in _bytes(each))
        for each in cut
    )
    return shown + "…" * (len(text) > len(cut))


def _bytes(character: str) -> bytes:
    return character.encode(errors="replace")


def _of_one(result: Outcome) -> list[str]:
    lines = [f"{result.status}: job {plain(result.job or '')}"]
    match result:
        case BulkResult():
            told = result.objects
            lines.append(
                f"objects: {told.total}, copied {told.succeeded}, skipped {told.skipped}, "
                f"failed {told.failed}, missing {told.missing}, deleted {told.deleted}"
            )
            if result.report is not None:
                lines.append(f"report: oss://{plain(result.report.bucket)}/{plain(result.report.prefix)}")
        case Result():
            lines += [f"from {_place(result.source)}", f"to {_place(result.destination)}"]
    return lines + _of_error(result.error)


def _place(seen: Seen | None) -> str:
    return f"oss://{plain(seen.bucket)}/{plain(seen.key)}" if seen else "an unknown place"


def _of_error(error: Problem | None) -> list[str]:
    if error is None:
        return []
    request = [f"request id {plain(error.request_id)}"] if error.request_id else []
    return [f"{plain(error.code)}: {plain(error.message, _IN_MESSAGES)}", *request]
