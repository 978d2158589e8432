from __future__ import annotations

import pytest

from astrolabe_core.classify.vocabulary import KINDS


@pytest.mark.parametrize("word", ["name", "setup", "json", "wire", "clause", "court", "novel"])
def test_a_word_of_many_meanings_stands_for_no_kind(word: str) -> None:
    listed = {
        entry
        for languages in KINDS.values()
        for entries in languages.values()
        for entry in entries.split()
    }
    assert word not in listed
