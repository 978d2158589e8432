"""What does one text say about itself, by its shape and by some of its words?

Only the instruction is read for words: the first lines and the last ones, without code and
without quotations, so that a pasted article or a quoted word is not taken for the wish. Cost
is bounded: what grows with the text runs at C speed, what runs in Python sees at most
`HEAD + TAIL` characters. Each pattern is tried only where a character that it needs occurs.
"""

import re
import unicodedata
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from attrs import frozen

from astrolabe_core.classify.senses import Sense
from astrolabe_core.classify.sizes import text_tokens
from astrolabe_core.classify.words import GLYPH_PATTERN, GLYPHS, PAIR_HEADS, PAIRS, WORDS

HEAD: Final = 400
TAIL: Final = 240
UNSPACED_HEAD: Final = 160
UNSPACED_TAIL: Final = 80
"""A character of Chinese or Japanese says what three of an alphabet say."""
SHAPE: Final = 12_000
"""Characters in which list items, diffs and loose code are looked for."""
OPENING_WORDS: Final = 10
"""A sentence that is talk about something says so here."""

_FENCE: Final = "```"
_FENCES_MAX: Final = 2_000
"""What comes after so many is prose: a text has more of them only to keep us busy."""
# Latin, Greek and Cyrillic apart from what they are glued to: "Pythonで" is two words.
_WORD: Final = re.compile(r"[a-z0-9\u00c0-\u052f]+|[^\W_]+")
_DIGIT: Final = re.compile(r"\d")
_ITEM: Final = re.compile(r"\n[ \t]{0,8}(?:[-*•]|\d{1,2}[.)])[ \t]")
_QUOTED: Final = re.compile(
    r"\"[^\"\n]{0,200}\"|“[^”\n]{0,200}”|„[^“”\n]{0,200}[“”]|«[^»\n]{0,200}»|`[^`\n]{1,200}`"
    r"|(?<!\w)'[^'\n]{1,120}'(?!\w)|「[^」\n]{0,200}」"
)
_QUOTES: Final = ('"', "`", " '", "“", "„", "«", "「")
_CURRENCIES: Final = ("$", "€", "£", "¥", "₽", "₹")
_SYMBOLS: Final = ("∀", "∃", "∑", "∫", "∏", "√", "≤", "≥", "≠", "∈", "∞", "⊂")
_FORMULAS: Final = ("\\frac", "\\sum", "\\int", "\\sqrt", "\\forall", "\\mathbb", "^2", "^n", "**2")
_DIFF: Final = ("\n@@ -", "\n+++ ", "\n--- a/", "\n*** Begin Patch")
_LOOSE_CODE: Final = (";\n", "{\n", "):\n", "\ndef ", "\nimport ", "\nclass ", ">\n<")
_SNAKE: Final = re.compile(r"[a-z0-9]_[a-z]")
_CODE_MARKS: Final = ("()", "['", '["', "::", "</", ".py", ".ts", ".js", ".cpp", ".sql", ".yaml")
_QUESTIONS: Final = ("?", "？", "؟", "吗", "ですか", "ますか")  # noqa: RUF001


@frozen(kw_only=True)
class Reading:
    """What one text shows. `tokens` is its expected length; `senses` the words by their sense.

    `talk` says that it opens as a question or explanation about something, `assent` that it
    opens with a word such as yes, `identifiers` that names of programs stand in the prose. The
    words are entries of the vocabulary, in the order in which they stand, and never a caller's
    own words.
    """

    tokens: int
    characters: int
    words: int
    items: int
    code_bytes: int
    identifiers: bool
    loose_code: int
    diff: bool
    math: bool
    amount: bool
    question: bool
    talk: bool
    assent: bool
    senses: Mapping[Sense, tuple[str, ...]]


