"""Upstream events of any kind in any order, and what must hold of what a caller then gets."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.http.wire.play import Body, read_events


@dataclass
class Heard:
    """What a caller has of one choice: it joins what it reads, as OpenAI's clients do."""

    text: str = ""
    refusal: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)


def check_chat(sent: bytes) -> dict[int, Heard]:
    """Fail unless the grammar of chat holds; give what was heard of each choice."""
    assert sent.endswith(b"data: [DONE]\n\n")
    assert sent.count(b"data: [DONE]\n\n") == 1
    chunks = list(read_events(sent))
    assert {chunk["id"] for chunk in chunks} == {"chatcmpl-01test"}
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    heard: dict[int, Heard] = {}
    over: set[int] = set()
    for place, chunk in enumerate(chunks):
        if not chunk["choices"]:
            assert place == len(chunks) - 1
            assert chunk["usage"]["total_tokens"] >= 0
            continue
        assert chunk["usage"] is None
        (choice,) = chunk["choices"]
        index, delta = choice["index"], choice["delta"]
        assert index not in over
        assert ("role" in delta) == (index not in heard)
        hear(heard.setdefault(index, Heard()), delta)
        if choice["finish_reason"] is not None:
            assert delta == {}
            over.add(index)
    assert over == set(heard)
    return heard


def hear(known: Heard, delta: Body) -> None:
    """Join a delta to what was heard before it."""
    known.text += delta.get("content") or ""
    known.refusal += delta.get("refusal") or ""
    for call in delta.get("tool_calls", []):
        place, function = call["index"], call["function"]
        if "id" in call:
            assert call["id"]
            assert place == len(known.calls)
            known.calls.append(("", ""))
        name, arguments = known.calls[place]
        assert not (name and "name" in function)
        known.calls[place] = name + function.get("name", ""), arguments + function["arguments"]


TEXT = st.text(max_size=6)
INDEX = st.integers(0, 3)
PLACES = INDEX | st.sampled_from([None, -1, True, "0", 10**30])
CHAT_PLACES = INDEX | st.sampled_from([None, -1, True, "0", 2**63])
CALLED = st.sampled_from(["f", "g", "", None])
NAMES = st.sampled_from(["message", "function_call", "reasoning", "web_search_call", ""])
PARTS = st.sampled_from(["output_text", "refusal", "reasoning_text", "summary_text", "new"])


@st.composite
def parts(draw: st.DrawFn) -> Body:
    kind, text = draw(PARTS), draw(TEXT)
    return {"type": kind, "text": text, "refusal": text, "annotations": [{"type": "new"}]}


@st.composite
def items(draw: st.DrawFn) -> Body:
    found = st.lists(parts(), max_size=2)
    return {
        "type": draw(NAMES),
        "id": "msg_upstream",
        "call_id": draw(st.sampled_from(["call_1", "", None])),
        "name": draw(CALLED),
        "arguments": draw(TEXT),
        "content": draw(found),
        "summary": draw(found),
        "status": draw(st.sampled_from(["completed", "incomplete", "new"])),
    }


@st.composite
def response_events(draw: st.DrawFn) -> Body:
    """An event of any type, at any place: every order and every hole will come up."""
    kind = draw(
        st.sampled_from(
            [
                *("created", "in_progress", "debug", "output_item.added", "output_item.done"),
                *("content_part.added", "content_part.done", "output_text.delta"),
                *("output_text.done", "refusal.delta", "refusal.done", "reasoning.delta"),
                *("reasoning_text.delta", "reasoning_text.done", "output_text.annotation.added"),
                *("reasoning_summary_part.added", "reasoning_summary_text.delta"),
                *("reasoning_summary_text.done", "reasoning_summary_part.done"),
                *("function_call_arguments.delta", "function_call_arguments.done"),
            ]
        )
    )
    text = draw(TEXT)
    return {
        "type": f"response.{kind}",
        "sequence_number": draw(st.integers()),
        "output_index": draw(PLACES),
        "content_index": draw(PLACES),
        "summary_index": draw(PLACES),
        "item_id": draw(st.sampled_from(["msg_upstream", "rs_upstream", None])),
        "item": draw(items()),
        "part": draw(parts()),
        "delta": text,
        "text": text,
        "refusal": text,
        "arguments": text,
        "annotation": {"type": "new"},
    }


