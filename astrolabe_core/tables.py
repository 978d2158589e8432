"""How does a decision look as JSON: scores, rejections, changes, classification?

The one rendering that a 409, a dry run, the inline metadata and a stored trace share. Money is
a decimal string of dollars, shares are basis points divided out to decimal strings.
"""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from astrolabe_core.boundaries import Rejected, Rejection
from astrolabe_core.codes import Json
from astrolabe_core.decide import Blocked, Change, Circumstances, Decision
from astrolabe_core.money import usd_text
from astrolabe_core.requests import Classification
from astrolabe_core.scoring import Contender, Score

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def json_text(value: Json) -> str:
    """Write compact JSON text."""
    return _ENCODER.encode(value)


def share_text(share: int) -> str:
    """Write basis points as a decimal share: 8 700 is `"0.87"`."""
    whole, rest = divmod(share, 10_000)
    tail = f"{rest:04d}".rstrip("0")
    return f"{whole}.{tail}" if tail else str(whole)


def classification_json(found: Classification) -> dict[str, Json]:
    """Write a classification; modifiers are sorted."""
    return {
        "category": found.category.value,
        "action_class": found.action_class.value,
        "complexity": found.complexity.value,
        "modifiers": tuple(sorted(modifier.value for modifier in found.modifiers)),
        "lane": found.lane,
        "confidence": share_text(found.confidence),
        "evidence": found.evidence,
    }


def accepted_json(accepted: Iterable[Score]) -> Json:
    """Write accepted candidates in order of rank."""
    return tuple(_score_json(score) for score in accepted)


def accepted_text(accepted: Iterable[Score]) -> str:
    """Write `accepted_json` as JSON text: every trace has this table, and few are ever read."""
    return f"[{','.join([_score_text(score) for score in accepted])}]"


def rejected_json(rejected: Iterable[Rejected]) -> Json:
    """Write rejected candidates, each with every reason."""
    return tuple(
        {
            "model": item.model,
            "reasons": tuple(_rejection_json(rejection) for rejection in item.rejections),
        }
        for item in rejected
    )


def unblock_json(changes: Iterable[Change]) -> Json:
    """Write the smallest sets of rule changes that would admit a model."""
    return tuple({"model": change.model, "changes": change.changes} for change in changes)


def selected_json(decision: Decision) -> dict[str, Json]:
    """Write the first choice with the cap and the hold that go with it."""
    option = decision.selected
    return {
        **_score_json(decision.estimate),
        "output_tokens_max": option.output_tokens_max,
        "hold_usd": usd_text(option.hold),
    }


def costs_json(decision: Decision, now: Circumstances) -> dict[str, Json]:
    """Write estimate, baseline and savings of a decision, and how much of it is for a verifier."""
    baseline, savings = decision.baseline, decision.savings
    return {
        "estimated_cost_usd": usd_text(decision.estimate.expected_cost),
        "verifier_cost_usd": usd_text(now.verifier_cost),
        "baseline_model": None if baseline is None else baseline.model,
        "baseline_cost_usd": None if baseline is None else usd_text(baseline.cost),
        "estimated_savings_usd": None if savings is None else usd_text(savings),
    }


def blocked_json(blocked: Blocked, now: Circumstances) -> dict[str, Json]:
    """Write a decision that admits nobody."""
    return {
        "kind": "blocked",
        "reason": "every candidate is rejected",
        "selected": None,
        "accepted": (),
        "rejected": rejected_json(blocked.rejected),
        "unblock": unblock_json(blocked.unblock),
        "verifier_cost_usd": usd_text(now.verifier_cost),
        "fingerprint": blocked.fingerprint,
    }


def _score_json(score: Score) -> dict[str, Json]:
    return {
        **_figures_json(score.contender),
        "expected_cost_usd": usd_text(score.expected_cost),
        "latency_ms": score.latency_ms,
        "misses": score.misses,
    }


def _score_text(score: Score) -> str:
    misses = ",".join([f'"{miss}"' for miss in score.misses])
    return (
        f"{_figures_text(score.contender)}"
        f',"expected_cost_usd":"{usd_text(score.expected_cost)}"'
        f',"latency_ms":{score.latency_ms},"misses":[{misses}]}}'
    )


@lru_cache(maxsize=65_536)
def _figures_text(found: Contender) -> str:
    return json_text(_figures_json(found))[:-1]


@lru_cache(maxsize=65_536)
def _figures_json(found: Contender) -> dict[str, Json]:
    """Write what does not depend on the request; once for each prepared contender."""
    return {
        "model": found.model.id,
        "provider": found.model.provider,
        "quality": share_text(found.quality.value),
        "quality_basis": found.quality.basis.value,
        "latency_basis": found.latency_basis.value,
        "reliability": share_text(found.reliability.value),
        "reserve": found.reserve,
    }


def _rejection_json(rejection: Rejection) -> dict[str, Json]:
    return {
        "code": rejection.reason.value,
        "rule": rejection.rule,
        "limit": rejection.limit,
        "actual": rejection.actual,
        "imposed_by": rejection.imposed_by,
        "remedy": rejection.remedy,
    }
