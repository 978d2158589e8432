from __future__ import annotations

from astrolabe_core.classify.senses import Sense
from astrolabe_core.classify.words import VOCABULARY


def test_every_sense_has_words_and_every_list_a_sense() -> None:
    assert set(VOCABULARY) == set(Sense)
