"""How is a word looked up?

The vocabularies turned inside out, once, when this module is imported: `WORDS` by the whole
word, `PAIRS` by two words in a row, `GLYPHS` by characters anywhere in a text without spaces.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from astrolabe_core.classify.perils import PERILS
from astrolabe_core.classify.senses import Sense
from astrolabe_core.classify.vocabulary import KINDS

UNSPACED: Final = frozenset({"zh", "ja"})
VOCABULARY: Final[Mapping[Sense, Mapping[str, str]]] = {**KINDS, **PERILS}


def _spaced() -> Iterator[tuple[str, Sense]]:
    for sense, languages in VOCABULARY.items():
        for language, entries in languages.items():
            if language not in UNSPACED:
                for entry in entries.split():
                    yield entry, sense


def _gathered(entries: Iterator[tuple[str, Sense]]) -> dict[str, tuple[Sense, ...]]:
    found: dict[str, tuple[Sense, ...]] = {}
    for entry, sense in entries:
        if sense not in found.get(entry, ()):
            found[entry] = (*found.get(entry, ()), sense)
    return found


_ENTRIES: Final = _gathered(_spaced())
WORDS: Final[Mapping[str, tuple[Sense, ...]]] = {
    entry: senses for entry, senses in _ENTRIES.items() if "_" not in entry
}
PAIRS: Final[Mapping[str, tuple[Sense, ...]]] = {
    entry: senses for entry, senses in _ENTRIES.items() if "_" in entry
}
PAIR_HEADS: Final = frozenset([entry.partition("_")[0] for entry in PAIRS])
"""Most words begin no pair and need not be joined to the next to know it."""
GLYPHS: Final[Mapping[str, tuple[Sense, ...]]] = _gathered(
    (entry, sense)
    for sense, languages in VOCABULARY.items()
    for language in sorted(UNSPACED)
    for entry in languages[language].split()
)
# Longest first: of two entries that begin alike the longer one is meant.
GLYPH_PATTERN: Final = re.compile(
    "|".join(re.escape(entry) for entry in sorted(GLYPHS, key=lambda entry: (-len(entry), entry)))
)
