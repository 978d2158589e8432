from __future__ import annotations

import pytest

from astrolabe_core.classify.senses import Sense
from astrolabe_core.classify.words import (
    GLYPH_PATTERN,
    GLYPHS,
    PAIR_HEADS,
    PAIRS,
    UNSPACED,
    VOCABULARY,
    WORDS,
)


def test_a_word_may_have_several_senses() -> None:
    assert WORDS["переведи"] == (Sense.MESSAGE, Sense.PAY)


def test_every_pair_can_be_reached_by_its_first_word() -> None:
    assert {pair.partition("_")[0] for pair in PAIRS} == PAIR_HEADS
    assert all(pair.count("_") == 1 for pair in PAIRS)


def test_every_entry_is_as_the_reader_makes_it() -> None:
    for entry in (*WORDS, *PAIRS):
        assert entry == entry.lower()
        assert entry.replace("_", "").isalnum()


def test_the_longer_of_two_entries_is_found() -> None:
    assert GLYPH_PATTERN.findall("好的") == ["好的"]
    assert set(GLYPHS) == {
        entry
        for languages in VOCABULARY.values()
        for language in UNSPACED
        for entry in languages[language].split()
    }


@pytest.mark.parametrize("sense", list(Sense))
def test_no_sense_is_one_language_s_words(sense: Sense) -> None:
    """litellm PR #39226, librefang #7757: lists of English words call the rest simple."""
    assert set(VOCABULARY[sense]) >= {"en", "de", "fr", "es", "pt", "it", "pl", "ru", "zh", "ja"}
