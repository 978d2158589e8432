"""What has a provider put out on `/responses` so far, in a grammar that always holds?

`Items` takes the provider's events, or whole items, and gives the events that a caller should
see: each item and part is opened once, filled, and closed once, whatever the provider left out
or said twice, or told only at the end. What was streamed and what `output` holds at the end are
the same words. Items other than messages, function calls and reasoning stay behind. Reader and
writer each feed all events to one of these and add no rule of their own, so that what is verified
and paid for is what the caller got; items and parts are numbered by us, in the order in which they
were opened. Where the caller wants one call at a time, further ones stay behind too.

Ids are ours too, but for a call's `call_id`, which the caller hands back. What only the provider
can read is sealed for `provider`, with the id that providers check it against; where none is named
it stays as it came.
"""

from typing import Final, TypeAlias

from astrolabe_core.units import ProviderId
from astrolabe_http.wire.fields import Object, array_of, object_of, text_of
from astrolabe_http.wire.logprobs import responses_logprobs
from astrolabe_http.wire.responses_output import (
    CALL,
    FAMILIES,
    MESSAGE,
    REASONING,
    SUMMARY,
    TEXT,
    THOUGHT,
    Family,
    Item,
    Part,
    citations_in,
)
from astrolabe_http.wire.responses_pairs import pair
from astrolabe_http.wire.sealing import Seal, learn

Emitted: TypeAlias = tuple[str, dict[str, object]]
"""An event's type and its fields, but for `type` and `sequence_number`."""

_PREFIXES: Final = {MESSAGE: "msg", CALL: "fc", REASONING: "rs"}
_ARGUMENTS: Final = "response.function_call_arguments"
ENDINGS: Final = frozenset({"response.completed", "response.incomplete"})
ID_CHARS_MAX: Final = 256
ITEMS_MAX: Final = 1_024
PARTS_MAX: Final = 256
COMPARED_CHARS_MAX: Final = 64 * 1024 * 1024
"""How much of one part is compared with what is told as the whole, all in all."""


# Open Responses spells reasoning without the `_text`.
_STEMS: Final = {
    **{family.event: family for family in FAMILIES.values()},
    "response.reasoning": THOUGHT,
    "response.reasoning_summary": SUMMARY,
}
_DELTA_OF: Final = {family.part: f"{family.event}.delta" for family in FAMILIES.values()}
DELTAS: Final = {f"{stem}.delta": family for stem, family in _STEMS.items()}
_DONES: Final = {f"{stem}.done": family for stem, family in _STEMS.items()}


