"""Which model is to judge an answer, what is it asked, and what did it say?

The verifier obeys the boundaries of the request that it judges, since it reads all of it. It is
asked for a grade in a strict schema; whatever is no such grade is none. The prompt has a version,
and everything in it that is not ours is data.
"""

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from astrolabe_core.answers import Answer
from astrolabe_core.catalog import Catalog, Model
from astrolabe_core.requests import Profile, Request
from astrolabe_core.resolve import Layer
from astrolabe_core.stacks import VerificationMode
from astrolabe_core.units import Bps, Instant, Millis, ModelId, Tokens
from astrolabe_core.verification import Grade, Verdict

PROMPT_VERSION: Final = 1
VERIFIERS_MAX: Final = 2
"""How many verifiers are asked for one answer: the second where the first one failed."""
OUTPUT_TOKENS_MAX: Final = Tokens(2_048)
"""What a verifier may say, its reasoning included."""
TIME_MAX_MS: Final = Millis(30_000)


@frozen(kw_only=True)
class Bench:
    """Who may judge: what choosing a verifier depends on."""

    catalog: Catalog
    layers: tuple[Layer, ...]
    circuits_open: frozenset[ModelId]
    at: Instant


def warranted(verdict: Verdict, answer: Answer, profile: Profile, labels: Sequence[str]) -> bool:
    """Whether the mode wants a verifier for this answer; `labels` are what its calls may do."""
    del answer, profile, labels
    return verdict.mode in {VerificationMode.STRICT, VerificationMode.STRONG}


def choose_verifier(
    bench: Bench, mode: VerificationMode, answerer: Model, asked: Sequence[ModelId]
) -> Model | None:
    """Give who is to judge next, or `None` where nobody is left who may."""
    del bench, mode, answerer, asked
    return None


def verifier_request(request: Request, answer: Answer, model: Model) -> Request:
    """Make the verifier's request, in Chat's words."""
    del answer, model
    return request


def read_grade(answer: Answer) -> Grade | None:
    """Read a grade from what a verifier said; `None` for everything that is none."""
    del answer
    return None


CLASSIFIER_CONFIDENCE_MIN: Final = Bps(3_500)
"""Below this the classification is a guess, and `auto` asks a verifier."""
