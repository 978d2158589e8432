"""How is what was said so far written in the other format?

Responses has a list of items, each a message, a call, its output or reasoning; Chat has
messages, in which the model's reasoning, words and calls of one turn stand together. So a run of
the model's items becomes one message, and one message of the model's a run of items. Order is
kept as far as Chat has one. A participant's `name` and a message's `phase` have no other form.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from astrolabe_http.wire.fields import Object, array_of, object_of, text_of
from astrolabe_http.wire.translation.parts import (
    chat_content,
    own_content,
    responses_content,
    split_refusal,
)
from astrolabe_http.wire.translation.thoughts import chat_details, responses_reasoning

ITEM_TYPES = frozenset({"message", "function_call", "function_call_output", "reasoning"})
"""The items that Chat can say. Any other is refused before a request gets here."""


def chat_messages(instructions: object, given: object) -> list[dict[str, object]]:
    """Write `instructions` and `input` as messages."""
    told = _Telling()
    if isinstance(instructions, str):
        told.made.append({"role": "system", "content": instructions})
    if isinstance(given, str):
        told.made.append({"role": "user", "content": given})
    for item in array_of(given):
        told.take(object_of(item))
    told.close()
    return told.made


def responses_input(messages: Iterable[object]) -> list[dict[str, object]]:
    """Write messages as items."""
    items: list[dict[str, object]] = []
    for message in messages:
        items += _items(object_of(message), len(items))
    return items


@dataclass(slots=True)
class _Turn:
    """What the model said in one turn, as far as its items have come."""

    contents: list[object] = field(default_factory=list)
    refusal: str = ""
    calls: list[dict[str, object]] = field(default_factory=list)
    details: list[dict[str, object]] = field(default_factory=list)

    def takes(self, kind: str) -> bool:
        """Whether an item of this type belongs to the turn.

        Whatever comes before the outputs of the calls does: Chat wants those right behind them.
        """
        spoken = bool(self.contents or self.refusal)
        return kind == "function_call" or bool(self.calls) or not spoken

    def message(self) -> dict[str, object]:
        """Write the turn as a message."""
        content = self.contents[0] if len(self.contents) == 1 else _joined(self.contents)
        if content is None and not self.calls:
            content = ""
        made: dict[str, object] = {"role": "assistant", "content": content}
        if self.refusal:
            made["refusal"] = self.refusal
        if self.details:
            made["reasoning_details"] = self.details
        if self.calls:
            made["tool_calls"] = self.calls
        return made


@dataclass(slots=True)
class _Telling:
    """The messages so far, and the turn of the model's that is not over."""

    made: list[dict[str, object]] = field(default_factory=list)
    turn: _Turn | None = None

    def take(self, item: Object) -> None:
        """Add one item."""
        kind = text_of(item.get("type")) or "message"
        if kind == "function_call_output":
            self.close()
            output = chat_content(item.get("output"))
            call = item.get("call_id")
            self.made.append({"role": "tool", "tool_call_id": call, "content": _said(output)})
        elif kind == "message" and item.get("role") != "assistant":
            self.close()
            content = chat_content(item.get("content"))
            self.made.append({"role": item.get("role"), "content": _said(content)})
        else:
            if self.turn is None or not self.turn.takes(kind):
                self.close()
                self.turn = _Turn()
            _add(self.turn, kind, item)

    def close(self) -> None:
        """End the model's turn."""
        if self.turn is not None:
            self.made.append(self.turn.message())
            self.turn = None


def _add(turn: _Turn, kind: str, item: Object) -> None:
    match kind:
        case "function_call":
            function = {"name": item.get("name"), "arguments": item.get("arguments")}
            call = {"id": item.get("call_id"), "type": "function", "function": function}
            turn.calls.append(call)
        case "reasoning":
            turn.details += chat_details(item, len(turn.details))
        case _:
            content, refusal = split_refusal(item.get("content"))
            content = chat_content(content)
            if content not in (None, [], ""):
                turn.contents.append(content)
            turn.refusal += refusal


def _said(content: object) -> object:
    """Give a content where Chat wants one."""
    return "" if content in (None, []) else content


def _joined(contents: list[object]) -> object:
    """Put the contents of several messages into one."""
    if not contents:
        return None
    parts: list[object] = []
    for content in contents:
        parts += content if isinstance(content, list) else [{"type": "text", "text": content}]
    return parts


def _items(message: Object, place: int) -> list[dict[str, object]]:
    content = message.get("content")
    match message.get("role"):
        case "tool":
            output = _said(responses_content(content))
            call = message.get("tool_call_id")
            return [{"type": "function_call_output", "call_id": call, "output": output}]
        case "assistant":
            return _own_items(message, place)
        case role:
            told = _said(responses_content(content))
            return [{"type": "message", "role": role, "content": told}]


def _own_items(message: Object, place: int) -> list[dict[str, object]]:
    items = responses_reasoning(message, place)
    content, refusal = message.get("content"), text_of(message.get("refusal"))
    calls = array_of(message.get("tool_calls"))
    if isinstance(content, str) and not refusal:
        if content or not (calls or items):
            items.append({"type": "message", "role": "assistant", "content": content})
    elif content or refusal:
        items.append(_own_message(content, refusal, place))
    for call in map(object_of, calls):
        function = object_of(call.get("function"))
        items.append(
            {
                "type": "function_call",
                "call_id": call.get("id"),
                "name": function.get("name"),
                "arguments": function.get("arguments"),
            }
        )
    return items


def _own_message(content: object, refusal: str, place: int) -> dict[str, object]:
    """Write what is more than a string. The schema wants an id of that, which nobody checks."""
    return {
        "type": "message",
        "id": f"msg_{place}",
        "role": "assistant",
        "status": "completed",
        "content": own_content(content, refusal),
    }
