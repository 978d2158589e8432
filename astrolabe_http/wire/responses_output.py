"""What does one output item of a Responses answer look like, whole or as far as it has come?

A message holds parts of text or refusal, reasoning holds parts of thought or summary, a call
holds arguments. `Family` says of each kind of part where its words stand and which events
carry them. Every key that typed clients require is always there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from astrolabe_http.wire.fields import array_of
from astrolabe_http.wire.sealing import UNSEALED, Seal, tell

MESSAGE: Final = "message"
CALL: Final = "function_call"
REASONING: Final = "reasoning"
CITED: Final = {"start_index": int, "end_index": int, "title": str, "url": str}


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of part: where its words stand and which events carry them."""

    part: str
    key: str
    event: str
    part_event: str = "response.content_part"
    index: str = "content_index"
    owner: str = MESSAGE


TEXT: Final = Family("output_text", "text", "response.output_text")
REFUSAL: Final = Family("refusal", "refusal", "response.refusal")
THOUGHT: Final = Family("reasoning_text", "text", "response.reasoning_text", owner=REASONING)
SUMMARY: Final = Family(
    "summary_text",
    "text",
    "response.reasoning_summary_text",
    "response.reasoning_summary_part",
    "summary_index",
    REASONING,
)
FAMILIES: Final = {family.part: family for family in (TEXT, REFUSAL, THOUGHT, SUMMARY)}


@dataclass(slots=True)
class Part:
    """A part as far as it has come; `index` is its place among the item's parts of its axis."""

    family: Family
    index: int
    words: list[str] = field(default_factory=list)
    annotations: list[object] = field(default_factory=list)
    logprobs: list[object] = field(default_factory=list)
    closed: bool = False
    compared: int = 0

    def json(self) -> dict[str, object]:
        """Write the part."""
        made: dict[str, object] = {
            "type": self.family.part,
            self.family.key: "".join(self.words),
        }
        if self.family is TEXT:
            made |= {"annotations": list(self.annotations), "logprobs": list(self.logprobs)}
        return made


@dataclass(slots=True)
class Item:
    """An item as far as it has come; `index` is its place in our output.

    `parts` is keyed by the provider's axis and number. Its order is that in which the parts were
    opened, which is the only one there is: in our numbers, in the words and in the whole item.
    `own` and `place` are the provider's id and number.
    """

    kind: str
    index: int
    id: str
    own: str = ""
    place: object = None
    name: str = ""
    call_id: str = ""
    phase: str = ""
    seal: Seal = UNSEALED
    closed: bool = False
    status: str = "in_progress"
    parts: dict[tuple[str, int], Part] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    compared: int = 0

    def words(self, family: Family) -> str:
        """Join the words of one kind of part."""
        return "".join("".join(part.words) for part in self.parts.values() if part.family is family)

    def json(self) -> dict[str, object]:
        """Write the item as it stands."""
        made: dict[str, object] = {"id": self.id, "type": self.kind}
        match self.kind:
            case "function_call":
                made |= {
                    "call_id": self.call_id,
                    "name": self.name,
                    "arguments": "".join(self.arguments),
                    "status": self.status,
                }
            case "reasoning":
                made["summary"] = self._parts("summary_index")
                if content := self._parts("content_index"):
                    made["content"] = content
                made |= tell(self.seal)
            case _:
                made |= {
                    "role": "assistant",
                    "status": self.status,
                    "content": self._parts("content_index"),
                }
                if self.phase:
                    made["phase"] = self.phase
        return made

    def _parts(self, index: str) -> list[dict[str, object]]:
        return [part.json() for part in self.parts.values() if part.family.index == index]


def own_json(item: Item) -> dict[str, object]:
    """Write an item under the provider's own id: it goes with what is encrypted."""
    named = item.seal.id or item.own
    return {**item.json(), "id": named} if named else item.json()


def citations_in(found: object) -> list[object]:
    """Give the annotations that typed clients can read: whole citations of a page."""
    return [
        each
        for each in array_of(found)
        if isinstance(each, Mapping)
        and each.get("type") == "url_citation"
        and all(isinstance(each.get(key), kind) for key, kind in CITED.items())
    ]