class Items:
    """Folds events into items, and gives the events to show for each."""

    def __init__(
        self,
        suffix: str,
        *,
        provider: ProviderId | None = None,
        one_call: bool = False,
    ) -> None:
        self._one_call = one_call
        self._provider = provider
        self.made: list[Item] = []
        self.spoken = False
        self.called = False
        self.ended = False
        self.crowded = False
        self._suffix = suffix
        self._places: dict[object, Item | None] = {}

    def feed(self, event: Object) -> list[Emitted]:
        """Take one event; those that nobody knows, or that come after the end, give nothing."""
        kind = text_of(event.get("type"))
        if self.ended:
            return []
        family = DELTAS.get(kind)
        if family is not None:
            return self._delta(family, event)
        if kind in ENDINGS:
            self.ended = True
            return self.take(object_of(event.get("response")).get("output"))
        match kind:
            case "response.function_call_arguments.delta":
                return self._argue(self._item(event, CALL), text_of(event.get("delta")))
            case "response.output_item.added":
                return self._open(_place(event), object_of(event.get("item")))
            case "response.output_item.done":
                return self._take(_place(event), object_of(event.get("item")))
            case "response.function_call_arguments.done":
                item = self._item(event, CALL)
                return self._complete(item, text_of(event.get("arguments")))
            case "response.content_part.added" | "response.reasoning_summary_part.added":
                return self._added(event)
            case "response.content_part.done" | "response.reasoning_summary_part.done":
                return self._ended(event)
            case "response.output_text.annotation.added":
                return self._annotate(event)
            case _ if kind in _DONES:
                return self._done(_DONES[kind], event)
            case _:
                return []

    def take(self, output: object) -> list[Emitted]:
        """Take whole items: each is one that was streamed before, or new."""
        whole = [object_of(item) for item in array_of(output)]
        told: list[Emitted] = []
        for number, (said, item) in enumerate(zip(whole, pair(whole, self.made), strict=True)):
            told += self._take(("whole", number), said) if item is None else self._fit(item, said)
        return told

    def close(self, *, completed: bool) -> list[Emitted]:
        """Close what the provider left open."""
        status = "completed" if completed else "incomplete"
        return [told for item in self.made for told in self._close(item, status)]

    def _is_full(self, count: int, most: int) -> bool:
        """Whether there is no room; what comes then is left out, and whoever reads must say so."""
        self.crowded = self.crowded or count >= most
        return count >= most

    # --- items -----------------------------------------------------------------------------

    def _open(self, place: object, said: Object) -> list[Emitted]:
        kind = text_of(said.get("type"))
        if place in self._places or self._is_full(len(self._places), ITEMS_MAX):
            return []
        beyond = self._one_call and kind == CALL and any(each.kind == CALL for each in self.made)
        if kind not in _PREFIXES or beyond:
            self._places[place] = None
            return []
        item = self._create(place, kind, text_of(said.get("id")))
        _learn(item, said)
        if kind == CALL:
            self.spoken = self.called = True
        if kind == CALL and not item.call_id:
            item.call_id = f"call_{self._suffix}_{item.index}"
        return [("response.output_item.added", {"output_index": item.index, "item": item.json()})]

    def _create(self, place: object, kind: str, upstream_id: str) -> Item:
        index = len(self.made)
        item = Item(kind, index, f"{_PREFIXES[kind]}_{self._suffix}_{index}")
        item.own, item.place = upstream_id, place
        if kind == REASONING and self._provider is not None:
            item.seal = Seal(provider=self._provider)
        self.made.append(item)
        self._places[place] = item
        return item

    def _item(self, event: Object, kind: str) -> tuple[list[Emitted], Item | None]:
        """Find the item of an event; one that was never opened is opened now."""
        place = _place(event)
        if place in self._places:
            item = self._places[place]
            return [], item if item is not None and item.kind == kind else None
        if kind == CALL:
            # A call whose name nobody told cannot be carried out.
            return [], None
        return self._open(place, {"type": kind}), self._places.get(place)

    def _take(self, place: object, said: Object) -> list[Emitted]:
        """Take an item as it is in the end: open it where that was not done, fill and close it."""
        told = self._open(place, said)
        item = self._places.get(place)
        if item is None or item.kind != said.get("type"):
            return told
        return told + self._fit(item, said)

    def _fit(self, item: Item, said: Object) -> list[Emitted]:
        """Fill in what was not streamed of an item, and close it."""
        if item.closed:
            return []
        _learn(item, said)
        told: list[Emitted] = []
        if item.kind == CALL:
            told += self._complete(([], item), text_of(said.get("arguments")))
        for index, key in (("summary_index", "summary"), ("content_index", "content")):
            for number, part in enumerate(array_of(said.get(key))):
                told += self._whole_part(item, index, number, object_of(part))
        status = text_of(said.get("status"))
        return told + self._close(item, "incomplete" if status == "incomplete" else "completed")

    def _close(self, item: Item, status: str) -> list[Emitted]:
        if item.closed:
            return []
        told: list[Emitted] = []
        for part in item.parts.values():
            told += self._close_part(item, part)
        item.closed, item.status = True, status
        at: dict[str, object] = {"output_index": item.index}
        if item.kind == CALL:
            ended = {"name": item.name, "arguments": "".join(item.arguments)}
            told.append((f"{_ARGUMENTS}.done", {"item_id": item.id, **at, **ended}))
        told.append(("response.output_item.done", {**at, "item": item.json()}))
        return told

    # --- arguments -------------------------------------------------------------------------

    def _argue(self, found: tuple[list[Emitted], Item | None], text: str) -> list[Emitted]:
        told, item = found
        if item is None or item.closed or not text:
            return told
        item.arguments.append(text)
        self.spoken = True
        at = {"item_id": item.id, "output_index": item.index, "delta": text}
        return [*told, (f"{_ARGUMENTS}.delta", at)]

    def _complete(self, found: tuple[list[Emitted], Item | None], whole: str) -> list[Emitted]:
        told, item = found
        if item is None or self._is_full(item.compared, COMPARED_CHARS_MAX):
            return told
        known = "".join(item.arguments)
        item.compared += len(known)
        return self._argue((told, item), _missing(known, whole))

    # --- parts -----------------------------------------------------------------------------

    def _part(self, item: Item, family: Family, number: int) -> tuple[list[Emitted], Part | None]:
        key = (family.index, number)
        part = item.parts.get(key)
        if part is not None:
            return [], part if part.family is family else None
        if self._is_full(len(item.parts), PARTS_MAX):
            return [], None
        told = [each for other in item.parts.values() for each in self._close_part(item, other)]
        index = sum(axis == family.index for axis, _ in item.parts)
        part = item.parts[key] = Part(family, index)
        added = {**_at(item, part), "part": part.json()}
        return [*told, (f"{family.part_event}.added", added)], part

    def _say(
        self, item: Item, family: Family, number: int, text: str, logprobs: list[object]
    ) -> list[Emitted]:
        told, part = self._part(item, family, number)
        if part is None or part.closed or item.closed or not text:
            return told
        return [*told, self._add(item, part, text, logprobs)]

    def _add(self, item: Item, part: Part, text: str, logprobs: list[object]) -> Emitted:
        family = part.family
        part.words.append(text)
        self.spoken = True
        said: dict[str, object] = {
            "item_id": item.id,
            "output_index": item.index,
            family.index: part.index,
            "delta": text,
        }
        if family is TEXT:
            part.logprobs += logprobs
            said["logprobs"] = logprobs
        return (_DELTA_OF[family.part], said)

    def _delta(self, family: Family, event: Object) -> list[Emitted]:
        text, number = text_of(event.get("delta")), _number(event.get(family.index))
        found = event.get("logprobs")
        logprobs = responses_logprobs(found) if found else []
        item = self._places.get(_place(event))
        part = None if item is None else item.parts.get((family.index, number))
        if item is not None and part is not None and part.family is family and text:
            # Nearly every delta goes on with what is open.
            return [] if part.closed or item.closed else [self._add(item, part, text, logprobs)]
        told, item = self._item(event, family.owner)
        if item is None or item.closed:
            return told
        return told + self._say(item, family, number, text, logprobs)

    def _done(self, family: Family, event: Object) -> list[Emitted]:
        told, item = self._item(event, family.owner)
        if item is None or item.closed:
            return told
        number = _number(event.get(family.index))
        return told + self._fill(item, family, number, text_of(event.get(family.key)))

    def _added(self, event: Object) -> list[Emitted]:
        family = FAMILIES.get(text_of(object_of(event.get("part")).get("type")))
        if family is None:
            return []
        told, item = self._item(event, family.owner)
        if item is None or item.closed:
            return told
        opened, _ = self._part(item, family, _number(event.get(family.index)))
        return told + opened

    def _ended(self, event: Object) -> list[Emitted]:
        said = object_of(event.get("part"))
        family = FAMILIES.get(text_of(said.get("type")))
        if family is None:
            return []
        told, item = self._item(event, family.owner)
        if item is None or item.closed:
            return told
        number = _number(event.get(family.index))
        told += self._whole_part(item, family.index, number, said)
        part = item.parts.get((family.index, number))
        return told if part is None else told + self._close_part(item, part)

    def _fill(self, item: Item, family: Family, number: int, whole: str) -> list[Emitted]:
        told, part = self._part(item, family, number)
        if part is None or self._is_full(part.compared, COMPARED_CHARS_MAX):
            return told
        known = "".join(part.words)
        part.compared += len(known)
        return told + self._say(item, family, number, _missing(known, whole), [])

    def _whole_part(self, item: Item, index: str, number: int, said: Object) -> list[Emitted]:
        family = FAMILIES.get(text_of(said.get("type")))
        if family is None or family.owner != item.kind or family.index != index:
            return []
        told = self._fill(item, family, number, text_of(said.get(family.key)))
        part = item.parts.get((index, number))
        if part is not None and part.family is TEXT and not part.closed:
            known, whole = part.annotations, citations_in(said.get("annotations"))
            told += _cite(item, part, whole[len(known) :] if whole[: len(known)] == known else [])
            part.logprobs = part.logprobs or responses_logprobs(said.get("logprobs"))
        return told

    def _close_part(self, item: Item, part: Part) -> list[Emitted]:
        if part.closed:
            return []
        part.closed = True
        family, at = part.family, _at(item, part)
        ended: dict[str, object] = {family.key: "".join(part.words)}
        if family is TEXT:
            ended["logprobs"] = list(part.logprobs)
        return [
            (f"{family.event}.done", {**at, **ended}),
            (f"{family.part_event}.done", {**at, "part": part.json()}),
        ]

    def _annotate(self, event: Object) -> list[Emitted]:
        item = self._places.get(_place(event))
        number = _number(event.get("content_index"))
        part = None if item is None else item.parts.get(("content_index", number))
        if item is None or part is None or part.family is not TEXT or part.closed:
            return []
        return _cite(item, part, citations_in([event.get("annotation")]))


