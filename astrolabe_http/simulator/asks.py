"""What was the provider asked, whichever of the two APIs asked it?

`Ask` is the one record both readers make and both renderers answer. Checks of single fields live
here as tables of predicates, because OpenRouter's schema says the same of most fields of both
bodies.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from astrolabe_http.simulator.errors import Refusal, refuse_request
from astrolabe_http.simulator.preferences import Preferences
from astrolabe_http.simulator.text import count_tokens

TURN_TOKENS = 4
REPLY_TOKENS = 3
MEDIA_TOKENS = 258
METADATA_PAIRS_MAX = 16
METADATA_VALUE_MAX = 512
VERDICT = "astrolabe_verdict"
"""The name of the schema by which a gateway asks for a grade of an answer."""
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class Form(Enum):
    """The form of the answer's text."""

    TEXT = "text"
    JSON = "json_object"
    SCHEMA = "json_schema"


@dataclass(frozen=True, slots=True)
class Turn:
    """One message, item or tool result: what it says in words and how many media parts it holds."""

    role: str
    text: str
    images: int = 0
    media: int = 0

    @property
    def tokens(self) -> int:
        """What it costs of the prompt."""
        return count_tokens(self.text) + TURN_TOKENS + MEDIA_TOKENS * (self.images + self.media)


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call."""

    name: str
    parameters: object
    tokens: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A checked request. `body` is the request as it came, for echoes; nothing else reads it."""

    model: str
    stream: bool
    turns: tuple[Turn, ...]
    preferences: Preferences
    body: Mapping[str, object]
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    tool_named: str | None = None
    parallel_tools: bool = True
    output_max: int | None = None
    form: Form = Form.TEXT
    schema: object = None
    schema_name: str = ""
    count: int = 1
    stops: tuple[str, ...] = ()
    effort: str = "none"
    cache_marked: bool = False
    parameters: frozenset[str] = field(default_factory=frozenset)

    @property
    def of(self) -> str:
        """What is asked for: an `answer`, or a `verdict` on one."""
        return "verdict" if self.schema_name == VERDICT else "answer"

    @property
    def prompt(self) -> str:
        """The last words of the user."""
        return next(
            (turn.text for turn in reversed(self.turns) if turn.role == "user" and turn.text), ""
        )

    @property
    def topic(self) -> str:
        """What an answer is about: a tool's result where one came last, else the prompt."""
        last = self.turns[-1]
        return last.text if last.role == "tool" and last.text else self.prompt

    @property
    def prompt_tokens(self) -> int:
        """All turns, the tools and the opening of the reply."""
        return (
            sum(turn.tokens for turn in self.turns)
            + sum(tool.tokens for tool in self.tools)
            + (count_tokens(repr(self.schema)) if self.schema is not None else 0)
            + REPLY_TOKENS
        )


Check = tuple[Callable[[object], bool], str]


def is_number(value: object) -> bool:
    """A JSON number; a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: object) -> bool:
    """A JSON integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_metadata(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) <= METADATA_PAIRS_MAX
        and all(
            isinstance(item, str) and len(item) <= METADATA_VALUE_MAX for item in value.values()
        )
    )


STRING: Check = (lambda value: isinstance(value, str), "a string")
BOOLEAN: Check = (lambda value: isinstance(value, bool), "a boolean")
OBJECT: Check = (lambda value: isinstance(value, Mapping), "an object")
LIST: Check = (lambda value: isinstance(value, list), "an array")
STRINGS: Check = (_is_strings, "an array of strings")
WHOLE: Check = (is_whole, "an integer")
POSITIVE: Check = (lambda value: is_whole(value) and value > 0, "an integer above 0")  # type: ignore[operator]
NUMBER: Check = (is_number, "a number")
SESSION: Check = (
    lambda value: isinstance(value, str) and len(value) <= 256,
    "a string of at most 256",
)
TIER: Check = (
    lambda value: value in ("auto", "default", "fast", "flex", "priority", "scale"),
    "one of auto, default, fast, flex, priority, scale",
)

COMMON_FIELDS: dict[str, Check] = {
    "model": STRING,
    "models": STRINGS,
    "stream": BOOLEAN,
    "tools": LIST,
    "parallel_tool_calls": BOOLEAN,
    "metadata": (_is_metadata, "an object of at most 16 strings of at most 512 characters"),
    "temperature": (lambda value: is_number(value) and 0 <= value <= 2, "a number from 0 to 2"),  # type: ignore[operator]
    "top_p": (lambda value: is_number(value) and 0 <= value <= 1, "a number from 0 to 1"),  # type: ignore[operator]
    "frequency_penalty": NUMBER,
    "presence_penalty": NUMBER,
    "top_k": WHOLE,
    "top_logprobs": WHOLE,
    "session_id": SESSION,
    "user": STRING,
    "service_tier": TIER,
    "prompt_cache_key": STRING,
    "plugins": LIST,
    "reasoning": OBJECT,
}


def check_fields(body: Mapping[str, object], checks: Mapping[str, Check]) -> Refusal | None:
    """The first field whose value the schema forbids; null counts as absent."""
    for name, (holds, expected) in checks.items():
        value = body.get(name)
        if value is not None and not holds(value):
            return refuse_request(f"Invalid input: {name} must be {expected}", path=[name])
    return None


def chosen_model(body: Mapping[str, object]) -> str | Refusal:
    """`model`, else the first of `models`."""
    model = body.get("model")
    if isinstance(model, str) and model:
        return model
    match body.get("models"):
        case [str(first), *_]:
            return first
        case _:
            return refuse_request("No models provided", path=["model"])


def effort_of(body: Mapping[str, object]) -> str | Refusal:
    """How much reasoning was asked for, in either spelling."""
    reasoning = body.get("reasoning")
    effort = reasoning.get("effort") if isinstance(reasoning, Mapping) else None
    if effort is None:
        effort = body.get("reasoning_effort")
    if effort is None:
        enabled = isinstance(reasoning, Mapping) and (
            reasoning.get("enabled") is True or bool(reasoning.get("max_tokens"))
        )
        return "medium" if enabled else "none"
    if not isinstance(effort, str) or effort not in EFFORTS:
        return refuse_request(
            f"Invalid reasoning effort: expected one of {', '.join(EFFORTS)}", path=["reasoning"]
        )
    return effort
