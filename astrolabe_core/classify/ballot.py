"""For which category does each fact speak, and how strongly?

A `Ballot` is points by category, kept apart by where they come from: structure, which no
wording can forge, and words. This is the seam for a trained classifier: another function of
`Features` may cast a ballot, and `astrolabe_core.classify.kind` judges whatever was cast.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from attrs import frozen

from astrolabe_core.classify.features import Features
from astrolabe_core.classify.reading import Reading
from astrolabe_core.classify.senses import Sense
from astrolabe_core.classify.toolkit import Trait
from astrolabe_core.requests import Category

WORD_POINTS: Final = 2
WORDS_COUNTED: Final = 3
"""A list of words, however often met, weighs less than two facts of structure."""
TALK_POINTS: Final = 1
"""Words in a sentence about a thing are only half evidence of the thing."""
LONG_CHARACTERS: Final = 1_200
"""A text that was supplied rather than typed."""


@frozen
class Vote:
    """One fact, the category it speaks for, its weight, and whether it is structure."""

    category: Category
    points: int
    evidence: str
    structural: bool


@frozen(kw_only=True)
class Ballot:
    """All votes, and the sum for each category that got any."""

    votes: tuple[Vote, ...]
    points: Mapping[Category, int]
    structural: frozenset[Category]


_BY_SENSE: Final[Mapping[Sense, Category]] = {
    Sense.CODE: Category.CODING,
    Sense.SUMMARY: Category.SUMMARIZATION,
    Sense.RESEARCH: Category.RESEARCH,
    Sense.PLAN: Category.PLANNING,
    Sense.CREATIVE: Category.CREATIVE,
    Sense.MESSAGE: Category.COMMUNICATION,
    Sense.REFLECT: Category.REFLECTION,
    Sense.DELEGATE: Category.ORCHESTRATION,
}
_BY_TRAIT: Final[Mapping[Trait, tuple[Category, int]]] = {
    Trait.EDIT: (Category.CODING, 4),
    Trait.RUN: (Category.CODING, 2),
    Trait.READ: (Category.CODING, 1),
    Trait.LOOKUP: (Category.RETRIEVAL, 3),
    Trait.PLAN: (Category.PLANNING, 1),
    Trait.MESSAGE: (Category.COMMUNICATION, 1),
}
CODE_MARKS_MIN: Final = 3


def cast(features: Features) -> Ballot:
    """Let each fact of the work vote; ask the context, then the system prompt, if none did."""
    votes = [*_structure(features), *_words(features.work, WORD_POINTS)]
    if _continues(features, votes) and features.context is not None:
        votes += _context_votes(features.context)
    if not votes and features.system is not None:
        votes += _words(features.system, TALK_POINTS, prefix="system:")
    return count(votes)


def _continues(features: Features, votes: list[Vote]) -> bool:
    """Does the work say nothing of its own, and go on with what was wished before?"""
    courtesy = Sense.THANKS in features.work.senses or Sense.GREETING in features.work.senses
    return not courtesy and all(vote.structural for vote in votes)


def count(votes: list[Vote]) -> Ballot:
    """Sum the votes."""
    points: dict[Category, int] = {}
    for vote in votes:
        points[vote.category] = points.get(vote.category, 0) + vote.points
    structural = frozenset([vote.category for vote in votes if vote.structural])
    return Ballot(votes=tuple(votes), points=points, structural=structural)


def _structure(features: Features) -> Iterator[Vote]:
    work = features.work
    for trait, (category, points) in _BY_TRAIT.items():
        if trait in features.offered:
            yield Vote(category, points, f"tools:{trait}", structural=True)
    if browses(features):
        yield Vote(Category.RESEARCH, 4, "tools:browse", structural=True)
    if delegates(features):
        yield Vote(Category.ORCHESTRATION, 5, "tools:delegate", structural=True)
    yield from _code_votes(work)
    if features.calling:
        yield Vote(Category.CORE_LOOP, 1, "calling", structural=True)
    if work.question and (work.characters > LONG_CHARACTERS or features.files):
        yield Vote(Category.RETRIEVAL, 3, "question:supplied_text", structural=True)
    if Sense.SUMMARY in work.senses and (work.characters > LONG_CHARACTERS or features.files):
        yield Vote(Category.SUMMARIZATION, 3, "supplied_text", structural=True)


def _code_votes(work: Reading) -> Iterator[Vote]:
    if work.diff:
        yield Vote(Category.CODING, 4, "diff", structural=True)
    if work.code_bytes:
        yield Vote(Category.CODING, 3, "code_fence", structural=True)
    elif work.loose_code >= CODE_MARKS_MIN:
        yield Vote(Category.CODING, 3, "code", structural=True)
    if work.identifiers:
        yield Vote(Category.CODING, 2, "identifiers", structural=True)


def _words(reading: Reading, points: int, *, prefix: str = "word:") -> Iterator[Vote]:
    if reading.talk:
        points = TALK_POINTS
    for sense, category in _BY_SENSE.items():
        for entry in reading.senses.get(sense, ())[:WORDS_COUNTED]:
            yield Vote(category, points, f"{prefix}{entry}", structural=False)
    if Sense.SOURCE in reading.senses and reading.question:
        for entry in reading.senses[Sense.SOURCE][:WORDS_COUNTED]:
            yield Vote(Category.RETRIEVAL, points, f"{prefix}{entry}", structural=False)


def _context_votes(context: Reading) -> Iterator[Vote]:
    yield from _code_votes(context)
    yield from _words(context, TALK_POINTS, prefix="context:")


def browses(features: Features) -> bool:
    """Is this a browser's work: pages are being read, or that is what most tools are for?"""
    browsing = features.offered.get(Trait.BROWSE, 0)
    return Trait.BROWSE in features.called or 2 * browsing > features.tools


def delegates(features: Features) -> bool:
    """Is this about other agents: called, wanted, or what most tools are for?

    Coding agents always offer one such tool among many, and that alone says nothing.
    """
    helpers = features.offered.get(Trait.DELEGATE, 0)
    wanted = Sense.DELEGATE in features.work.senses
    return helpers > 0 and (
        wanted or Trait.DELEGATE in features.called or 2 * helpers > features.tools
    )
