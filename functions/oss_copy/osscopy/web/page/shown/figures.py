"""Numbers and times as people read them. Knows no language but the words that come in."""

from __future__ import annotations

from osscopy.copying.results import unix

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def size(count: float | None) -> str:
    """Return a number of bytes, such as `1.5 GiB`."""
    if count is None:
        return "-"
    power = min(max(int(count).bit_length() - 1, 0) // 10, len(_UNITS) - 1)
    return f"{count / (1 << 10 * power):.{1 if power else 0}f} {_UNITS[power]}"


def number(count: float) -> str:
    return f"{count:,.0f}" if count == int(count) else f"{count:,.1f}"


def span(seconds: float) -> str:
    """Return a time such as `1:02:03` or `0:45`; of seconds below one, with a fraction."""
    if 0 < seconds < 1:
        return f"{seconds:.1f} s"
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def moment(text: str | None) -> str:
    """Return a time of a result to the second, in UTC."""
    return f"{text[:10]} {text[11:19]} UTC" if text else "-"


def took(begun: str | None, ended: str | None, now: float) -> float:
    """Return the seconds of a job, so far if it has not ended."""
    if begun is None:
        return 0.0
    return max(0.0, (unix(ended) if ended else now) - unix(begun))


def share(done: float, whole: float | None) -> int | None:
    """Return percent; None where the whole is not known."""
    return None if not whole else min(100, int(100 * done / whole))
