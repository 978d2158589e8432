"""Which faults did the control endpoint order for the next calls?

A `Rule` matches models by a shell pattern, calls by a word that their body `holds`, and what they
are calls `of`: answers, verdicts on answers, or any. It acts on the next `times` of them, or on
each with a probability drawn from its own seed, so that a run repeats. The first rule that acts
wins; a fault in the model's name wins over all. A rule may also dictate the `text` of an answer.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from astrolabe_http.simulator.asks import is_number, is_whole
from astrolabe_http.simulator.faults import Faults, UnknownFault, parse

_KEYS = {"model", "holds", "of", "fault", "text", "times", "after", "probability", "seed"}
OF = ("answer", "verdict", "any")
NO_FAULTS = Faults()


@dataclass(slots=True)
class Rule:
    """One order. `times` None means for ever; the first `after` matching calls pass untouched."""

    model: str = "*"
    holds: str = ""
    of: str = "answer"
    faults: Faults = NO_FAULTS
    text: str | None = None
    times: int | None = 1
    after: int = 0
    probability: float = 1.0
    seed: int = 0
    taken: int = 0
    chance: random.Random = field(default_factory=random.Random)

    def takes(self, model: str, body: bytes, of: str) -> bool:
        """Whether the rule acts on this call; counts it if so."""
        if not fnmatchcase(model, self.model) or self.times == 0 or self.of not in (of, "any"):
            return False
        if self.holds.encode() not in body:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.probability < 1 and self.chance.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        self.taken += 1
        return True

    def describe(self) -> dict[str, object]:
        """The rule as the control endpoint shows it."""
        return {
            "model": self.model,
            "holds": self.holds,
            "of": self.of,
            "fault": str(self.faults),
            "text": self.text,
            "times": self.times,
            "after": self.after,
            "probability": self.probability,
            "seed": self.seed,
            "taken": self.taken,
        }


@dataclass(slots=True)
class Plan:
    """All rules, in the order they came."""

    rules: list[Rule] = field(default_factory=list)

    def take(self, model: str, body: bytes, of: str) -> Rule | None:
        """The first rule that acts on a call of this model."""
        if not self.rules:
            return None
        return next((rule for rule in self.rules if rule.takes(model, body, of)), None)


def read_rule(value: object) -> Rule | str:
    """A rule of the control endpoint's JSON, or what is wrong with it."""
    if not isinstance(value, Mapping):
        return "a rule is an object"
    unknown = sorted(set(value) - _KEYS)
    if unknown:
        return f"unknown keys {', '.join(unknown)}; known: {', '.join(sorted(_KEYS))}"
    rule = Rule()
    for name in ("model", "holds", "of", "text"):
        said = value.get(name)
        if not isinstance(said, str | None):
            return "model, holds, of, fault and text are strings"
        if said is not None:
            setattr(rule, name, said)
    if rule.of not in OF:
        return f"of is one of {', '.join(OF)}"
    fault = value.get("fault", "")
    if not isinstance(fault, str):
        return "model, holds, of, fault and text are strings"
    faults = parse(fault) if fault else NO_FAULTS
    if isinstance(faults, UnknownFault):
        return f"unknown fault {faults.text!r}"
    if not fault and rule.text is None:
        return "a rule needs a fault or a text"
    rule.faults = faults
    return _often(rule, value)


def _often(rule: Rule, value: Mapping[str, Any]) -> Rule | str:
    """Say how often a rule acts."""
    probability = value.get("probability", 1.0)
    if not is_number(probability) or not 0 <= probability <= 1:
        return "probability is a number from 0 to 1"
    times = value.get("times", 1 if "probability" not in value else None)
    after, seed = value.get("after", 0), value.get("seed", 0)
    if (
        not (times is None or (is_whole(times) and times >= 0))
        or not is_whole(after)
        or not is_whole(seed)
    ):
        return "times, after and seed are integers from 0"
    rule.probability, rule.times, rule.after, rule.seed = float(probability), times, after, seed
    rule.chance = random.Random(seed)  # noqa: S311  # which calls fail must repeat, not be secret
    return rule
