"""What a provider tells only at the end of a response is neither lost nor told twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from astrolabe_http.wire.responses_items import Items

Body = dict[str, Any]


def message(words: str, **more: Any) -> Body:
    part = {"type": "output_text", "text": words}
    return {"type": "message", "role": "assistant", "content": [part], **more}


def call(arguments: str, **more: Any) -> Body:
    return {"type": "function_call", "name": "f", "arguments": arguments, **more}


def thought(words: str, **more: Any) -> Body:
    summary = [{"type": "summary_text", "text": words}]
    return {"type": "reasoning", "summary": summary, **more}


def told(streamed: list[Body], output: list[Body], **options: Any) -> list[str]:
    """The words of each item that a caller has in the end."""
    items = Items("0", **options)
    shown = [
        each
        for place, item in enumerate(streamed)
        for each in items.feed(
            {"type": "response.output_item.done", "output_index": place, "item": item}
        )
    ]
    shown += items.feed({"type": "response.completed", "response": {"output": output}})
    shown += items.close(completed=True)
    opened = [fields for kind, fields in shown if kind == "response.output_item.added"]
    closed = [fields["item"] for kind, fields in shown if kind == "response.output_item.done"]
    assert [each["output_index"] for each in opened] == list(range(len(items.made)))
    assert sorted(map(repr, closed)) == sorted(repr(item.json()) for item in items.made)
    return [words_of(item.json()) for item in items.made]


def words_of(item: Any) -> str:
    parts = item.get("content") or item.get("summary") or []
    return str(item.get("arguments", "")) + "".join(part["text"] for part in parts)


MAKERS: list[Any] = [message, call, thought]


A, B = message("a"), message("b")


@pytest.mark.parametrize(
    ("streamed", "output", "words"),
    [
        pytest.param([], [A, B], ["a", "b"], id="nothing streamed"),
        pytest.param([A], [A], ["a"], id="all streamed"),
        pytest.param([A], [A, call("{}")], ["a", "{}"], id="a call at the end only"),
        pytest.param([B], [thought("t"), B], ["b", "t"], id="reasoning at the end only"),
        pytest.param([B], [A, B], ["b", "a"], id="another before it, without ids"),
        pytest.param(
            [message("b", id="2")],
            [message("a", id="1"), message("b", id="2")],
            ["b", "a"],
            id="another before it, with ids",
        ),
        pytest.param(
            [message("a", id="1")], [message("x", id="1")], ["a"], id="the same in other words"
        ),
        pytest.param([A], [message("x")], ["a"], id="other words, and no ids: the same"),
        pytest.param(
            [message("a", id="1")], [message("a", id="9")], ["a"], id="the same under another id"
        ),
        pytest.param(
            [message("a", id="1")],
            [message("x", id="9")],
            ["a", "x"],
            id="another id and other words: another",
        ),
        pytest.param(
            [call("{}", call_id="1")],
            [call("{}", call_id="1"), call("{}", call_id="2")],
            ["{}", "{}"],
            id="one call streamed of two alike",
        ),
        pytest.param([A], [], ["a"], id="an end that tells nothing"),
        pytest.param(
            [{"type": "web_search_call"}], [{"type": "web_search_call"}, A], ["a"], id="a stranger"
        ),
    ],
)
def test_nothing_is_lost_and_nothing_comes_twice(
    streamed: list[Body], output: list[Body], words: list[str]
) -> None:
    assert told(streamed, output) == words


def test_items_that_nobody_numbers_are_known_by_their_ids() -> None:
    """llama.cpp's `/v1/responses` of 2026, as recorded: no event has an `output_index`."""
    items, shown = Items("0"), []
    thinking, said = thought("", id="rs_9"), message("so be it", id="msg_9")
    for made in (
        {"type": "response.output_item.added", "item": {**thinking, "summary": []}},
        {"type": "response.output_item.done", "item": thinking},
        {"type": "response.output_item.added", "item": {**said, "content": []}},
        {
            "type": "response.content_part.added",
            "item_id": "msg_9",
            "part": {"type": "output_text", "text": ""},
        },
        {"type": "response.output_text.delta", "item_id": "msg_9", "delta": "so be "},
        {"type": "response.output_text.delta", "item_id": "msg_9", "delta": "it"},
        {"type": "response.output_text.done", "item_id": "msg_9", "text": "so be it"},
        {"type": "response.output_item.done", "item": said},
        {"type": "response.completed", "response": {"output": [thinking, said]}},
    ):
        shown += items.feed(made)
    deltas = [fields["delta"] for kind, fields in shown if kind == "response.output_text.delta"]
    assert deltas == ["so be ", "it"]
    assert [words_of(item.json()) for item in items.made] == ["", "so be it"]


@given(
    kinds=st.lists(st.sampled_from(MAKERS), max_size=6),
    streamed=st.lists(st.booleans(), min_size=6, max_size=6),
    ids=st.sampled_from(["kept", "none", "others at the end"]),
)
def test_whatever_part_was_streamed_all_is_there_once(
    kinds: list[Any], streamed: list[bool], ids: str
) -> None:
    def whole(number: int, at_end: bool) -> Body:
        made: Body = kinds[number](f"{number}.")
        if ids != "none":
            made["id"] = f"{'other' if at_end and ids != 'kept' else 'own'}_{number}"
        return made

    chosen = [n for n in range(len(kinds)) if streamed[n]]
    event(f"{len(chosen)} of {len(kinds)} streamed")
    found = told(
        [whole(n, at_end=False) for n in chosen],
        [whole(n, at_end=True) for n in range(len(kinds))],
    )
    assert sorted(found) == sorted(f"{n}." for n in range(len(kinds)))
    assert found[: len(chosen)] == [f"{n}." for n in chosen]


def test_who_wants_one_call_at_a_time_gets_the_first() -> None:
    calls = [call("1", call_id="a"), call("2", call_id="b")]
    assert told(calls, calls, one_call=True) == ["1"]
    assert told([], calls, one_call=True) == ["1"]
    assert told([A, calls[0]], [A, *calls], one_call=True) == ["a", "1"]