def _cite(item: Item, part: Part, found: list[object]) -> list[Emitted]:
    """Add annotations. Those that came only with the whole part are streamed too."""
    first = len(part.annotations)
    part.annotations += found
    return [
        (
            "response.output_text.annotation.added",
            {**_at(item, part), "annotation_index": first + place, "annotation": each},
        )
        for place, each in enumerate(found)
    ]


def _at(item: Item, part: Part) -> dict[str, object]:
    return {"item_id": item.id, "output_index": item.index, part.family.index: part.index}


def _learn(item: Item, said: Object) -> None:
    """Take over what an item says of itself; its name and id stand as they were first told."""
    item.name = item.name or text_of(said.get("name"))
    item.call_id = item.call_id or text_of(said.get("call_id"))[:ID_CHARS_MAX]
    if item.kind == REASONING:
        item.seal = learn(item.seal, said)
    if text_of(said.get("phase")) in {"commentary", "final_answer"}:
        item.phase = text_of(said.get("phase"))


def _place(event: Object) -> object:
    index = event.get("output_index")
    if isinstance(index, int) and not isinstance(index, bool):
        return index
    # llama.cpp numbers nothing: an item is known by its id, which stands in it at first and last.
    return text_of(event.get("item_id")) or text_of(object_of(event.get("item")).get("id"))


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _missing(known: str, whole: str) -> str:
    """Give what was not streamed. Where the two disagree, what the caller has seen stands."""
    return whole[len(known) :] if whole.startswith(known) else ""
