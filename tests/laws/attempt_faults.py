"""Which faults of attempts must the promises of `tests/flow` see?

Rows like those of `policy_faults.py`: a faulty function is put into the running process and the
scenarios are walked until a promise breaks; `caught_by` names the scenarios to be walked.
"""

from __future__ import annotations

from tests.laws.faults import Fault

ATTEMPTS = "astrolabe_core/attempts.py"
ENDINGS = "astrolabe_core/endings.py"
FALLBACK = "astrolabe_core/fallback.py"
PURSUIT = "astrolabe_core/pursuit.py"
SETTLEMENT = "astrolabe_core/settlement.py"
VERIFICATION = "astrolabe_core/verification.py"

PLAIN = ("fallback",)
STRICT = ("strict",)
STRONG = ("strong",)
RECOVERY = ("schema recovery",)
PINNED = ("schema recovery of a pinned model, then in order",)
RECORD = ("usage on record",)
STREAM = ("a schema in a stream",)
TOOLS = ("tools that need a word",)

ATTEMPT_FAULTS = (
    Fault(
        "the kept answer is billed at the price of the last model",
        SETTLEMENT,
        "price_receipt(route, attempt.option.model, attempt.receipt)",
        "price_receipt(route, route.plan.head.model, attempt.receipt)",
        STRICT,
    ),
    Fault(
        "the kept answer is delivered and the last one billed",
        SETTLEMENT,
        "return _consult(_delivered(route, kept), kept.attempt, kept.answer, at)",
        "return _consult(_delivered(route, kept), len(route.trace.attempts) - 1, kept.answer, at)",
        STRICT,
    ),
    Fault(
        "a kept answer is lost on a fault",
        ATTEMPTS,
        "return fail(route, failure, at) if route.kept is None else serve(route, route.kept, at)",
        "return fail(route, failure, at)",
        STRICT,
    ),
    Fault(
        "the last answer is kept, whichever was better",
        ATTEMPTS,
        "_merit(draft.verdict) <= _merit(route.kept.verdict)",
        "False",
        ("automatic verification",),
    ),
    Fault(
        "what may not be delivered is kept",
        ATTEMPTS,
        "    if not deliverable(draft.verdict):\n        return route\n",
        "",
        STRICT,
    ),
    Fault(
        "strong delivers what strict would",
        VERIFICATION,
        "return not doubted and grade.confidence >= STRONG_CONFIDENCE_MIN",
        "return grade.confidence >= ACCEPTABLE_CONFIDENCE_MIN",
        STRONG,
    ),
    Fault(
        "an answer that nobody could judge goes out in strict",
        VERIFICATION,
        "    if grade is None or unchecked(verdict):\n        return False\n",
        "    if grade is None or unchecked(verdict):\n        return True\n",
        STRICT,
    ),
    Fault(
        "an unreadable grade is a good one",
        ATTEMPTS,
        "return _ask_verifier(state.route, draft, event.at)",
        "return deliver(state.route, draft, event.at)",
        STRICT,
    ),
    Fault(
        "a verifier is asked until it likes the answer",
        ATTEMPTS,
        "len(asked) == VERIFIERS_MAX",
        "False",
        STRICT,
    ),
    Fault(
        "the same doubt moves on twice",
        PURSUIT,
        "        if escalated:\n            return None\n",
        "",
        STRICT,
    ),
    Fault(
        "the cap on attempts is forgotten",
        PURSUIT,
        "len(route.trace.attempts) >= allowed or not",
        "not",
        PINNED,
    ),
    Fault(
        "the total deadline is forgotten between attempts",
        PURSUIT,
        " or not route.time_left_ms(at)",
        "",
        ("strict, where nobody can verify in time",),
    ),
    Fault(
        "the total deadline is forgotten",
        ATTEMPTS,
        "    if not time_left:\n        return fail(route, _overdue(route), at)\n",
        "",
        ("a wait that ends too late",),
    ),
    Fault(
        "a verifier may take its whole time after the deadline",
        ATTEMPTS,
        "time_left_ms=min(TIME_MAX_MS, left)",
        "time_left_ms=TIME_MAX_MS",
        ("strict, where nobody can verify in time",),
    ),
    Fault(
        "the wait is skipped",
        ATTEMPTS,
        "    if found.waited_ms:\n        return Step(Pausing(found), Pause(found.waited_ms))\n",
        "",
        PLAIN,
    ),
    Fault(
        "an hour is waited for",
        FALLBACK,
        "if wait <= min(WAIT_MAX_MS, draw.time_left_ms):",
        "if True:",
        ("fallback within one provider",),
    ),
    Fault(
        "every fault moves on",
        PURSUIT,
        "if not (recovering or applies(trigger, rules, route.routed.verification)):",
        "if False:",
        PLAIN,
    ),
    Fault(
        "doubt moves on without a trigger",
        PURSUIT,
        "if not applies(trigger, rules, route.routed.verification) or _is_over(route, at):",
        "if _is_over(route, at):",
        ("automatic verification, with few triggers",),
    ),
    Fault(
        "a failing recovery model ends the recovery",
        PURSUIT,
        "recovering = route.recovering is not None",
        "recovering = False",
        ("schema recovery, whatever goes wrong on the way",),
    ),
    Fault(
        "a recovery that failed is told as its last fault",
        ATTEMPTS,
        "return failure if route.recovering is None else unacceptable(route.recovering)",
        "return failure",
        RECOVERY,
    ),
    Fault(
        "a correction is repeated until it works",
        PURSUIT,
        "if not pinned or route.trace.cause is not Cause.FIRST or _is_over(route, at):",
        "if not pinned or _is_over(route, at):",
        PINNED,
    ),
    Fault(
        "whoever missed the schema is asked again",
        PURSUIT,
        "if not pinned or route.trace.cause",
        "if route.trace.cause",
        RECOVERY,
    ),
    Fault(
        "a stream is relayed while an answer is kept",
        ATTEMPTS,
        "held_back = route.kept is not None or route.routed.verification in _HOLDS_BACK",
        "held_back = route.routed.verification in _HOLDS_BACK",
        STREAM,
    ),
    Fault(
        "strict relays",
        ATTEMPTS,
        "held_back = route.kept is not None or route.routed.verification in _HOLDS_BACK",
        "held_back = route.kept is not None",
        ("strict, held back from a stream",),
    ),
    Fault(
        "a blocked call costs the answer that was kept",
        ATTEMPTS,
        "return _give_up(add_draft(route, draft, stopped.unbillable), stopped, at)",
        "return fail(add_draft(route, draft, stopped.unbillable), stopped, at)",
        TOOLS,
    ),
    Fault(
        "a blocked call goes out",
        ATTEMPTS,
        "    if stopped is not None:\n        return _give_up(",
        "    if False:\n        return _give_up(",
        TOOLS,
    ),
    Fault(
        "a blocked call of a stream goes out",
        ATTEMPTS,
        "    if stopped is not None:\n        return fail(",
        "    if False:\n        return fail(",
        ("tools in a stream",),
    ),
    Fault(
        "a broken stream is paid for",
        ATTEMPTS,
        "fault, reason = event.fault, Unbillable.STREAMING_PROVIDER_ERROR",
        "fault, reason = event.fault, None",
        STREAM,
    ),
    Fault(
        "a fault is not recorded as unbillable",
        ATTEMPTS,
        "        unbillable=failure.unbillable,\n    )\n    return _go_on(",
        "        unbillable=None,\n    )\n    return _go_on(",
        PLAIN,
    ),
    Fault(
        "who leaves never pays",
        SETTLEMENT,
        "    return capture(route, due, at, reply)",
        "    if answer is None:\n"
        "        return void(route, state.otherwise, at, reply)\n"
        "    return capture(route, due, at, reply)",
        RECORD,
    ),
    Fault(
        "who leaves pays for the attempt under way, though an answer was kept",
        SETTLEMENT,
        "    if route.kept is not None:\n        return _consult(_delivered(",
        "    if False:\n        return _consult(_delivered(",
        STRICT,
    ),
    Fault(
        "the provider is never asked for its record",
        SETTLEMENT,
        "if due is None and may_ask and generation is not None:",
        "if False:",
        RECORD,
    ),
    Fault(
        "the provider is asked for its record without end",
        SETTLEMENT,
        "    if found is None or found.usage is None:\n"
        "        return _settle(state, event.at, may_ask=False)\n",
        "    if found is None or found.usage is None:\n"
        "        return _settle(state, event.at, may_ask=True)\n",
        RECORD,
    ),
    Fault(
        "what the record says is not counted",
        SETTLEMENT,
        "        usage=found.usage,\n",
        "        usage=known.usage,\n",
        RECORD,
    ),
    Fault(
        "a verifier's cost is nobody's",
        ATTEMPTS,
        "receipt=event.answer.receipt if isinstance(event, Answered) else event.fault.receipt,",
        "receipt=state.draft.answer.receipt if answer is None else type(answer.receipt)(),",
        STRICT,
    ),
    Fault(
        "a kept answer keeps its reason not to be billed",
        SETTLEMENT,
        "attempt = evolve(route.trace.attempts[kept.attempt], delivered=True, unbillable=None)",
        "attempt = evolve(route.trace.attempts[kept.attempt], delivered=True)",
        STRICT,
    ),
    Fault(
        "unpaid work is not told",
        SETTLEMENT,
        "unpaid = evolve(attempt, unbillable=state.otherwise)",
        "unpaid = attempt",
        RECORD,
    ),
    Fault(
        "what is owed after a failure is captured",
        ENDINGS,
        "return void(ended, failure.unbillable, at, Refused)",
        "return capture(ended, route.trace.hold, at, Refused)",
        PLAIN,
    ),
    Fault(
        "a refusal does not tell what was tried",
        ENDINGS,
        'details = {**failure.refusal.details, "attempts": attempts_json(route.trace.attempts)}',
        'details = {**failure.refusal.details, "attempts": ()}',
        PLAIN,
    ),
)
