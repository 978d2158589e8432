"""How is a person told what was tried for a request, and what was thought of the answer?

From the JSON of a trace. Words of the trace are put into plain ones here; a word that is unknown,
since a newer gateway wrote it, is shown as it stands.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from astrolabe_http.cli.screen import dollars
from astrolabe_http.cli.sheet import Column, Sheet

Object = Mapping[str, Any]

WHY_ASKED: Final[Mapping[str, str]] = {
    "first": "first choice",
    "fallback": "fallback",
    "correction": "same model, shown what was wrong",
    "recovery": "recovery of what was promised as JSON",
    "escalation": "better model, since the answer was doubted",
}
WHAT_CAME: Final[Mapping[str, str]] = {
    "passed": "passed",
    "low_confidence": "doubted",
    "unverified": "no verifier could judge it",
    "skipped": "not looked at",
    "failed": "failed",
}


def outcome(trace: Object) -> dict[str, RenderableType]:
    """Say who answered, what the checks and the verifier found, and how long it took."""
    told: dict[str, RenderableType] = {}
    attempts = trace.get("attempts") or ()
    for number, attempt in enumerate(attempts, start=1):
        if attempt["delivered"] and number > 1:
            why = WHY_ASKED.get(attempt.get("cause", ""), "")
            told["answered"] = Text.assemble(
                (attempt["model"], "bold green"),
                f", at attempt {number}" + (f": {why}" if why else ""),
            )
    verdict = trace.get("verification")
    if verdict:
        told["checked"] = f"{verdict['mode']}: {_words(verdict)}"
    rulings = trace.get("tool_calls")
    if rulings:
        told["tool calls"] = "; ".join(map(_ruling, rulings))
    total = trace["timing"]["total_ms"]
    if total is not None:
        told["took"] = f"{total:,} ms"
    return told


def worth_telling(attempts: Iterable[Object]) -> bool:
    """Whether there is more to tell than that one model was asked and answered."""
    several = list(attempts)
    return len(several) > 1 or any(
        attempt["outcome"] != "answered" or _verifiers(attempt) for attempt in several
    )


def attempts_sheet(attempts: Iterable[Object]) -> Sheet:
    """Lay out every call of a model, with the verifiers of an answer below it."""
    made = Sheet.of(
        Column("#", right=True),
        "Model",
        Column("Why", prose=True),
        Column("Outcome", prose=True),
        Column("Took", right=True),
        Column("Cost", right=True),
        Column("Paid by you", prose=True, spare=1),
    )
    for number, attempt in enumerate(attempts, start=1):
        waited = attempt.get("waited_ms")
        why = WHY_ASKED.get(attempt.get("cause", ""), attempt.get("cause", ""))
        made.add(
            str(number),
            attempt["model"],
            why + (f", after {waited:,} ms" if waited else ""),
            _came_of(attempt),
            f"{attempt['duration_ms']:,} ms",
            dollars(attempt["provider_cost_usd"]),
            _paid(attempt),
            style="green" if attempt["delivered"] else "",
        )
        for call in _verifiers(attempt):
            made.add(
                "",
                call["model"],
                "verifier",
                _grade(call),
                f"{call['duration_ms']:,} ms",
                dollars(call["provider_cost_usd"]),
                "no",
            )
    return made


def provider_work(trace: Object) -> str | None:
    """Say what all calls together cost at their providers, where there were several."""
    attempts = trace.get("attempts") or ()
    calls = len(attempts) + sum(len(_verifiers(attempt)) for attempt in attempts)
    cost = trace["ledger"].get("provider_cost_usd")
    return None if calls < 2 or cost is None else f"{dollars(cost)} for {calls} calls"


def _came_of(attempt: Object) -> str:
    if attempt["outcome"] != "answered":
        return _joined(attempt["outcome"], attempt["message"])
    verdict = attempt.get("verification")
    return "answered" if verdict is None else _joined("answered", "; ".join(_findings(verdict)))


def _findings(verdict: Object) -> list[str]:
    said = [WHAT_CAME.get(verdict["status"], verdict["status"])]
    if verdict.get("repaired"):
        said.append("its JSON was mended")
    for finding in verdict["findings"]:
        said += [finding["message"], *finding.get("flaws", ())]
    return said


def _words(verdict: Object) -> str:
    """Say how a verification ended; whether a verifier was asked tells what that is worth."""
    said = _findings(verdict)
    calls = _verifiers({"verification": verdict})
    if calls:
        said.append(f"{calls[-1]['model']} {_grade(calls[-1])}")
    elif verdict["status"] == "passed":
        said.append("deterministic checks")
    return "; ".join(said)


def _grade(call: Object) -> str:
    if call["score"] is None:
        return _UNGRADED.get(call["outcome"]) or str(call["outcome"])
    concerns = ", ".join(call["concerns"]).replace("_", " ")
    return _joined(f"gives {call['score']} of 5", concerns)


_UNGRADED: Final = {
    "unreadable": "said nothing that is a grade",
    "cut_off": "was cut off: the caller left",
}


def _verifiers(attempt: Object) -> tuple[Object, ...]:
    verdict = attempt.get("verification") or {}
    return tuple(verdict.get("verifiers", ()))


def _ruling(ruling: Object) -> str:
    labels = f" ({', '.join(ruling['labels'])})" if ruling["labels"] else ""
    return f"{ruling['tool']}{labels} {ruling['permission'].replace('_', ' ')}"


def _paid(attempt: Object) -> str:
    reason = attempt.get("unbillable_reason")
    if reason is not None:
        return f"no: {reason.replace('_', ' ')}"
    return "yes" if attempt["delivered"] else "no"


def _joined(*parts: str | None) -> str:
    return ": ".join(part for part in parts if part)
