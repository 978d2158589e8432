"""How does the document tell a routing: traces, dry runs, what an answer says of itself?

The renderings of `astrolabe_core.trace` and `tables`. Amounts are decimal strings of dollars,
shares decimal strings from 0 to 1, instants milliseconds since 1970.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_core.answers import FaultKind
from astrolabe_core.catalog import Basis
from astrolabe_core.codes import Code, Kind, Miss, PolicyStatus, Unbillable
from astrolabe_core.requests import ActionClass, Category, Complexity, Modifier
from astrolabe_core.stacks import CostMode, FallbackMode, QualityTarget, VerificationMode
from astrolabe_core.trace import Flag
from astrolabe_http.openapi.headers import REQUEST_ID
from astrolabe_http.openapi.schema import (
    BOOLEAN,
    NULL,
    STRING,
    Schema,
    any_of,
    array,
    count,
    described,
    nullable,
    record,
    ref,
    text,
    whole,
    words,
)

USD: Final = text("Dollars, a decimal string.", pattern=r"^-?[0-9]+(\.[0-9]+)?$")
SHARE: Final = text("From 0 to 1, a decimal string.", pattern=r"^[01](\.[0-9]+)?$")
INSTANT: Final = count("Milliseconds since 1970.")
# Words of policy modules, which nobody out here may import; a test compares them.
VERIFICATION_STATUSES: Final = ("skipped", "passed", "failed")
LEVELS: Final = ("request", "key", "workspace", "default")
LAYERS: Final = ("stack", "workspace", "key", "continuation")
CHECKS: Final = (
    "finished",
    "not_truncated",
    "not_refused",
    "not_empty",
    "tool_arguments_parse",
    "json_parses",
)

_STACK: Final = record(
    {
        "slug": STRING,
        "version": whole(minimum=1),
        "hash": text("SHA-256 of its content."),
        "resolved_by": words(LEVELS, "Who named it."),
        "layers": array(words(LAYERS), "Whose boundaries hold."),
    },
    "The stack that governs.",
)
_CLASSIFICATION: Final = record(
    {
        "category": words(Category),
        "action_class": words(ActionClass),
        "complexity": words(Complexity),
        "modifiers": array(words(Modifier)),
        "lane": STRING,
        "confidence": SHARE,
        "evidence": array(STRING, "The facts and words that decided."),
    },
    "What kind of work the request was found to be.",
)
_SCORE: Final[dict[str, Schema]] = {
    "model": STRING,
    "provider": STRING,
    "quality": SHARE,
    "quality_basis": words(Basis),
    "latency_basis": words(Basis),
    "reliability": SHARE,
    "reserve": described(BOOLEAN, "Whether it stands in only for those that fail."),
    "expected_cost_usd": USD,
    "latency_ms": count(),
    "misses": array(words(Miss), "Soft targets that it falls short of."),
}
_DECISION: Final = record(
    {
        "kind": nullable(words(Kind)),
        "reason": text("In words."),
        "selected": ref("SelectedCandidate"),
        "plan": array(STRING, "Whom to try, in order."),
        "accepted": array(ref("AcceptedCandidate"), "In order of rank."),
        "rejected": array(ref("RejectedCandidate")),
        "estimated_cost_usd": USD,
        "baseline_model": nullable(STRING),
        "baseline_cost_usd": nullable(USD),
        "estimated_savings_usd": nullable(USD),
        "quality_target": words(QualityTarget),
        "cost_mode": words(CostMode),
        "fallback_mode": words([*FallbackMode, "off"]),
        "verification_mode": words(VerificationMode),
        "fingerprint": text("Names all inputs: equal ones give this decision again."),
    },
    "A decision that names a model.",
    optional=["accepted", "rejected"],
)
_BLOCKED: Final = record(
    {
        "kind": words((Kind.BLOCKED,)),
        "reason": STRING,
        "selected": NULL,
        "accepted": array(ref("AcceptedCandidate"), maxItems=0),
        "rejected": array(ref("RejectedCandidate")),
        "unblock": array(ref("Unblocking")),
        "fingerprint": STRING,
    },
    "A decision that admits nobody.",
)
_ATTEMPT: Final = record(
    {
        "model": STRING,
        "provider": STRING,
        "host": nullable(STRING, "Who really served, where the upstream tells."),
        "generation": nullable(STRING, "The upstream's id of the call."),
        "outcome": words(["answered", *FaultKind]),
        "message": nullable(STRING),
        "status": nullable(whole(), "The provider's HTTP status, where it failed."),
        "verification": nullable(ref("Verification")),
        "delivered": BOOLEAN,
        "started_at": INSTANT,
        "duration_ms": count(),
        "usage": nullable(ref("TokenCounts")),
        "provider_cost_usd": nullable(USD),
    },
    "One call of a provider.",
)
_LEDGER: Final = record(
    {
        "hold_usd": USD,
        "debit_usd": USD,
        "unbillable_reason": nullable(words(Unbillable)),
        "provider_cost_usd": nullable(USD),
        "usage": nullable(ref("TokenCounts")),
        "flags": array(words(Flag), "What is odd about the money of this request."),
    },
    "The money of a request.",
)
_INLINE: Final = record(
    {
        "request_id": REQUEST_ID,
        "stack": nullable(STRING),
        "version": nullable(whole()),
        "decision": nullable(words(Kind)),
        "reason": nullable(STRING),
        "selected": nullable(STRING, "The first choice."),
        "served": nullable(STRING, "The model that answered."),
        "attempts": count(),
        "policy_status": words(PolicyStatus),
        "classification": nullable(ref("Classification")),
        "verification": nullable(ref("Verification")),
        "cost": record(
            {
                "estimated_usd": nullable(USD),
                "debit_usd": USD,
                "hold_usd": USD,
                "baseline_usd": nullable(USD),
                "savings_usd": nullable(USD),
            }
        ),
        "savings": nullable(USD),
        "output_tokens_max": nullable(count(), "The cap that was priced and sent."),
        "accepted": array(ref("AcceptedCandidate")),
        "rejected": array(ref("RejectedCandidate")),
        "fingerprint": STRING,
    },
    "How an answer was routed. Candidates and fingerprint only where `explain` asks.",
    optional=["accepted", "rejected", "fingerprint"],
)

ROUTING_SCHEMAS: Final[Mapping[str, Schema]] = {
    "Trace": record(
        {
            "request_id": REQUEST_ID,
            "stack": nullable(ref("GoverningStack")),
            "continuation": nullable(
                record(
                    {
                        "previous_response_id": nullable(STRING),
                        "provider": nullable(STRING, "Who alone can read its sealed reasoning."),
                    },
                    "What the request goes on from.",
                )
            ),
            "classification": nullable(ref("Classification")),
            "decision": any_of(ref("Decision"), ref("BlockedDecision"), NULL),
            "policy_status": words(PolicyStatus),
            "attempts": array(ref("Attempt")),
            "verification": nullable(ref("Verification")),
            "ledger": ref("LedgerEntry"),
            "refusal": nullable(
                record({"code": words(Code), "message": STRING, "param": nullable(STRING)}),
                "Why there was no answer.",
            ),
            "timing": record(
                {
                    "received_at": INSTANT,
                    "first_token_ms": nullable(count()),
                    "total_ms": nullable(count()),
                }
            ),
        },
        "What happened to a request, and why. It holds no prompt and no answer.",
    ),
    "GoverningStack": _STACK,
    "Classification": _CLASSIFICATION,
    "AcceptedCandidate": record(_SCORE, "A model that may serve."),
    "SelectedCandidate": record(
        {
            **_SCORE,
            "output_tokens_max": count("The cap that is priced and sent."),
            "hold_usd": USD,
        },
        "The first choice.",
    ),
    "Decision": _DECISION,
    "BlockedDecision": _BLOCKED,
    "Attempt": _ATTEMPT,
    "Verification": record(
        {
            "mode": words(VerificationMode),
            "status": words(VERIFICATION_STATUSES),
            "verifier": nullable(STRING),
            "findings": array(record({"check": words(CHECKS), "message": STRING})),
        },
        "What the checks of an answer found.",
    ),
    "LedgerEntry": _LEDGER,
    "TokenCounts": record(
        {
            "input_tokens": whole(),
            "output_tokens": whole(),
            "cached_input_tokens": whole(),
            "cache_write_tokens": whole(),
            "reasoning_tokens": whole(),
        },
        "As the provider counted. Cached and reasoning tokens are parts of the whole.",
    ),
    "RoutingReport": _INLINE,
}
