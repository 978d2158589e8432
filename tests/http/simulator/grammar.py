"""A reader of the simulator's streams, and the order Responses events must keep."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Event = dict[str, Any]


def read_events(body: str) -> tuple[list[Event], bool]:
    """The JSON events of a stream, and whether `[DONE]` ended it."""
    lines = [line.removeprefix("data: ") for line in body.split("\n") if line.startswith("data: ")]
    done = bool(lines) and lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines if line != "[DONE]"], done


def check_responses_order(events: Sequence[Event]) -> None:
    """Fail unless each item and part is opened, filled and closed once, in order."""
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1]["type"] in ("response.completed", "response.incomplete")
    closed: list[Mapping[str, Any]] = []
    item: Event | None = None
    told = ""
    for event in events[2:-1]:
        kind: str = event["type"]
        if kind == "response.output_item.added":
            assert item is None
            assert event["output_index"] == len(closed)
            item, told = event["item"], ""
            continue
        assert item is not None
        assert event["output_index"] == len(closed)
        if kind == "response.output_item.done":
            assert event["item"]["id"] == item["id"]
            closed.append(event["item"])
            item = None
            continue
        assert event["item_id"] == item["id"]
        if kind.endswith(".delta"):
            told += event["delta"]
        elif kind.endswith("_arguments.done"):
            assert event["arguments"] == told
        elif kind.endswith(("output_text.done", "summary_text.done")):
            assert event["text"] == told
    assert item is None
    assert events[-1]["response"]["output"] == closed
