"""What a deployment allows beyond a plain copy."""

from __future__ import annotations

import pytest

from osscopy.model import Refused
from osscopy.plan.allowed.options import ANY_OPTION, NO_OPTION, WORDS


@pytest.mark.parametrize("word", WORDS)
def test_what_is_not_allowed_is_refused_with_the_word_that_lacks(word: str) -> None:
    with pytest.raises(Refused) as caught:
        NO_OPTION.need(word, "this deletes objects", "delete")  # type: ignore[arg-type]  # of the words
    error = caught.value
    assert (error.code, error.status, error.field) == ("NotAllowed", 403, "delete")
    assert error.message == f"this deletes objects: ALLOWED_OPTIONS lacks {word}"
    ANY_OPTION.need(word, "this deletes objects", "delete")  # type: ignore[arg-type]  # of the words
