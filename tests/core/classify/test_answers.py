from __future__ import annotations

from itertools import pairwise

from astrolabe_core.classify.answers import REASONING_FACTOR, expect_answer
from astrolabe_core.requests import Category, Complexity
from astrolabe_core.units import Tokens


def test_every_kind_of_work_has_an_expected_answer_that_grows_with_its_complexity() -> None:
    for category in Category:
        lengths = [
            expect_answer(category, complexity, reasoning=False, cap=None)
            for complexity in Complexity
        ]
        assert lengths[0] > 0
        assert all(shorter <= longer for shorter, longer in pairwise(lengths))


def test_reasoning_is_output_too() -> None:
    plain = expect_answer(Category.CODING, Complexity.COMPLEX, reasoning=False, cap=None)
    thought = expect_answer(Category.CODING, Complexity.COMPLEX, reasoning=True, cap=None)
    assert thought == REASONING_FACTOR * plain


def test_no_answer_is_expected_beyond_the_caller_s_cap() -> None:
    cap = Tokens(5)
    assert expect_answer(Category.CODING, Complexity.COMPLEX, reasoning=True, cap=cap) == 5
