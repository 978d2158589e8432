from __future__ import annotations

from astrolabe_core.classify.perils import PERILS
from astrolabe_core.classify.senses import Sense


def test_a_subject_and_its_deeds_share_no_word_that_would_be_both_signals() -> None:
    for subject, deed in ((Sense.MONEY, Sense.PAY), (Sense.MEDICINE, Sense.DOSE)):
        for language, entries in PERILS[subject].items():
            assert set(entries.split()).isdisjoint(PERILS[deed][language].split())
