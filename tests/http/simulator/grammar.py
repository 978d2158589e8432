"""A reader of the simulator's streams, and the grammar that they keep: ours, in a dialect."""

from __future__ import annotations

import json
from typing import Any

from astrolabe_core.requests import Surface
from astrolabe_http.sse import DONE_FRAME
from astrolabe_http.wire.grammar import Checker, Rule

Event = dict[str, Any]

DIALECT = {
    # OpenRouter repeats the role with each delta, and the type with each piece of arguments; no
    # chunk but the last knows of usage; what ends a choice has a role and an empty content too.
    Surface.CHAT: {
        Rule.CALL_NAME,
        Rule.CLOSED_LAST,
        Rule.FIELDS,
        Rule.OPENED_ONCE,
        Rule.USAGE,
    },
    # It has no `created`, and null for a `service_tier`.
    Surface.RESPONSES: {Rule.FIELDS},
}
"""The rules that OpenRouter's streams do not keep."""


def read_events(body: str) -> tuple[list[Event], bool]:
    """The JSON events of a stream, and whether `[DONE]` ended it."""
    lines = [line.removeprefix("data: ") for line in body.split("\n") if line.startswith("data: ")]
    done = bool(lines) and lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines if line != "[DONE]"], done


def check(surface: Surface, body: str) -> None:
    """Fail unless a whole stream keeps the grammar, and ends in `[DONE]` on both surfaces."""
    sent = body.encode()
    assert sent.endswith(DONE_FRAME)
    if surface is Surface.RESPONSES:
        sent = sent.removesuffix(DONE_FRAME)
    checker = Checker(surface, usage_wanted=True, waived=DIALECT[surface])
    assert [*checker.feed(sent), *checker.end()] == []
