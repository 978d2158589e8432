"""How long will the answer probably be?

Tokens of output for one choice, by category and complexity; no more than the caller's cap. The
figures are judgements and not measurements: usual lengths of such answers, reasoning included.
What is learnt from outcomes will replace them.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_core.requests import Category, Complexity
from astrolabe_core.units import Tokens

_BASE: Final[Mapping[Category, int]] = {
    Category.HEARTBEAT: 16,
    Category.CORE_LOOP: 300,
    Category.RETRIEVAL: 250,
    Category.SUMMARIZATION: 350,
    Category.PLANNING: 800,
    Category.ORCHESTRATION: 400,
    Category.CODING: 700,
    Category.RESEARCH: 1_200,
    Category.CREATIVE: 700,
    Category.COMMUNICATION: 350,
    Category.HIGH_STAKES: 600,
    Category.REFLECTION: 500,
}
_HALVES: Final[Mapping[Complexity, int]] = {
    Complexity.SIMPLE: 1,
    Complexity.STANDARD: 2,
    Complexity.COMPLEX: 4,
    Complexity.CRITICAL: 4,
}
REASONING_FACTOR: Final = 3


def expect_answer(
    category: Category, complexity: Complexity, *, reasoning: bool, cap: Tokens | None
) -> Tokens:
    """Give the expected tokens of one answer."""
    tokens = _BASE[category] * _HALVES[complexity] // 2
    if reasoning:
        tokens *= REASONING_FACTOR
    return Tokens(tokens if cap is None else min(tokens, cap))
