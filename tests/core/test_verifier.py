"""Whom to ask for a grade, and what was said."""

from astrolabe_core.verifier import read_grade
from tests.flow.world import answer


def test_what_is_no_grade_is_none() -> None:
    assert read_grade(answer(text="fine")) is None
