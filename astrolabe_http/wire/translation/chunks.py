"""How does a stream of Responses events sound as a stream of Chat chunks?

`ChatChunks` feeds the events to `Items`, which repairs what a provider left out or said twice,
and gives a chunk for each thing that Chat has a word for. The finish reason comes with the
provider's terminal event and not before: a stream that was cut has none here either.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from astrolabe_http.wire.fields import Object, array_of, object_of, text_of
from astrolabe_http.wire.responses_items import ENDINGS, Emitted, Items
from astrolabe_http.wire.responses_output import CALL, REASONING, Item
from astrolabe_http.wire.translation.particulars import (
    chat_citation,
    chat_error,
    chat_usage,
    event_error,
)
from astrolabe_http.wire.translation.thoughts import ENCRYPTED, SUMMARY, TEXT, WORDS

Chunk: TypeAlias = dict[str, object]

_FINISHES: Final = {"max_output_tokens": "length", "content_filter": "content_filter"}
_UNKNOWN: Final = "incomplete"
"""The finish reason of an answer that is incomplete nobody knows why."""


class ChatChunks:
    """Turns the events of one stream into chunks."""

    def __init__(self) -> None:
        self._head: dict[str, object] = {}
        self._items = Items("0")
        self._blocks: dict[tuple[object, ...], int] = {}
        self._calls: dict[object, int] = {}
        self._told: dict[object, int] = {}

    def feed(self, event: Object) -> list[Chunk]:
        """Give the chunks of one event."""
        kind, response = text_of(event.get("type")), object_of(event.get("response"))
        if self._items.ended:
            return []
        if kind in {"error", "response.error"} or (not kind and event.get("error")):
            return [{"error": event_error(event), "choices": []}]
        if kind == "response.failed":
            return [{"error": chat_error({**response, "status": "failed"}), "choices": []}]
        told = self._preamble(response)
        error = chat_error(response) if kind in ENDINGS else None
        if error is not None:
            return [*told, {"error": error, "choices": []}]
        for emitted in self._items.feed(event):
            told += [self._chunk(choice) for choice in self._deltas(emitted)]
        if kind in ENDINGS:
            told.append(self._chunk({"delta": {}, "finish_reason": self._finish(kind, response)}))
        if isinstance(response.get("usage"), Mapping):
            usage = chat_usage(object_of(response["usage"]))
            told.append({**self._head, "choices": [], "usage": usage})
        return told

    def end(self, *, done: bool = True) -> list[Chunk]:  # noqa: ARG002 - as all translators have it
        """Give what ends the answer: all was told with the terminal event, if there was one."""
        return []

    def _preamble(self, response: Object) -> list[Chunk]:
        """Tell who answers, once."""
        if self._head or not response:
            return []
        named = {key: response[key] for key in ("id", "model", "provider") if response.get(key)}
        self._head = {"object": "chat.completion.chunk", **named}
        return [{**self._head, "choices": []}] if named else []

    def _chunk(self, choice: Mapping[str, object]) -> Chunk:
        return {**self._head, "choices": [{"index": 0, "finish_reason": None, **choice}]}

    def _finish(self, kind: str, response: Object) -> str:
        if kind == "response.completed":
            return "tool_calls" if self._calls else "stop"
        reason = text_of(object_of(response.get("incomplete_details")).get("reason"))
        return _FINISHES.get(reason, _UNKNOWN)

    def _deltas(self, emitted: Emitted) -> list[dict[str, object]]:
        kind, fields = emitted
        stem, _, what = kind.removeprefix("response.").rpartition(".")
        item = object_of(fields.get("item"))
        match stem, what:
            case "output_text", "delta":
                return [
                    {"delta": {"content": fields["delta"]}, **self._tokens(fields, whole=False)}
                ]
            case "output_text", "done":
                # A provider may have told them with the whole text only.
                late = self._tokens(fields, whole=True)
                return [{"delta": {}, **late}] if late else []
            case "output_text.annotation", "added":
                return self._cite(fields, [fields.get("annotation")], whole=False)
            case "content_part", "done":
                found = array_of(object_of(fields.get("part")).get("annotations"))
                return self._cite(fields, found, whole=True)
            case "refusal", "delta":
                return [{"delta": {"refusal": fields["delta"]}}]
            case "reasoning_text", "delta":
                return [self._thought(TEXT, fields)]
            case "reasoning_summary_text", "delta":
                return [self._thought(SUMMARY, fields)]
            case "output_item", "added" if item.get("type") == CALL:
                return [self._call(fields, item)]
            case "output_item", "done" if item.get("type") == REASONING:
                return self._sealed(fields)
            case "function_call_arguments", "delta":
                number = self._calls[fields["output_index"]]
                return [_called({"index": number, "function": {"arguments": fields["delta"]}})]
            case _:
                return []

    def _tokens(self, fields: Object, *, whole: bool) -> dict[str, object]:
        """Give the log probabilities that were not told yet."""
        place = (fields["output_index"], fields["content_index"])
        known, found = self._told.get(place, 0), array_of(fields.get("logprobs"))
        fresh = found[known:] if whole else found
        if not fresh:
            return {}
        self._told[place] = known + len(fresh)
        return {"logprobs": {"content": fresh, "refusal": None}}

    def _cite(self, fields: Object, found: list[object], *, whole: bool) -> list[dict[str, object]]:
        """Give the citations that were not told yet."""
        place = ("cited", fields["output_index"], fields["content_index"])
        known = self._told.get(place, 0)
        fresh = [chat_citation(object_of(each)) for each in (found[known:] if whole else found)]
        self._told[place] = known + len(fresh)
        return [{"delta": {"annotations": fresh}}] if fresh else []

    # --- calls -----------------------------------------------------------------------------

    def _call(self, fields: Object, item: Object) -> dict[str, object]:
        number = self._calls[fields["output_index"]] = len(self._calls)
        function = {"name": item["name"], "arguments": ""}
        call = {"index": number, "id": item["call_id"], "type": "function", "function": function}
        return _called(call)

    # --- reasoning -------------------------------------------------------------------------

    def _thought(self, kind: str, fields: Object) -> dict[str, object]:
        item = self._item(fields)
        block = (kind, fields.get("summary_index"), fields.get("content_index"))
        detail = {"type": kind, WORDS[kind]: fields["delta"], **self._whose(item, block)}
        return {"delta": {"reasoning": fields["delta"], "reasoning_details": [detail]}}

    def _sealed(self, fields: Object) -> list[dict[str, object]]:
        """Give what comes at the end of a reasoning item: its signature, and what is encrypted."""
        item, details = self._item(fields), list[dict[str, object]]()
        if item.seal.signature:
            last = sum(axis == "content_index" for axis, _ in item.parts) - 1
            signed = {"type": TEXT, "text": "", "signature": item.seal.signature}
            details.append({**signed, **self._whose(item, (TEXT, None, last))})
        if item.seal.content:
            sealed = {"type": ENCRYPTED, "data": item.seal.content}
            details.append({**sealed, **self._whose(item, (ENCRYPTED,))})
        return [{"delta": {"reasoning_details": details}}] if details else []

    def _item(self, fields: Object) -> Item:
        index = fields["output_index"]
        return self._items.made[index if isinstance(index, int) else 0]

    def _whose(self, item: Item, block: tuple[object, ...]) -> dict[str, object]:
        """Give the number of a block of reasoning, and what tells whose it is."""
        number = self._blocks.setdefault((item.index, *block), len(self._blocks))
        marks = {"id": item.seal.id or item.own, "format": item.seal.format}
        return {"index": number, **{key: value for key, value in marks.items() if value}}


def _called(call: dict[str, object]) -> dict[str, object]:
    return {"delta": {"tool_calls": [call]}}
