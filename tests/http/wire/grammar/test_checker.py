"""The checker passes every sound stream and names every fault: thousands, made of them all.

litellm #20711, #37852 and PR #32724, ogx #5309: streams that dropped events or closed what was
never opened went out for months, since nothing looked at the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.requests import Surface
from astrolabe_http.sse import DONE_FRAME, data_frame
from astrolabe_http.wire.grammar import SAYS, Checker, Rule, Violation
from astrolabe_http.wire.grammar.responses_table import ROWS
from tests.http.wire.corpus import SURFACES, Told, corpus, named_frame
from tests.http.wire.grammar import chat_faults, responses_faults
from tests.http.wire.grammar.seeded import Seeded, commented, framing, shape

FAULTS_MIN = 10_000
"""How many faults are made at least: fewer would mean that a maker of them fell silent."""


def check(surface: Surface, *parts: bytes, usage_wanted: bool = True) -> list[Violation]:
    checker = Checker(surface, usage_wanted=usage_wanted)
    return [found for part in parts for found in checker.feed(part)] + checker.end()


@cache
def shapes() -> dict[str, Told]:
    """One stream of each shape."""
    found: dict[tuple[str, ...], Told] = {}
    for told in corpus():
        found.setdefault(shape(told), told)
    return {told.name: told for told in found.values()}


def faults(told: Told) -> Iterator[Seeded]:
    yield from framing(told)
    own = chat_faults if told.surface is Surface.CHAT else responses_faults
    yield from own.faults(told)


@cache
def caught(name: str) -> Counter[Rule]:
    """Count the rules that named the faults of a stream; fail on the first that went unnamed."""
    told, found = shapes()[name], Counter[Rule]()
    for fault in faults(told):
        named = check(told.surface, fault.sent, usage_wanted=fault.usage_wanted)
        rules = {violation.rule for violation in named} & fault.rules
        assert rules, f"{fault.name}: {', '.join(map(str, named)) or 'not noticed'}"
        found.update(rules)
    return found


def test_every_stream_of_the_corpus_is_sound() -> None:
    for told in corpus():
        assert check(told.surface, told.sent) == [], told.name


def test_a_stream_may_be_cut_anywhere_on_its_way_to_the_checker() -> None:
    for told in shapes().values():
        pieces = [told.sent[at : at + 1] for at in range(len(told.sent))]
        assert check(told.surface, *pieces) == [], told.name


def test_comments_may_stand_anywhere() -> None:
    for told in shapes().values():
        assert check(told.surface, commented(told)) == [], told.name


@pytest.mark.parametrize("name", shapes())
def test_no_fault_of_any_stream_goes_unnamed(name: str) -> None:
    assert caught(name)


def test_every_rule_named_some_fault() -> None:
    found = sum((caught(name) for name in shapes()), Counter[Rule]())
    assert found.keys() == {*Rule}
    assert found.total() >= FAULTS_MIN


def test_every_rule_says_what_it_wants() -> None:
    assert SAYS.keys() == {*Rule}


@pytest.mark.parametrize("surface", SURFACES)
def test_a_rule_that_a_dialect_does_not_keep_can_be_waived(surface: Surface) -> None:
    checker = Checker(surface, waived=frozenset({Rule.HAS_END}))
    assert checker.end() == []
    assert [found.rule for found in Checker(surface).end()] == [Rule.HAS_END]


def test_a_violation_says_where_it_is() -> None:
    first = named_frame("response.created", {"type": "response.created", "sequence_number": 1})
    found = check(Surface.RESPONSES, b": hello\n\n" + first)
    assert [str(each) for each in found] == [
        "sequence: sequence_number is not 0 (at event 0, response.created)",
        "fields: the event has no response (at event 0, response.created)",
        "has_end: the stream has no end (at the end)",
    ]


# --- whatever comes --------------------------------------------------------------------------

CANARY = "canary"
KEYS = st.sampled_from(
    [
        *("type", "item", "part", "response", "delta", "text", "id", "item_id", "output_index"),
        *("content_index", "summary_index", "arguments", "name", "output", "content", "error"),
        *("choices", "index", "tool_calls", "function", "finish_reason", "logprobs", "usage"),
        *("annotations", "annotation", "annotation_index", "summary", "status", "object", "role"),
        CANARY,
    ]
)
VALUES = st.recursive(
    st.sampled_from([CANARY, "", "message", "function_call", "output_text", None, True, 0, 1, -1])
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
TYPES = st.sampled_from([*(row.event for row in ROWS), CANARY])


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A frame of any event with any fields, or of no event at all."""
    event: dict[str, object] = {**draw(st.dictionaries(KEYS, VALUES, max_size=8))}
    name = draw(TYPES)
    whole: dict[str, object] = {
        "output_index": draw(st.integers(0, 1)),
        "content_index": 0,
        "item_id": CANARY,
        "item": {"type": "message", "id": CANARY, "content": [], "status": "in_progress"},
        "part": {"type": "output_text", "text": "", "annotations": [], "logprobs": []},
        "response": {},
        "choices": [{"index": 0, "delta": {}, "finish_reason": None, "logprobs": None}],
    }
    event = {**event, "type": name}
    if draw(st.booleans()):
        event = {**whole, **event}
    found: bytes = draw(
        st.sampled_from(
            [
                named_frame(name, _writable(event)),
                data_frame(_writable(event)),
                b"event: canary\ndata: canary\n\n",
                b"canary: canary\n\ndata\n\n",
                DONE_FRAME,
            ]
        )
    )
    return found


def _writable(value: object) -> dict[str, object]:
    """Numbers beyond 64 bits are written by nobody here."""

    def small(found: object) -> object:
        if isinstance(found, dict):
            return {key: small(inner) for key, inner in found.items()}
        if isinstance(found, list):
            return [small(inner) for inner in found]
        return found % 2**53 if type(found) is int and abs(found) > 2**53 else found

    made = small(value)
    assert isinstance(made, dict)
    return made


@given(st.lists(frames() | st.binary(max_size=12), max_size=12), st.sampled_from(SURFACES))
def test_whatever_comes_is_judged_and_never_quoted(parts: list[bytes], surface: Surface) -> None:
    found = check(surface, *parts)
    assert found
    assert CANARY not in "".join(map(str, found))
