"""How does the document tell a routing: traces, dry runs, what an answer says of itself?

The renderings of `astrolabe_core.trace` and `tables`. Amounts are decimal strings of dollars,
shares decimal strings from 0 to 1, instants milliseconds since 1970.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_core.answers import FaultKind
from astrolabe_core.catalog import Basis
from astrolabe_core.codes import Code, Kind, Miss, PolicyStatus, Unbillable
from astrolabe_core.requests import ActionClass, Category, Complexity, Modifier, ToolLabel
from astrolabe_core.stacks import CostMode, FallbackMode, QualityTarget, VerificationMode
from astrolabe_core.trace import Flag
from astrolabe_http.openapi.headers import REQUEST_ID, VERIFICATION_STATUSES
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
CAUSES: Final = ("first", "fallback", "correction", "recovery", "escalation")
PERMISSIONS: Final = ("allowed", "confirmation_required", "blocked")
LEVELS: Final = ("request", "key", "workspace", "default")
LAYERS: Final = ("stack", "workspace", "key", "continuation")
CHECKS: Final = (
    "finished",
    "not_truncated",
    "not_refused",
    "not_empty",
    "tool_choice",
    "tool_offered",
    "tool_arguments_parse",
    "tool_arguments_conform",
    "json_parses",
    "json_conforms",
    "schema_checked",
)
CONCERNS: Final = (
    "incorrect",
    "incomplete",
    "off_topic",
    "instructions_ignored",
    "unsupported_claims",
    "contradicts_itself",
    "unsafe",
    "manipulated",
    "unreadable",
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
_VERIFIER_COST: Final = described(
    USD, "What of every expected cost is for a verifier: it is counted, and not billed."
)
_DECISION: Final = record(
    {
        "kind": nullable(words(Kind)),
        "reason": text("In words."),
        "selected": ref("SelectedCandidate"),
        "plan": array(STRING, "Whom to try, in order."),
        "accepted": array(ref("AcceptedCandidate"), "In order of rank."),
        "rejected": array(ref("RejectedCandidate")),
        "estimated_cost_usd": described(
            USD, "The call, a likely escalation and a certain verifier."
        ),
        "verifier_cost_usd": _VERIFIER_COST,
        "baseline_model": nullable(STRING),
        "baseline_cost_usd": nullable(USD, "One call of that model, and the same verifier."),
        "estimated_savings_usd": nullable(USD, "The baseline above the estimate."),
        "quality_target": words(QualityTarget),
        "cost_mode": words(CostMode),
        "fallback_mode": words([*FallbackMode, "off"]),
        "verification_mode": words(VerificationMode),
        "circuits_open": ref("CircuitsOpen"),
        "fingerprint": text("Names all inputs: equal ones give this decision again."),
    },
    "A decision that names a model.",
    optional=["accepted", "rejected"],
)
_CIRCUITS: Final = record(
    {},
    "Candidates that were not to be called, since too many calls of theirs had failed: by id, when "
    "each was to be tried again.",
    additionalProperties=INSTANT,
)
_BLOCKED: Final = record(
    {
        "kind": words((Kind.BLOCKED,)),
        "reason": STRING,
        "selected": NULL,
        "accepted": array(ref("AcceptedCandidate"), maxItems=0),
        "rejected": array(ref("RejectedCandidate")),
        "unblock": array(ref("Unblocking")),
        "verifier_cost_usd": _VERIFIER_COST,
        "circuits_open": ref("CircuitsOpen"),
        "fingerprint": STRING,
    },
    "A decision that admits nobody.",
)
_CALL: Final[dict[str, Schema]] = {
    "host": nullable(STRING, "Who really served, where the upstream tells."),
    "generation": nullable(STRING, "The upstream's id of the call."),
    "started_at": INSTANT,
    "duration_ms": count(),
    "usage": nullable(ref("TokenCounts")),
    "provider_cost_usd": nullable(USD),
}
_SCORED: Final = nullable(whole(minimum=1, maximum=5), "From 1, useless, to 5, right and whole.")
_ATTEMPT: Final = record(
    {
        "model": STRING,
        "provider": STRING,
        "cause": ref("Cause"),
        "waited_ms": count("How long it was put off."),
        "outcome": words(["answered", *FaultKind]),
        "message": nullable(STRING),
        "status": nullable(whole(), "The provider's HTTP status, where it failed."),
        "verification": nullable(ref("Verification")),
        "delivered": BOOLEAN,
        "unbillable_reason": nullable(words(Unbillable), "Why the caller does not pay for it."),
        **_CALL,
    },
    "One call of a provider.",
)
_VERIFIER: Final = record(
    {
        "model": STRING,
        "provider": STRING,
        "outcome": words(
            ["graded", "unreadable", "cut_off", *FaultKind],
            "What became of it; only a grade judges. `cut_off`: the caller left.",
        ),
        "prompt_version": whole(minimum=1),
        "score": _SCORED,
        "concerns": array(words(CONCERNS), "What it holds against the answer."),
        **_CALL,
    },
    "One call of a verifier model. The caller does not pay for it.",
)
_VERIFICATION: Final = record(
    {
        "mode": words(VerificationMode),
        "status": words(VERIFICATION_STATUSES),
        "repaired": described(BOOLEAN, "Whether JSON that was broken was mended."),
        "score": _SCORED,
        "confidence": nullable(SHARE, "The score as a share."),
        "verifiers": array(ref("VerifierCall"), "Who was asked, in order: the last one counts."),
        "findings": array(
            record(
                {
                    "check": words(CHECKS),
                    "message": STRING,
                    "flaws": array(STRING, "Where a schema is missed."),
                }
            )
        ),
    },
    "What the checks of an answer found, and what a verifier thinks of it.",
)
_TOOL_CALLS: Final = array(
    record(
        {
            "tool": STRING,
            "labels": array(words(ToolLabel), "What the call may do."),
            "permission": words(PERMISSIONS),
            "confirmed": described(BOOLEAN, "Whether somebody's word allowed it."),
        }
    ),
    "What was ruled of each tool call. Their arguments are nowhere in it.",
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
        "tool_calls": _TOOL_CALLS,
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
        "tried": array(ref("AttemptSummary"), "Every model that was asked, and what came of it."),
    },
    "How an answer was routed. Candidates, fingerprint and attempts only where `explain` asks.",
    optional=["accepted", "rejected", "fingerprint", "tried"],
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
            "tool_calls": _TOOL_CALLS,
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
    "CircuitsOpen": _CIRCUITS,
    "Attempt": _ATTEMPT,
    "AttemptSummary": record(
        {
            "model": STRING,
            "cause": ref("Cause"),
            "outcome": words(["answered", *FaultKind]),
            "message": nullable(STRING),
            "findings": array(STRING),
        },
        "One call of a provider, in short.",
    ),
    "Cause": words(CAUSES, "Why a model was asked."),
    "Verification": _VERIFICATION,
    "VerifierCall": _VERIFIER,
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
