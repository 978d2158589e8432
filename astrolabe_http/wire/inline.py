"""How does an answer itself say how it was routed?

One object, made of the rendered trace: Chat carries it as top-level `astrolabe`, Responses in
`metadata.astrolabe`, there as a JSON string, since metadata values are strings for every typed
client. The stack's observability may leave it out; `explain` adds the table of candidates, and all
that was tried.
"""

import orjson

from astrolabe_core.messages import Served
from astrolabe_core.rendering import (
    attempts_json,
    classified_json,
    decision_json,
    ledger_json,
    tools_json,
    verdict_json,
)
from astrolabe_core.trace import Trace
from astrolabe_core.units import ModelId
from astrolabe_http.wire.fields import object_of


def inline_metadata(trace: Trace, *, explain: bool) -> dict[str, object] | None:
    """Give the object, or `None` where the stack keeps it to itself."""
    stack = trace.stack
    if stack is None or not stack.observability.inline_metadata:
        return None
    # The renderings that dry runs and stored traces share; narrowed to what a caller needs.
    decision, ledger = object_of(decision_json(trace, explain=explain)), ledger_json(trace)
    selected = object_of(decision.get("selected"))
    resolved = trace.resolved
    made: dict[str, object] = {
        "request_id": trace.arrival.id,
        "stack": None if resolved is None else resolved.version.stack.slug,
        "version": None if resolved is None else resolved.version.version,
        "decision": decision.get("kind"),
        "reason": decision.get("reason"),
        "selected": selected.get("model"),
        "served": served_model(trace),
        "attempts": len(trace.attempts),
        "policy_status": trace.policy_status,
        "classification": classified_json(trace),
        "verification": None if trace.verdict is None else verdict_json(trace.verdict),
        "tool_calls": tools_json(trace.tools),
        "cost": {
            "estimated_usd": decision.get("estimated_cost_usd"),
            "debit_usd": ledger["debit_usd"],
            "hold_usd": ledger["hold_usd"],
            "baseline_usd": decision.get("baseline_cost_usd"),
            "savings_usd": decision.get("estimated_savings_usd"),
        },
        "savings": decision.get("estimated_savings_usd"),
        "output_tokens_max": selected.get("output_tokens_max"),
    }
    if explain:
        made["accepted"] = decision.get("accepted")
        made["rejected"] = decision.get("rejected")
        made["fingerprint"] = decision.get("fingerprint")
        made["tried"] = attempts_json(trace.attempts)
    return made


def inline_text(trace: Trace, *, explain: bool) -> str | None:
    """Give the object as JSON text."""
    made = inline_metadata(trace, explain=explain)
    return None if made is None else orjson.dumps(made).decode()


def served_model(trace: Trace) -> ModelId | None:
    """Name the model that answered."""
    return None if trace.served is None else trace.served.option.model.id


def answered_by(served: Served) -> ModelId:
    """Name the model that answered, where one did."""
    model = served_model(served.trace)
    if model is None:
        message = "a served trace has no delivered attempt"
        raise ValueError(message)
    return model
