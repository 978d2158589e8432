"""What kind of work is it, how hard, and how sure are we?

From `Features` and a `Ballot` to a `Classification`. Ties go to the category that is declared
first in `PRECEDENCE`. Structure outweighs words, and a judgement that rests on words alone is
never held with more than `CONFIDENCE_OF_WORDS`.
"""

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from astrolabe_core.classify.ballot import Ballot, browses, delegates
from astrolabe_core.classify.features import Features
from astrolabe_core.classify.lanes import choose_lane
from astrolabe_core.classify.senses import Sense
from astrolabe_core.classify.stakes import Stakes
from astrolabe_core.classify.toolkit import Trait
from astrolabe_core.requests import (
    ActionClass,
    Category,
    Classification,
    Complexity,
    Modifier,
    OutputFormat,
    Request,
)
from astrolabe_core.stacks import CostMode
from astrolabe_core.units import Bps

LONG_CONTEXT_TOKENS: Final = 100_000
CACHEABLE_BYTES: Final = 4_096
"""About 1,024 tokens: providers cache no shorter prefix."""
HEARTBEAT_CHARACTERS: Final = 16
PROBE_OUTPUT_TOKENS: Final = 16
EVIDENCE_MAX: Final = 8

CONFIDENCE_OF_NOTHING: Final = 3_000
CONFIDENCE_OF_WORDS: Final = 6_500
CONFIDENCE_MAX: Final = 9_500
DOUBT_INHERITED: Final = 500

PRECEDENCE: Final = (
    Category.CODING,
    Category.ORCHESTRATION,
    Category.RETRIEVAL,
    Category.SUMMARIZATION,
    Category.RESEARCH,
    Category.COMMUNICATION,
    Category.CREATIVE,
    Category.PLANNING,
    Category.REFLECTION,
    Category.CORE_LOOP,
)
"""For ties. What changes something comes first, what is most general last."""


@frozen(kw_only=True)
class Subject:
    """All that a judgement looks at."""

    request: Request
    features: Features
    ballot: Ballot
    stakes: Stakes | None
    input_tokens: int


def judge(subject: Subject) -> Classification:
    """Judge the request."""
    category = _category(subject)
    complexity = _complexity(subject, category)
    modifiers = frozenset(_modifiers(subject, category))
    action_class = _action_class(subject, category, complexity, modifiers)
    return Classification(
        category=category,
        action_class=action_class,
        complexity=complexity,
        modifiers=modifiers,
        lane=choose_lane(subject.request.model, category, action_class, complexity, modifiers),
        confidence=_confidence(subject, category),
        evidence=tuple(_evidence(subject, category))[:EVIDENCE_MAX],
    )


def _category(subject: Subject) -> Category:
    if subject.stakes is not None:
        return Category.HIGH_STAKES
    if _beats(subject):
        return Category.HEARTBEAT
    points = subject.ballot.points
    if not points:
        return Category.CORE_LOOP
    return max(PRECEDENCE, key=lambda category: points.get(category, 0))


def _beats(subject: Subject) -> bool:
    """Is it a sign of life: tiny, at the start, and a greeting, wordless, or a probe?"""
    request, features = subject.request, subject.features
    work = features.work
    if (
        features.answered
        or features.tools
        or work.characters > HEARTBEAT_CHARACTERS
        or work.question
        or features.images + features.audios + features.videos + features.files
        or request.output_format is not OutputFormat.TEXT
    ):
        return False
    cap = request.output_tokens_max
    probe = cap is not None and cap <= PROBE_OUTPUT_TOKENS
    return work.words == 0 or probe or not _PLEASANTRIES.isdisjoint(work.senses)


_PLEASANTRIES: Final = frozenset({Sense.GREETING, Sense.THANKS})

_FLOORS: Final = {
    Category.PLANNING: 1,
    Category.ORCHESTRATION: 2,
    Category.RESEARCH: 1,
    Category.REFLECTION: 1,
}
STANDARD_POINTS: Final = 2
COMPLEX_POINTS: Final = 5


def _complexity(subject: Subject, category: Category) -> Complexity:
    if subject.stakes is not None:
        return Complexity.CRITICAL if subject.stakes.grave else Complexity.COMPLEX
    if category is Category.HEARTBEAT:
        return Complexity.SIMPLE
    points = _difficulty(subject) + _FLOORS.get(category, 0)
    work = subject.features.work
    law = len(work.senses.get(Sense.LAW, ()))
    if points >= COMPLEX_POINTS or _proves(subject) or law >= 2:
        return Complexity.COMPLEX
    if points >= STANDARD_POINTS or law:
        return Complexity.STANDARD
    return Complexity.SIMPLE


def _proves(subject: Subject) -> bool:
    work = subject.features.work
    return Sense.PROOF in work.senses and (work.math or not work.talk)