def check_any_order(events: list[Body]) -> None:
    """As `check_responses_order`, where items may be open beside one another."""
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    opened: dict[int, Body] = {}
    closed: dict[int, Body] = {}
    told: dict[tuple[str, int, str, int], str] = {}
    for found in events[2:-1]:
        kind, index = found["type"].removeprefix("response."), found["output_index"]
        assert index not in closed
        if kind == "output_item.added":
            assert index == len(opened)
            opened[index] = found["item"]
            continue
        if kind == "output_item.done":
            assert found["item"]["id"] == opened[index]["id"]
            closed[index] = found["item"]
            continue
        assert found["item_id"] == opened[index]["id"]
        axis = "summary_index" if "summary" in kind else "content_index"
        stem = kind.rpartition(".")[0]
        part = (opened[index]["id"], index, axis, found.get(axis, -1))
        if kind.endswith("part.added"):
            # Clients append a part and then look for it at its number.
            assert part not in told
            assert found[axis] == sum(known[:3] == part[:3] for known in told)
            told[part] = ""
        elif kind.endswith(".delta"):
            assert part in told or part[-1] == -1
            told[part] = told.get(part, "") + found["delta"]
        elif kind.endswith(".done") and not stem.endswith("part"):
            whole = found.get("text", found.get("refusal", found.get("arguments")))
            assert told.get(part, "") == whole
    assert set(opened) == set(closed)
    final = events[-1]
    assert final["type"] in {"response.completed", "response.incomplete"}
    assert final["response"]["output"] == [closed[index] for index in sorted(closed)]
    for index, item in closed.items():
        assert {key: item.get(key) for key in ("id", "type", "call_id")} == {
            key: opened[index].get(key) for key in ("id", "type", "call_id")
        }
        assert item.get("name") == (opened[index].get("name") or item.get("name"))
        for axis in ("content", "summary"):
            for place, part in enumerate(item.get(axis, [])):
                words = part.get("text", part.get("refusal"))
                assert words == told[item["id"], index, f"{axis}_index", place]
        if item["type"] == "function_call":
            whole = told.get((item["id"], index, "content_index", -1), "")
            assert item["arguments"] == whole


def words_of(events: list[Body], kind: str) -> str:
    """What a caller has read of one kind, its items and parts in the order of their numbers."""
    read: dict[tuple[int, int], str] = {}
    for found in events:
        if found["type"] == f"response.{kind}.delta":
            place = found["output_index"], found["content_index"]
            read[place] = read.get(place, "") + found["delta"]
    return "".join(text for _, text in sorted(read.items()))


def words_in(output: list[Body], key: str) -> str:
    """What the messages of an output hold of one kind."""
    contents = [item["content"] for item in output if item["type"] == "message"]
    return "".join(part.get(key, "") for content in contents for part in content)


def part_event(kind: str, number: int, text: str) -> Body:
    part = {"type": "output_text", "text": text}
    at = {"output_index": 0, "content_index": number}
    return {"type": f"response.{kind}", **at, "part": part, "delta": text, "text": text}


@st.composite
def called(draw: st.DrawFn) -> Body:
    function = {"name": draw(CALLED), "arguments": draw(st.none() | TEXT)}
    call_id = draw(st.sampled_from(["call_1", "", None]))
    return {"index": draw(CHAT_PLACES), "id": call_id, "function": function}


@st.composite
def choices(draw: st.DrawFn) -> Body:
    delta = {
        "role": "assistant",
        "content": draw(st.none() | TEXT),
        "refusal": draw(st.none() | TEXT),
        "reasoning": draw(st.none() | TEXT),
        "tool_calls": draw(st.none() | st.lists(called() | st.none(), max_size=3)),
    }
    return {
        "index": draw(st.integers(0, 1) | st.none()),
        "delta": draw(st.none() | st.just(delta)),
        "finish_reason": draw(st.sampled_from([None, "", "stop", "length", "new"])),
        "native_finish_reason": "x",
    }


@st.composite
def chunks(draw: st.DrawFn) -> Body:
    """A chunk of any choices, with calls at any place and in any order."""
    return {"id": "gen-upstream", "choices": draw(st.none() | st.lists(choices(), max_size=2))}


def call_chunk(place: int, name: str | None) -> Body:
    call = {"index": place, "id": "call_1", "function": {"name": name, "arguments": "1"}}
    choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    return {"id": "gen-upstream", "choices": [choice]}