def read(text: str) -> Reading:
    """Read a text once."""
    prose, code_bytes = _without_code(text)
    shape = prose[:SHAPE] if "\n" in prose else ""
    opening = _ends(prose.strip())
    instruction = _unquoted(opening).lower()
    plain = instruction.isascii()
    if not plain:
        instruction = unicodedata.normalize("NFC", instruction)
    words = _WORD.findall(instruction)
    senses = _senses(words, [] if plain else _glyphs(instruction))
    return Reading(
        tokens=text_tokens(text)[0],
        characters=len(text),
        words=len(words),
        items=len(_ITEM.findall(shape)) if shape else 0,
        code_bytes=code_bytes,
        identifiers=_names_code(opening),
        loose_code=sum([shape.count(mark) for mark in _LOOSE_CODE]) if shape else 0,
        diff=bool(shape) and _holds(text[:SHAPE], _DIFF),
        math=_holds(instruction, _FORMULAS if plain else _FORMULAS + _SYMBOLS),
        amount=_amount(instruction, senses),
        question=_holds(instruction, _QUESTIONS),
        talk=Sense.TALK in senses and _opens_with(Sense.TALK, instruction, words, OPENING_WORDS),
        assent=Sense.APPROVAL in senses and _opens_with(Sense.APPROVAL, instruction, words, 2),
        senses=senses,
    )


def _without_code(text: str) -> tuple[str, int]:
    # To look for one character takes a tenth of the time, and mostly there is none.
    if "`" not in text or _FENCE not in text:
        return text, 0
    parts = text.split(_FENCE, _FENCES_MAX)
    return "\n".join(parts[::2]), sum([len(part) for part in parts[1::2]])


def _ends(prose: str) -> str:
    """Give the text, or of a long one its first and its last paragraph within bounds.

    What follows the first paragraph is mostly pasted; so is what comes before the last one. A
    salutation is no paragraph.
    """
    if len(prose) <= HEAD + TAIL:
        return prose
    head, tail = prose[:HEAD], prose[-TAIL:]
    end = head.find("\n\n", 12)
    begin = tail.rfind("\n\n", 0, -12)
    return f"{head if end < 0 else head[:end]}\n{tail if begin < 0 else tail[begin + 2 :]}"


def _names_code(prose: str) -> bool:
    return _holds(prose, _CODE_MARKS) or ("_" in prose and _SNAKE.search(prose) is not None)


def _unquoted(prose: str) -> str:
    if not _holds(prose, _QUOTES):
        return prose
    unquoted = _QUOTED.sub(" ", prose)
    # Some clients put the whole message in quotes: then it is the wish.
    return unquoted if _WORD.search(unquoted) else prose


def _senses(words: list[str], glyphs: list[str]) -> dict[Sense, tuple[str, ...]]:
    found: dict[Sense, list[str]] = {}
    for index, entries in (
        (WORDS, [word for word in words if word in WORDS]),
        (PAIRS, _pairs(words)),
        (GLYPHS, glyphs),
    ):
        for entry in entries:
            for sense in index[entry]:
                known = found.setdefault(sense, [])
                if entry not in known:
                    known.append(entry)
    return {sense: tuple(entries) for sense, entries in found.items()}


def _pairs(words: list[str]) -> list[str]:
    return [
        pair
        for first, second in pairwise(words)
        if first in PAIR_HEADS and (pair := f"{first}_{second}") in PAIRS
    ]


def _glyphs(text: str) -> list[str]:
    if len(text) > UNSPACED_HEAD + UNSPACED_TAIL:
        text = f"{text[:UNSPACED_HEAD]}\n{text[-UNSPACED_TAIL:]}"
    return GLYPH_PATTERN.findall(text)


def _opens_with(sense: Sense, instruction: str, words: list[str], length: int) -> bool:
    glyphs = _glyphs(instruction[: 4 * length])
    return sense in _senses(words[:length], glyphs)


def _amount(instruction: str, senses: Mapping[Sense, tuple[str, ...]]) -> bool:
    """Is a sum of money named: a digit beside a sign or word of a currency?"""
    money = Sense.CURRENCY in senses or _holds(instruction, _CURRENCIES)
    return money and _DIGIT.search(instruction) is not None


def _holds(text: str, marks: tuple[str, ...]) -> bool:
    for mark in marks:  # noqa: SIM110 - a generator costs more than what it would iterate
        if mark in text:
            return True
    return False