def _difficulty(subject: Subject) -> int:
    """Add up what makes work hard in any language: length, steps, code, depth, tools."""
    features, work = subject.features, subject.features.work
    code_tokens = work.code_bytes // 4
    return (
        _steps(work.tokens - code_tokens, 24, 120, 600, 4_000)
        + _steps(code_tokens, 1, 200, 1_500)
        + _steps(work.items, 3, 7)
        + _steps(features.turns, 8, 30)
        + _steps(features.tools, 1, 8)
        + _steps(subject.input_tokens, 8_000, 60_000)
        + (1 if work.math else 0)
        # To change code is never simple, whatever the words in it: "rename the variable name".
        + (2 if _changes_code(subject) else 0)
        + (2 if subject.request.reasoning else 0)
    )


def _changes_code(subject: Subject) -> bool:
    return Category.CODING in subject.ballot.points and _edits(subject.features)


def _steps(value: int, *limits: int) -> int:
    return sum([value >= limit for limit in limits])


def _modifiers(subject: Subject, category: Category) -> Iterator[Modifier]:
    request, features = subject.request, subject.features
    facts = {
        Modifier.MULTIMODAL: features.images + features.audios + features.videos + features.files,
        Modifier.TOOL_PRESENT: features.tools,
        Modifier.NEEDS_STRICT_SCHEMA: request.output_format is OutputFormat.JSON_SCHEMA,
        Modifier.EXEC_LOOP: features.calling,
        Modifier.BROWSER_RESEARCH: browses(features),
        Modifier.CODE_EDIT: category is Category.CODING and _edits(features),
        Modifier.SUBAGENT_COORDINATION: delegates(features),
        Modifier.LONG_CONTEXT: subject.input_tokens >= LONG_CONTEXT_TOKENS,
        Modifier.CACHEABLE: features.prefix_bytes >= CACHEABLE_BYTES,
        Modifier.APPROVAL_REQUIRED: request.overrides.approval_required,
        Modifier.PRICE_SENSITIVE: request.overrides.cost_mode is CostMode.LOWEST_PASSABLE
        or (Sense.CHEAP in features.work.senses and not features.work.talk),
        Modifier.UNTRUSTED_CONTENT: request.overrides.untrusted_content,
        Modifier.HIGH_STAKES: subject.stakes is not None,
    }
    yield from (modifier for modifier, holds in facts.items() if holds)


def _edits(features: Features) -> bool:
    """Is code to be changed: with tools for it, or told to with code or a word for code?"""
    work = features.work
    if Trait.EDIT in features.offered or work.diff:
        return True
    return Sense.CHANGE in work.senses and not work.talk


def _action_class(
    subject: Subject, category: Category, complexity: Complexity, modifiers: frozenset[Modifier]
) -> ActionClass:
    """Take the most consequential one that holds; the enumeration is in that order."""
    if subject.stakes is not None:
        return ActionClass.HIGH_STAKES
    if subject.features.recent_images:
        return ActionClass.VISION_ANALYSIS
    if subject.request.output_format is not OutputFormat.TEXT:
        return ActionClass.STRICT_JSON
    for modifier, action_class in (
        (Modifier.SUBAGENT_COORDINATION, ActionClass.SUBAGENT_COORDINATION),
        (Modifier.BROWSER_RESEARCH, ActionClass.BROWSER_RESEARCH),
        (Modifier.EXEC_LOOP, ActionClass.EXEC_LOOP),
        (Modifier.CODE_EDIT, ActionClass.CODE_EDIT),
    ):
        if modifier in modifiers:
            return action_class
    if category in {Category.RESEARCH, Category.RETRIEVAL, Category.SUMMARIZATION}:
        return ActionClass.RESEARCH_SYNTHESIS
    if category is Category.COMMUNICATION:
        return ActionClass.MESSAGE_DRAFTING
    if subject.features.answered or complexity is not Complexity.SIMPLE:
        return ActionClass.ACTIVE_SESSION
    return ActionClass.CASUAL_CHAT


def _confidence(subject: Subject, category: Category) -> Bps:
    ballot, features = subject.ballot, subject.features
    if category in {Category.HIGH_STAKES, Category.HEARTBEAT}:
        signals = len(subject.stakes.evidence) if subject.stakes is not None else 3
        return Bps(min(5_500 + 1_000 * signals, CONFIDENCE_MAX))
    top = ballot.points.get(category, 0)
    if not top:
        return Bps(CONFIDENCE_OF_NOTHING)
    rival = max(
        [points for other, points in ballot.points.items() if other is not category], default=0
    )
    sure = CONFIDENCE_OF_NOTHING + 500 * min(top, 8) + 400 * min(top - rival, 6)
    limit = CONFIDENCE_MAX if category in ballot.structural else CONFIDENCE_OF_WORDS
    return Bps(min(sure, limit) - (DOUBT_INHERITED if features.skipped else 0))


def _evidence(subject: Subject, category: Category) -> Iterator[str]:
    request, features = subject.request, subject.features
    if subject.stakes is not None:
        yield f"stakes:{subject.stakes.subject}"
        yield from subject.stakes.evidence
    if category is Category.HEARTBEAT:
        yield "tiny"
    if features.skipped:
        yield f"approves:{features.skipped}"
    if request.output_format is not OutputFormat.TEXT:
        yield f"format:{request.output_format}"
    if features.recent_images:
        yield f"images:{features.recent_images}"
    if features.tools:
        yield f"tools:{features.tools}"
    yield from (vote.evidence for vote in subject.ballot.votes if vote.category is category)
