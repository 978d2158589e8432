"""What does the provider answer, before any wire format?

`answer` is a pure function of the ask, the model, the faults and what the cache remembered: the
words, the tool calls, the JSON of a schema, the reasoning, the exact token counts and their price.
Content faults act here; faults of the wire act in `frames` and `delivery`.
"""

import hashlib
from dataclasses import dataclass, replace

import orjson

from astrolabe_http.simulator import text
from astrolabe_http.simulator.asks import Ask, Form, Tool
from astrolabe_http.simulator.cues import (
    is_called,
    properties_of,
    told_arguments,
    wanted_keys,
)
from astrolabe_http.simulator.faults import Faults
from astrolabe_http.simulator.models import ZERO, Bill, SimulatedModel, Tokens, bill, utc_clock
from astrolabe_http.simulator.schema import fill

_EFFORT_TOKENS = {
    "none": 0,
    "minimal": 16,
    "low": 64,
    "medium": 192,
    "high": 512,
    "xhigh": 1024,
    "max": 2048,
}
_REFUSAL = "I'm sorry, but I can't help with that."
_NATIVE = {
    "anthropic": {
        "stop": "end_turn",
        "length": "max_tokens",
        "tool_calls": "tool_use",
        "content_filter": "refusal",
    },
    "google": {
        "stop": "STOP",
        "length": "MAX_TOKENS",
        "tool_calls": "STOP",
        "content_filter": "SAFETY",
    },
}
_SCORE = 5
_SOUND_ABOVE = 3
_WRONG = '{"unexpected": true}'


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str

    @property
    def tokens(self) -> int:
        """What it costs of the completion."""
        return text.count_tokens(self.name) + text.count_tokens(self.arguments)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `n` answers. `finish` is OpenRouter's normalised reason."""

    text: str = ""
    refusal: str = ""
    calls: tuple[Call, ...] = ()
    finish: str = "stop"

    @property
    def tokens(self) -> int:
        """What it costs of the completion, reasoning apart."""
        return (
            text.count_tokens(self.text)
            + text.count_tokens(self.refusal)
            + sum(c.tokens for c in self.calls)
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer to one call."""

    id: str
    created: int
    model: str
    host: str
    choices: tuple[Choice, ...]
    reasoning: str
    tokens: Tokens
    bill: Bill

    @property
    def finish(self) -> str:
        """The first choice's reason."""
        return self.choices[0].finish

    @property
    def native_finish(self) -> str:
        """The reason in the vendor's own words."""
        return _NATIVE.get(self.model.partition("/")[0], {}).get(self.finish, self.finish)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What of the call is not in its body: id, second, host, cached tokens, dictated text."""

    id: str
    created: int
    host: str
    cached: int = 0
    script: str | None = None


def answer(ask: Ask, model: SimulatedModel, faults: Faults, given: Circumstances) -> Answer:
    """Everything the provider will say to this ask."""
    seed = seed_of(ask, model.id)
    room = min(ask.output_max or model.max_output, model.max_output)
    reasoning = _reasoning_tokens(ask, model, seed, room)
    choices = tuple(
        _choice(ask, faults, seed + index * 7919, room - reasoning, given.script)
        for index in range(1 if "one-choice" in faults else ask.count)
    )
    completion = reasoning + sum(choice.tokens for choice in choices)
    tokens = Tokens(
        prompt=ask.prompt_tokens,
        completion=completion,
        cached=given.cached,
        cache_write=_cache_write(ask, model, given.cached),
        reasoning=reasoning,
        images=sum(turn.images for turn in ask.turns),
    )
    cost = bill(model, tokens, utc_clock(given.created))
    if "empty" in faults:
        # OpenRouter charges nothing for an answer without tokens.
        tokens, cost, reasoning = replace(tokens, completion=0, reasoning=0), Bill(ZERO, ZERO), 0
    said = text.reflect(seed) if reasoning else ""
    return Answer(given.id, given.created, model.id, given.host, choices, said, tokens, cost)


def seed_of(ask: Ask, model: str) -> int:
    """A number that two equal asks share, streamed or not."""
    digest = hashlib.blake2b(model.encode(), digest_size=8)
    for turn in ask.turns:
        digest.update(f"\0{turn.role}\0{turn.text}\0{turn.images}".encode("utf-8", "surrogatepass"))
    digest.update(
        repr((ask.form.value, [tool.name for tool in ask.tools], ask.body.get("seed"))).encode()
    )
    return int.from_bytes(digest.digest(), "big")


def _reasoning_tokens(ask: Ask, model: SimulatedModel, seed: int, room: int) -> int:
    base = _EFFORT_TOKENS[ask.effort]
    if not base or not model.supports_reasoning:
        return 0
    return min(base // 2 + seed % base, room // 2)


def _cache_write(ask: Ask, model: SimulatedModel, cached: int) -> int:
    if not ask.cache_marked or model.cache_write_price is None or cached:
        return 0
    return sum(turn.tokens for turn in ask.turns[:-1])


def _choice(ask: Ask, faults: Faults, seed: int, room: int, script: str | None) -> Choice:
    if "empty" in faults:
        return Choice()
    if "refusal" in faults:
        return Choice(refusal=_REFUSAL)
    if script is None and _calls_tools(ask, faults):
        return _clipped(Choice(calls=_calls(ask, faults, seed), finish="tool_calls"), room)
    if script is not None:
        said = script
    elif ask.form is Form.TEXT:
        said = text.compose(seed, ask.topic)
    else:
        said = _spoil(_json(ask, faults, seed), faults)
    if "separators" in faults and ask.form is Form.TEXT:
        said = text.ODD_CHARACTERS + said
    said = text.stop_at(said, ask.stops)
    if "truncated" in faults:
        return Choice(text=said[: len(said) // 2], finish="length")
    if "filtered" in faults:
        return Choice(text=said[: len(said) // 2], finish="content_filter")
    return _clipped(Choice(text=said), room)


def _clipped(choice: Choice, room: int) -> Choice:
    """Cut to the room left; a tool call that does not fit loses the end of its arguments."""
    if choice.tokens <= room:
        return choice
    if not choice.calls:
        return replace(choice, text=text.clip(choice.text, room), finish="length")
    first = choice.calls[0]
    left = max(0, room - text.count_tokens(first.name))
    return Choice(
        calls=(replace(first, arguments=text.clip(first.arguments, left)),), finish="length"
    )


def _calls_tools(ask: Ask, faults: Faults) -> bool:
    if not ask.tools or ask.tool_choice == "none" or "no-tools" in faults:
        return False
    return ask.tool_choice in ("required", "named") or ask.turns[-1].role != "tool"


def _calls(ask: Ask, faults: Faults, seed: int) -> tuple[Call, ...]:
    made: list[Call] = []
    chosen = ask.tools[:2] if "many-calls" in faults else _chosen(ask, seed)
    for place, tool in enumerate(chosen):
        arguments = orjson.dumps(_arguments(ask, tool, seed + place)).decode()
        if "bad-arguments" in faults:
            arguments = arguments[:-1]
        if "wrong-arguments" in faults:
            arguments = _WRONG
        name = "not_a_tool" if "unknown-tool" in faults else tool.name
        made.append(Call(f"call_{(seed + place * 7919) % 16**16:016x}", name, arguments))
    return tuple(made)


def _chosen(ask: Ask, seed: int) -> list[Tool]:
    """The tool that was named; else those the prompt mentions; else one, and sometimes a second."""
    named = [tool for tool in ask.tools if tool.name == ask.tool_named]
    if named:
        return named[:1]
    mentioned = [tool for tool in ask.tools if tool.name in ask.prompt]
    first = seed % len(ask.tools)
    others = [ask.tools[(first + step) % len(ask.tools)] for step in range(min(2, len(ask.tools)))]
    chosen = mentioned or (others if seed % 4 == 0 else others[:1])
    return chosen if ask.parallel_tools else chosen[:1]


def _arguments(ask: Ask, tool: Tool, seed: int) -> dict[str, object]:
    """What the prompt states, and what it leaves open; of a stated call only what must be."""
    schema = tool.parameters
    if isinstance(schema, dict) and is_called(ask.prompt, tool.name):
        required = schema.get("required") or ()
        kept = {key: value for key, value in properties_of(schema).items() if key in required}
        schema = {**schema, "properties": kept}
    told = told_arguments(ask.prompt, tool.name, tool.parameters)
    return {**_object(schema, seed, ask.prompt), **told}


def _object(schema: object, seed: int, prompt: str) -> dict[str, object]:
    value = fill(schema, seed, prompt) if schema else {}
    return value if isinstance(value, dict) else {}


def _json(ask: Ask, faults: Faults, seed: int) -> str:
    if ask.of == "verdict":
        return _verdict(ask, faults, seed)
    if ask.form is Form.SCHEMA:
        return orjson.dumps(fill(ask.schema, seed, ask.prompt)).decode()
    wanted = wanted_keys(ask.prompt)
    if wanted:
        return orjson.dumps({key: text.compose(seed, key) for key in wanted}).decode()
    return orjson.dumps({"answer": text.compose(seed, ask.prompt), "items": seed % 5}).decode()


def _verdict(ask: Ask, faults: Faults, seed: int) -> str:
    """Judge as a benign verifier does, unless told otherwise."""
    told = faults.get("verdict")
    if told is not None and told.word == "unreadable":
        return text.compose(seed, ask.prompt)
    verdict: dict[str, object] = {"score": _SCORE, "concerns": []}
    if told is not None and told.word == "extra":
        verdict["why"] = "it is right"
    elif told is not None and told.word:
        verdict["concerns"] = [told.word]
    elif told is not None:
        concerns = [] if told.number > _SOUND_ABOVE else ["incorrect"]
        verdict = {"score": told.number, "concerns": concerns}
    return orjson.dumps(verdict).decode()


def _spoil(said: str, faults: Faults) -> str:
    if "wrong-schema" in faults:
        return _WRONG
    if "bad-json" in faults:
        return said[:-1]
    if "trailing-comma" in faults and said[-1] in "}]" and len(said) > 2:
        said = f"{said[:-1]},{said[-1]}"
    if "wrapped-json" in faults:
        said = f'{{"result": {said}}}'
    if "fenced-json" in faults:
        said = f"```json\n{said}\n```"
    if "chatty-json" in faults:
        said = f"Sure, here is the JSON you asked for:\n\n{said}\n\nAnything else?"
    return said
