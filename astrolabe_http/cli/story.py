"""How is a route trace told to a person?

From the JSON of a trace, as stored and as `GET /v1/traces/{id}` gives it: which stack and who named
it, what the request was taken for, which models were kept and dropped and why, what was asked of
whom, what it cost. Nothing is decided or computed here but a percentage.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from astrolabe_http.cli.screen import NONE, dollars, facts, heading
from astrolabe_http.cli.sheet import Column, Sheet
from astrolabe_http.cli.tried import attempts_sheet, outcome, provider_work, worth_telling

Object = Mapping[str, Any]

UNPUBLISHED: Final = 0
"""The number of a version that was read from a file."""

NAMED_BY: Final[Mapping[str, str]] = {
    "request": "named by the request",
    "key": "assigned to the key",
    "workspace": "assigned to the workspace",
    "default": "the default, since nobody named another",
}


VERIFIED: Final[Mapping[str, str]] = {
    "off": "off: the answer is not looked at",
    "light": "light: the deterministic checks",
    "auto": "auto: the deterministic checks, and a verifier model where that is warranted",
    "strict": "strict: a verifier model grades the answer before it is sent",
    "strong": "strong: another provider's verifier grades the answer before it is sent",
}


def tell(console: Console, trace: Object, *, with_money: bool = True) -> None:
    """Write the whole story, or all but what it cost."""
    told = _summary(trace)
    if trace.get("attempts") or trace["ledger"]["hold_usd"] != "0":
        told |= outcome(trace)
        if with_money:
            told |= money(trace)
    console.print(facts(told))
    decision = trace.get("decision")
    if decision:
        console.print()
        console.print(Group(*_candidates(decision)))
    attempts = trace.get("attempts") or ()
    if worth_telling(attempts):
        console.print(heading("Attempts", str(len(attempts))))
        console.print(_indented(attempts_sheet(attempts)))
        console.print()


def _summary(trace: Object) -> dict[str, RenderableType]:
    told: dict[str, RenderableType] = {"request": str(trace["request_id"])}
    stack, found, decision = (trace.get(part) for part in ("stack", "classification", "decision"))
    if stack:
        told["stack"] = Text.assemble(
            (f"{stack['slug']}@{stack['version'] or 'unpublished'}", "bold"),
            f", {NAMED_BY.get(stack['resolved_by'], stack['resolved_by'])}",
        )
        envelopes = [each for each in stack["layers"] if each != "stack"]
        if envelopes:
            told["narrowed"] = f"by the envelope of the {' and of the '.join(envelopes)}"
    if found:
        told["taken for"] = (
            f"{found['category']}, {found['action_class']}, {found['complexity']}"
            f" (confidence {found['confidence']})"
        )
        if found["modifiers"]:
            told["with"] = ", ".join(found["modifiers"])
    if decision:
        told |= _decision(decision)
        mode = decision.get("verification_mode")
        if mode and not trace.get("verification"):
            told["verification"] = VERIFIED.get(mode, mode)
    if trace.get("refusal"):
        refusal = trace["refusal"]
        told["refused"] = Text.assemble((refusal["code"], "bold red"), f": {refusal['message']}")
    return told


def _decision(decision: Object) -> dict[str, RenderableType]:
    selected = decision.get("selected")
    if not selected:
        return {"decision": Text.assemble(("blocked", "bold red"), f": {decision['reason']}")}
    told: dict[str, RenderableType] = {
        "chosen": Text.assemble((selected["model"], "bold green")),
        "why": f"{decision['kind']}: {decision['reason']}",
    }
    then = decision["plan"][1:]
    if then:
        told["if it fails"] = ", ".join(then)
    expected = f"{dollars(decision['estimated_cost_usd'])}"
    if decision.get("baseline_model"):
        expected += (
            f", against {dollars(decision['baseline_cost_usd'])} at {decision['baseline_model']}"
        )
    told["expected"] = expected
    return told


def money(trace: Object) -> dict[str, RenderableType]:
    """Say what was held before any provider was asked, and what was paid."""
    ledger = trace["ledger"]
    usage = ledger["usage"]
    told: dict[str, RenderableType] = {
        "held": f"{dollars(ledger['hold_usd'])}, the most that this plan can cost",
        "paid": Text.assemble(
            (dollars(ledger["debit_usd"]), "bold"),
            (
                f", for {usage['input_tokens']:,} tokens in and {usage['output_tokens']:,} out"
                if usage
                else ""
            ),
            f"; {ledger['unbillable_reason']}" if ledger["unbillable_reason"] else "",
        ),
    }
    work = provider_work(trace)
    if work is not None:
        told["provider"] = f"{work}; only the delivered answer is billed"
    if ledger["flags"]:
        told["flagged"] = Text(", ".join(ledger["flags"]), "yellow")
    return told


def _candidates(decision: Object) -> Iterator[RenderableType]:
    accepted, rejected = decision.get("accepted") or (), decision.get("rejected") or ()
    of = f"of {len(accepted) + len(rejected)} candidates"
    if accepted:
        yield heading(f"Kept {len(accepted)}", of)
        yield _indented(_kept(accepted, decision))
        yield Text()
    if rejected:
        yield heading(f"Dropped {len(rejected)}", of)
        for reasons, models in _grouped(rejected).items():
            yield _indented(Text(", ".join(models)))
            width = max(len(code) for code, *_ in reasons)
            for reason in reasons:
                yield Padding(_reason(*reason, width=width), (0, 0, 0, 4))
        yield Text()
    if decision.get("unblock"):
        yield heading("What would admit one", "the smallest changes")
        for change in decision["unblock"]:
            yield _indented(Text(change["model"], "bold"))
            for step in change["changes"]:
                yield Padding(Text(step), (0, 0, 0, 4))
        yield Text()


def _kept(accepted: Any, decision: Object) -> Sheet:  # noqa: ANN401 - JSON
    made = Sheet.of(
        Column("#", right=True),
        "Model",
        Column("Cost", right=True),
        Column("Quality", right=True, spare=1),
        Column("Time", right=True, spare=2),
        Column("Notes", prose=True),
    )
    first = (decision.get("selected") or {}).get("model")
    plan = decision.get("plan") or ()
    for rank, score in enumerate(accepted, start=1):
        notes = [*score["misses"]]
        if score["model"] == first:
            notes.insert(0, "chosen")
        elif score["model"] in plan:
            notes.insert(0, "fallback")
        if score["reserve"]:
            notes.append("reserve")
        made.add(
            str(rank),
            score["model"],
            dollars(score["expected_cost_usd"]),
            score["quality"],
            NONE if score["latency_ms"] is None else f"{score['latency_ms'] / 1_000:.1f} s",
            ", ".join(notes).replace("_", " "),
            style="green" if score["model"] == first else "",
        )
    return made


Told = tuple[str, str, str]


def _grouped(rejected: Any) -> dict[tuple[Told, ...], list[str]]:  # noqa: ANN401 - JSON
    """Put models together that are dropped for the very same reasons."""
    groups: dict[tuple[Told, ...], list[str]] = {}
    for item in rejected:
        reasons = tuple(
            (each["code"], _compared(item["model"], each), each["imposed_by"])
            for each in item["reasons"]
        )
        groups.setdefault(reasons, []).append(item["model"])
    return groups


def _compared(model: str, rejection: Object) -> str:
    """Say both values; the model's own name need not be said again."""
    limit, actual = str(rejection["limit"]), str(rejection["actual"])
    if actual == model or model.startswith(f"{actual}/"):
        return limit
    return f"{limit}, model has {actual}"


def _reason(code: str, compared: str, imposed_by: str, *, width: int) -> Text:
    return Text.assemble(
        ("✗ ", "red"),
        (code.ljust(width), "red"),
        (f"  {imposed_by} says {compared}", "dim"),
    )


def saved(savings: str | None, baseline: str | None, model: str | None = None) -> str:
    """Say what was saved, and what share of the baseline that is."""
    if savings is None:
        return NONE
    if baseline is None or not Decimal(baseline):
        return dollars(savings)
    at = f" at {model}" if model else ""
    of = share(Decimal(savings), Decimal(baseline))
    return f"{dollars(savings)}, {of} of the {dollars(baseline)}{at}"


def share(part: Decimal, whole: Decimal) -> str:
    """Write a share in whole percent; nothing of nothing is no share."""
    return f"{part / whole * 100:.0f} %" if whole else ""


def _indented(inner: RenderableType) -> Padding:
    return Padding(inner, (0, 0, 0, 2))
