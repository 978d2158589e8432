"""The field reference of docs/stacks.md: made from the shapes, so that it says what is read.

`uv run python -m tests.core.codec.reference` writes it anew; a test holds the page to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

import attrs

from astrolabe_core.codec.converter import write
from astrolabe_core.codec.scalars import SCALARS
from astrolabe_core.codec.shapes import WRITTEN_AS, Slot, shape_of
from astrolabe_core.managed import MANAGED
from astrolabe_core.stacks import (
    Boundaries,
    Budget,
    Fallback,
    Memory,
    Objective,
    Observability,
    Rule,
    Stack,
    Verification,
    When,
)

PAGE = Path(__file__).parents[3] / "docs/stacks.md"

# What each field is for.  The test asks for a line for each field, and none beside.
MEANINGS: dict[type, dict[str, str]] = {
    Stack: {
        "slug": "its name in requests and headers; those of managed stacks are reserved",
        "name": "for people",
        "description": "for people",
        "boundaries": "which models may serve at all, and what they may call",
        "objective": "how those that may are ranked",
        "fallback": "what follows a failed attempt",
        "verification": "how an answer is checked",
        "budget": "what may be spent",
        "memory": "what is kept and learned from",
        "observability": "where the caller sees how a request was routed",
        "lockedOverrides": "fields of a request that may tighten this stack, not loosen it",
    },
    Boundaries: {
        "allowedProviders": "only these vendors; null allows all, an empty list none",
        "blockedProviders": "none of these vendors",
        "allowedModels": "only these models; null allows all, an empty list none",
        "blockedModels": "none of these models",
        "requiredCapabilities": "a model must have all of these",
        "dataPolicy": "whether prompts may be trained on; unknown counts as training",
        "retentionPolicy": "how long prompts may be kept; unknown counts as beyond `limited`",
        "allowPreview": "whether preview models may serve",
        "fallbackMustStayInPolicy": "whether every later candidate must satisfy these too; they "
        "always do, whatever stands here",
        "toolProfile": "how far tool calls of answers may go: [tools](tools.md)",
    },
    Objective: {
        "primary": "what to optimise for",
        "qualityTarget": "how good the answer must be expected to be; soft",
        "costMode": "how models that pass are ranked; null takes what `primary` implies",
        "latencySloMs": "for the whole answer; soft",
        "reliabilityTarget": "share of calls without a provider fault; soft",
        "maxExpectedCostUsd": "a dearer candidate is rejected; hard",
        "priority": "models in order, for `fixed_priority`, which needs it",
        "rules": "in order, the first that holds speaks, for `custom_rules`, which needs it",
    },
    Rule: {
        "when": "the condition; none given holds always",
        "use": "only these models",
        "prefer": "these models first, in this order",
        "refuse": "none of these models; an empty list refuses the request",
    },
    When: {
        "categories": "any of these",
        "actionClasses": "any of these",
        "complexities": "any of these",
        "lanes": "any of these",
        "modifiers": "all of these",
        "inputTokensMin": "the input has at least so many tokens",
        "inputTokensMax": "the input has at most so many tokens",
    },
    Fallback: {
        "enabled": "whether there is a second attempt at all",
        "maxAttempts": "from 1 to 8, the first included",
        "mode": "which candidate comes next",
        "triggers": "what makes a request move on; `strict` and `strong` move on for a verifier's "
        "doubt all the same",
        "neverEscalateCategories": "kinds of work for which `escalate_quality` acts as `next_best`",
    },
    Verification: {
        "mode": "in general",
        "schemaMode": "in place of it where a schema is asked for",
        "highStakesMode": "in place of both where much is at stake",
        "confidenceThreshold": "below it the verifier doubts the answer: scores of 1 to 5 are 0, "
        "0.25, 0.5, 0.75, 1; `strong` asks for 0.75 at least",
    },
    Budget: {
        "monthlyUsd": "for a UTC month; null sets no limit",
        "dailyUsd": "for a UTC day; null sets no limit",
        "perRequestMaxUsd": "a candidate that may cost more is rejected; null sets no limit",
        "warnPercent": "of a limit, warned once a window; at most `hardStopPercent`",
        "hardStopPercent": "of a limit, refused above",
    },
    Memory: {
        "workspaceOutcomeLearning": "whether outcomes teach the router, within the workspace",
        "userFeedbackLearning": "whether `/v1/feedback` does",
        "rawPromptStorage": "whether prompts may be kept; with `rawOutputStorage`, conversations "
        "are, to be gone on from by `previous_response_id`",
        "rawOutputStorage": "whether answers may be kept",
        "fingerprintOnly": "keep nothing but fingerprints; excludes both raw ones",
    },
    Observability: {
        "responseHeaders": "routing headers on answers; the request id is always there",
        "inlineMetadata": "routing metadata in the answer's body",
        "traceStorage": "keep the trace for `/v1/traces`",
    },
}


def tables() -> dict[str, str]:
    """Give each generated part of the page under its mark."""
    parts = {kind.__name__.lower(): "\n".join(_rows(kind)) for kind in MEANINGS}
    return {**parts, "managed": "\n".join(_managed_rows())}


def embedded(page: str) -> str:
    """Give the page with every generated part made anew."""
    for mark, table in tables().items():
        part = re.compile(rf"(<!-- generated: {mark} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        found = part.search(page)
        assert found is not None, f"the page has no place for {mark}"
        page = page[: found.start()] + found[1] + table + found[2] + page[found.end() :]
    return page


def _rows(kind: type) -> Iterator[str]:
    yield "| Field | Value | Default | |"
    yield "| --- | --- | --- | --- |"
    for slot in shape_of(WRITTEN_AS.get(kind, kind)).slots:
        meaning = MEANINGS[kind][slot.name]
        yield f"| `{slot.name}` | {_value(slot.kind)} | {_default(slot)} | {meaning} |"


def _value(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if kind in SCALARS:
        form = SCALARS[kind].form
        closed = re.fullmatch(r"[a-z_-]+( [a-z_-]+)+", form) and not form.startswith("true or")
        return " ".join(f"`{word}`" for word in form.split()) if closed else form
    if NoneType in parts:
        (one,) = (part for part in parts if part is not NoneType)
        return f"{_value(one)}, or null"
    if origin in {tuple, frozenset}:
        return f"list of {_value(parts[0])}"
    return f"[object](#{kind.__name__.lower()})"


def _default(slot: Slot) -> str:
    if slot.required:
        return "required"
    if attrs.has(type(slot.default)):
        return "its defaults"
    written = json.dumps(write(slot.default, slot.kind))
    return "empty" if written in {'""', "[]"} else f"`{written}`"


def _managed_rows() -> Iterator[str]:
    yield "| Slug | For | Differs from the defaults in |"
    yield "| --- | --- | --- |"
    plain = write(Stack(slug=next(iter(MANAGED)), name="plain"))
    for version in MANAGED.values():
        document = write(version.stack)
        differing = ", ".join(
            f"`{path}: {json.dumps(value)}`"
            for group in plain
            if group not in {"slug", "name", "description"}
            for path, value in _differing(group, document[group], plain[group])
        )
        yield f"| `{version.stack.slug}` | {version.stack.description} | {differing or 'nothing'} |"


def _differing(path: str, value: Any, plain: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _differing(f"{path}.{key}", one, plain[key])
    elif value != plain:
        yield path, value


if __name__ == "__main__":
    PAGE.write_text(embedded(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
