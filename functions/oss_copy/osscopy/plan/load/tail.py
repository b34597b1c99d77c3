"""Which part is asked for again, since it takes far longer than its peers. Knows seconds and numbers."""

from __future__ import annotations

MEASURED = 3  # parts that tell what is typical
MULTIPLE, MORE = (
    3.0,
    0.3,
)  # times what is typical, and seconds more than that, that a part takes which stands out
SHARE = 200  # parts copied for each that is asked for again: 0.5 %


def stands_out_after(typical: float) -> float:
    """Return the seconds after which a part stands out; `typical`: seconds that parts take."""
    return max(MULTIPLE * typical, typical + MORE)


def may_ask_again(copied: int, again: int) -> bool:
    """Return whether one more part may be asked for again, after so many copied and asked for again."""
    return copied >= MEASURED and again < max(1, copied // SHARE)
