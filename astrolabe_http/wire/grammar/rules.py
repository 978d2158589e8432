"""Which rules does a stream keep, and how is a break of one told?

One name and one sentence for each rule, whichever of the two formats it holds in. `Violation`
says which rule broke and where, in words of ours only: nothing of an answer is ever in it, so
that it can be logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Rule(StrEnum):
    """The name under which a break is told."""

    FRAMING = "framing"
    EVENT_NAME = "event_name"
    DATA = "data"
    KNOWN_EVENT = "known_event"
    FIELDS = "fields"
    SEQUENCE = "sequence"
    ORDER = "order"
    ONE_END = "one_end"
    HAS_END = "has_end"
    OPENED_FIRST = "opened_first"
    OPENED_ONCE = "opened_once"
    OPENED_EMPTY = "opened_empty"
    INDEX_ORDER = "index_order"
    CLOSED_LAST = "closed_last"
    ALL_CLOSED = "all_closed"
    KIND = "kind"
    IDENTITY = "identity"
    CALL_NAME = "call_name"
    TEXT = "text"
    ARGUMENTS = "arguments"
    OUTPUT = "output"
    STATUS = "status"
    ECHO = "echo"
    USAGE = "usage"
    ERROR = "error"
    LAST_WORD = "last_word"


SAYS: Final[Mapping[Rule, str]] = {
    Rule.FRAMING: "A frame is one line `data:`, in Responses after one line `event:`, and an empty "
    "line; lines end in LF; comments may stand anywhere. The last frame is whole.",
    Rule.EVENT_NAME: "`event:` is the `type` of its data; Chat names no event.",
    Rule.DATA: "Data is one JSON object, or Chat's `[DONE]`.",
    Rule.KNOWN_EVENT: "There are no events but those of the table.",
    Rule.FIELDS: "Each event, response, item and part has every key of its table, and of its type.",
    Rule.SEQUENCE: "`sequence_number` counts from 0 by 1.",
    Rule.ORDER: "The stream moves as the table says: begun first, an `error` of Responses only "
    "directly before `response.failed`.",
    Rule.ONE_END: "Nothing follows the end.",
    Rule.HAS_END: "There is an end: `response.completed`, `response.incomplete` or "
    "`response.failed`; Chat's `[DONE]`.",
    Rule.OPENED_FIRST: "What is filled was opened before, and what is closed was filled; a choice "
    "is opened by its role, a tool call by its index, id and name.",
    Rule.OPENED_ONCE: "Nothing is opened twice: no item, part, choice or tool call.",
    Rule.OPENED_EMPTY: "What is opened is empty and in progress.",
    Rule.INDEX_ORDER: "`output_index`, `content_index`, `summary_index`, `annotation_index` and "
    "the index of a tool call are given in order, from 0 by 1.",
    Rule.CLOSED_LAST: "Nothing is said of what is closed; a choice is closed by its only "
    "`finish_reason`, which stands beside an empty delta.",
    Rule.ALL_CLOSED: "What is within is closed before what is around it: parts and arguments "
    "before the item, items and choices before an end that is no failure.",
    Rule.KIND: "Events of one kind of part or item go to no other; `finish_reason` is one that "
    "OpenAI has, and `tool_calls` only where there were some.",
    Rule.IDENTITY: "Ids, models and times stay as they were first told.",
    Rule.CALL_NAME: "A tool call's name is told once, and is the same on "
    "`function_call_arguments.done` and on the item.",
    Rule.TEXT: "The deltas of a part make up its `.done`, its part and its place in the item; "
    "log probabilities and annotations that were streamed are those of the part.",
    Rule.ARGUMENTS: "The deltas of a call's arguments make up their `.done` and those of the item.",
    Rule.OUTPUT: "`output` at the end is the items as they were closed; after a failure those "
    "still open are there as far as they had come.",
    Rule.STATUS: "`status`, `error`, `incomplete_details` and `completed_at` are those of the "
    "event.",
    Rule.ECHO: "What else a response says stays the same from `response.created` to the end; "
    "routing metadata is added there.",
    Rule.USAGE: "Usage is told at the end only; in Chat in one chunk with `choices: []` before "
    "`[DONE]`, where it was asked for, and as null on every chunk before it.",
    Rule.ERROR: "An `error` event says the same at its top and under `error`; Chat's error frame "
    "holds nothing but `error`; each has message, type, param and code.",
    Rule.LAST_WORD: "In Chat, `astrolabe` is on the last chunk or on none.",
}
"""Every rule in one sentence or two."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One break of a rule. `where` is the event's number and name, and none of its content."""

    rule: Rule
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.message} (at {self.where})"
