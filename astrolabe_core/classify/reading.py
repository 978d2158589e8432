"""What does one text say about itself, by its shape and by some of its words?

Only the instruction is read for words: the first lines and the last ones, without code and
without quotations, so that a pasted article or a quoted word is not taken for the wish. Cost
is bounded: what grows with the text runs at C speed, what runs in Python sees at most
`HEAD + TAIL` characters.
"""

import re
import unicodedata
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from attrs import frozen

from astrolabe_core.classify.senses import Sense
from astrolabe_core.classify.sizes import text_tokens
from astrolabe_core.classify.words import GLYPH_PATTERN, GLYPHS, PAIRS, STEM_LETTERS, STEMS, WORDS

HEAD: Final = 480
TAIL: Final = 320
SHAPE: Final = 12_000
"""Characters in which list items, diffs and loose code are looked for."""
OPENING_WORDS: Final = 10
"""A sentence that is talk about something says so here."""

_FENCE: Final = "```"
_WORD: Final = re.compile(r"[^\W_]+")
_ITEM: Final = re.compile(r"\n[ \t]{0,8}(?:[-*•]|\d{1,2}[.)])[ \t]")
_QUOTED: Final = re.compile(
    r"\"[^\"\n]{0,200}\"|“[^”\n]{0,200}”|„[^“”\n]{0,200}[“”]|«[^»\n]{0,200}»|`[^`\n]{1,200}`"
    r"|(?<!\w)'[^'\n]{1,120}'(?!\w)|「[^」\n]{0,200}」"
)
_AMOUNT: Final = re.compile(r"[$€£¥₽₹]\s?\d|\d\s?[$€£¥₽₹]|\d\s?(?:usd|eur|euros?|dollars?)\b")
_MATH: Final = re.compile(r"[∀∃∑∫∏√≤≥≠∈∞⊂→]|\\(?:frac|sum|int|sqrt|forall|mathbb)|\$[^$\n]{1,80}\^")
_DIFF: Final = ("\n@@ -", "\n+++ ", "\n--- a/", "diff --git ", "*** Begin Patch")
_LOOSE_CODE: Final = (";\n", "{\n", "):\n", "\ndef ", "\nimport ", "\nclass ", "=> {", "</")
_QUESTION: Final = re.compile(r"[?？؟]")  # noqa: RUF001


@frozen(kw_only=True)
class Reading:
    """What one text shows. `tokens` is its expected length; `senses` the words by their sense.

    `talk` says that it opens as a question or explanation about something. The words are
    entries of the vocabulary and never a caller's own words.
    """

    tokens: int
    characters: int
    words: int
    items: int
    code_bytes: int
    loose_code: int
    diff: bool
    math: bool
    amount: bool
    question: bool
    talk: bool
    senses: Mapping[Sense, tuple[str, ...]]


def read(text: str) -> Reading:
    """Read a text once."""
    prose, code_bytes = _without_code(text)
    shape = prose[:SHAPE]
    instruction = _instruction(prose)
    lowered = instruction.lower()
    if not lowered.isascii():
        lowered = unicodedata.normalize("NFC", lowered)
    words = _WORD.findall(lowered)
    tokens, _ = text_tokens(text)
    senses = _senses(lowered, words)
    return Reading(
        tokens=tokens,
        characters=len(text),
        words=len(words),
        items=len(_ITEM.findall(shape)),
        code_bytes=code_bytes,
        loose_code=sum([shape.count(mark) for mark in _LOOSE_CODE]),
        diff=any(mark in text for mark in _DIFF),
        math=_MATH.search(instruction) is not None,
        amount=_AMOUNT.search(lowered) is not None,
        question=_QUESTION.search(instruction) is not None,
        talk=Sense.TALK in senses and _opens_as_talk(lowered, words),
        senses=senses,
    )


def _without_code(text: str) -> tuple[str, int]:
    if _FENCE not in text:
        return text, 0
    parts = text.split(_FENCE)
    return "\n".join(parts[::2]), sum([len(part) for part in parts[1::2]])


def _instruction(prose: str) -> str:
    prose = prose.strip()
    if len(prose) > HEAD + TAIL:
        # What follows the first paragraph of a long text is mostly pasted; so is what comes
        # before the last one. A salutation is no paragraph.
        head, tail = prose[:HEAD], prose[-TAIL:]
        end = head.find("\n\n", 12)
        begin = tail.rfind("\n\n", 0, -12)
        prose = f"{head if end < 0 else head[:end]}\n{tail[begin + 2 :] if begin >= 0 else tail}"
    unquoted = _QUOTED.sub(" ", prose)
    return unquoted if _WORD.search(unquoted) else prose


def _senses(lowered: str, words: list[str]) -> dict[Sense, tuple[str, ...]]:
    found: dict[Sense, list[str]] = {}
    for index, entry in (
        *[(WORDS, word) for word in words if word in WORDS],
        *[(STEMS, word[:STEM_LETTERS]) for word in words if word[:STEM_LETTERS] in STEMS],
        *[
            (PAIRS, pair)
            for first, second in pairwise(words)
            if (pair := f"{first}_{second}") in PAIRS
        ],
        *[
            (GLYPHS, glyph)
            for glyph in ([] if lowered.isascii() else GLYPH_PATTERN.findall(lowered))
        ],
    ):
        for sense in index[entry]:
            entries = found.setdefault(sense, [])
            if entry not in entries:
                entries.append(entry)
    return {sense: tuple(entries) for sense, entries in found.items()}


def _opens_as_talk(lowered: str, words: list[str]) -> bool:
    opening = words[:OPENING_WORDS]
    pairs = [f"{first}_{second}" for first, second in pairwise(opening)]
    return any(
        Sense.TALK in WORDS.get(word, ()) or Sense.TALK in PAIRS.get(word, ())
        for word in (*opening, *pairs)
    ) or any(Sense.TALK in GLYPHS[glyph] for glyph in GLYPH_PATTERN.findall(lowered))
