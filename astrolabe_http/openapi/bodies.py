"""What may stand in the body of a request, in either format?

The plain fields are made from the tables of rulings that the readers apply (`wire.chat_fields`,
`wire.responses_fields`), so that type and bounds stand once; `NOTES` adds what each is for. What
the readers judge by code (routing metadata, tools, schemas of answers) is written here, and a test
puts both to the same bodies. Unknown fields are tolerated everywhere, but for routing overrides.
"""

from collections.abc import Mapping
from typing import Any, Final

from astrolabe_core.requests import ToolLabel
from astrolabe_core.stacks import CostMode, QualityTarget, ToolProfile, VerificationMode
from astrolabe_core.units import DAY_MS
from astrolabe_http.openapi.schema import (
    ANYTHING,
    BOOLEAN,
    NULL,
    NUMBER,
    OBJECT,
    Schema,
    any_of,
    array,
    constant,
    described,
    nullable,
    ref,
    request_record,
    text,
    words,
)
from astrolabe_http.wire.intake import DECLARED_CHECKS, MODEL_CHARS_MAX, SCHEMA_NAME_CHARS_MAX
from astrolabe_http.wire.metadata import (
    CONFIRMATION_PATTERN,
    CONFIRMATIONS_MAX,
    KEY,
    KEY_CHARS_MAX,
    SESSION_CHARS_MAX,
    SLUG_PATTERN,
    VALUE_CHARS_MAX,
    VERSION_PATTERN,
)
from astrolabe_http.wire.rulings import Fate, Ruling, Rulings

_AUTO: Final = "astrolabe/auto"

_STACK: Final = f"{SLUG_PATTERN}(@{VERSION_PATTERN})?"
STACK_REF: Final = text(
    "A routing stack: `slug`, or `slug@version` for exactly that version.",
    pattern=f"^{_STACK}$",
    examples=["high-quality"],
)
MODEL: Final = text(
    "The id of a model; `astrolabe/auto` and the other virtual models choose one. A routing stack "
    "may follow after an `@`: `astrolabe/auto@fast`.",
    minLength=1,
    maxLength=MODEL_CHARS_MAX,
    pattern=f"^[^@]*(@{_STACK})?$",
    examples=[_AUTO, "openai/gpt-5.4-nano"],
)
SCHEMA_NAME: Final = text(
    "Any word that names the schema.", minLength=1, maxLength=SCHEMA_NAME_CHARS_MAX
)

_LABEL: Final = words(ToolLabel)
_CONFIRMATION: Final = text(pattern=f"^{CONFIRMATION_PATTERN}$")
OVERRIDES: Final[Mapping[str, Schema]] = {
    "stack": ref("StackRef", "That stack for this request."),
    "quality": words(QualityTarget, "How good the answer must be expected to be."),
    "cost_mode": words(CostMode, "How models that pass are ranked against one another."),
    "latency_slo_ms": described(
        {**NUMBER, "exclusiveMinimum": 0, "maximum": DAY_MS}, "How long the answer may take."
    ),
    "verification": words(VerificationMode, "How thoroughly the answer is checked."),
    "fallback": described(BOOLEAN, "Whether another model may answer where the first fails."),
    "explain": described(BOOLEAN, "Whether the answer carries the whole table of candidates."),
    "tool_profile": words(ToolProfile, "How far tool calls may go."),
    "tool_capabilities": described(
        {**OBJECT, "additionalProperties": any_of(_LABEL, array(_LABEL, minItems=1))},
        "What each tool may do: its name, and one or several capability labels.",
    ),
    "tool_confirmations": any_of(
        _CONFIRMATION,
        array(_CONFIRMATION, maxItems=CONFIRMATIONS_MAX),
        description="Somebody's word for tool calls: each `confirmation` that a refusal with "
        "`tool_call_confirmation_required` gave. One that has expired, or was given for another "
        "call or workspace, is none.",
    ),
    "untrusted_content": described(BOOLEAN, "Whether the prompt holds text of strangers."),
    "approval_required": described(BOOLEAN, "Whether tool calls need a person's word first."),
    "session_id": text("Names the conversation.", minLength=1, maxLength=SESSION_CHARS_MAX),
}
"""The fields of `metadata.astrolabe`. Null leaves the stack's word."""

_JSON_TEXT: Final = {"contentMediaType": "application/json", "format": "json"}
_WRITTEN: Final[Mapping[str, Schema]] = {
    "latency_slo_ms": text(pattern="^[1-9][0-9]{0,6}$"),
    "fallback": words(("true", "false")),
    "explain": words(("true", "false")),
    "untrusted_content": words(("true", "false")),
    "approval_required": words(("true", "false")),
    "tool_capabilities": text(**_JSON_TEXT, contentSchema=OVERRIDES["tool_capabilities"]),
    "tool_confirmations": text(**_JSON_TEXT, contentSchema=OVERRIDES["tool_confirmations"]),
}
"""How a flat field that is no string by its nature may be written as one, too."""

_FLAT: Final = {
    f"{KEY}.{name}": nullable(
        described(
            any_of(schema, _WRITTEN[name]) if name in _WRITTEN else schema,
            f"The same as `{KEY}.{name}` within the object.",
        )
    )
    for name, schema in OVERRIDES.items()
}

BODY_SCHEMAS: Final[Mapping[str, Schema]] = {
    "Model": MODEL,
    "StackRef": STACK_REF,
    "RoutingOverrides": request_record(
        {name: nullable(schema) for name, schema in OVERRIDES.items()},
        "What one request asks to have decided otherwise. Boundaries have no override.",
        additionalProperties=False,
    ),
    "RequestMetadata": request_record(
        {
            KEY: any_of(
                ref("RoutingOverrides"),
                text(**_JSON_TEXT, contentSchema=ref("RoutingOverrides")),
                NULL,
                description="Routing overrides: an object, or the same as a string of JSON.",
            ),
            **_FLAT,
        },
        "Routing overrides in any of their forms; two that contradict each other are refused. The "
        "rest, at most 16 pairs, goes to the provider and comes back with the answer.",
        propertyNames=any_of(
            {"maxLength": KEY_CHARS_MAX, "not": {"pattern": rf"^{KEY}\."}},
            {"enum": [KEY, *_FLAT]},
        ),
        additionalProperties=text(type=["string", "null"], maxLength=VALUE_CHARS_MAX),
    ),
    "NotSupported": any_of(
        NULL,
        {"const": False},
        {"const": ""},
        {"type": "array", "maxItems": 0},
        {"type": "object", "maxProperties": 0},
        description="A field that must ask for nothing.",
    ),
    "JsonSchema": described(OBJECT, "A JSON schema."),
}

NOTES: Final[Mapping[str, str]] = {
    "cache_control": "Where the provider may cache the prompt.",
    "frequency_penalty": "Above 0: less repetition of what was said often.",
    "include": (
        "What to add to the answer: `reasoning.encrypted_content`, "
        "`message.output_text.logprobs`, `message.input_image.image_url`. Other words are let go."
    ),
    "instructions": "A system message that stands before the input.",
    "logit_bias": "How much likelier tokens are made, by their ids.",
    "logprobs": "Whether to answer with log probabilities.",
    "max_completion_tokens": "The most tokens of output. The smaller of both caps holds.",
    "max_output_tokens": "The most tokens of output, reasoning included.",
    "max_tokens": "The old name of `max_completion_tokens`.",
    "messages.content": "What was said.",
    "messages.images": "Images that the model made.",
    "messages.name": "Tells speakers of one role apart.",
    "messages.reasoning": "What the model thought.",
    "messages.reasoning_content": "Another name of `reasoning`.",
    "messages.reasoning_details": "The same in parts, to be handed back as they came.",
    "messages.refusal": "In what words the model declined.",
    "messages.role": "Who speaks.",
    "messages.tool_call_id": "The call that a tool's message answers.",
    "messages.tool_calls": "The functions that the model called.",
    "min_p": "Leaves out tokens less likely than this share of the likeliest.",
    "n": "How many answers to give; each is paid for.",
    "parallel_tool_calls": "`false`: call one tool at most.",
    "prediction": "What the answer is likely to be: it comes sooner then.",
    "presence_penalty": "Above 0: less repetition of what was said at all.",
    "previous_response_id": "The kept response that this one goes on from.",
    "prompt_cache_key": "Groups requests that share a beginning.",
    "prompt_cache_options": "How the provider caches the prompt.",
    "prompt_cache_options.mode": "`explicit`: only where a part says so.",
    "prompt_cache_options.ttl": "For how long.",
    "reasoning": "Whether, and how much, the model thinks first.",
    "reasoning.context": "Of which turns the thoughts are kept.",
    "reasoning.effort": "How much.",
    "reasoning.enabled": "`true`: think, without saying how much.",
    "reasoning.exclude": "`true`: think, and keep it to yourself.",
    "reasoning.generate_summary": "The old name of `summary`.",
    "reasoning.max_tokens": "How many tokens to think, at most.",
    "reasoning.mode": "How thoroughly.",
    "reasoning.summary": "How much to tell of it.",
    "reasoning_effort": "How much the model thinks first.",
    "repetition_penalty": "Above 1: less repetition.",
    "response_format": "The form of the answer.",
    "safety_identifier": "Names the user behind the request, hashed.",
    "seed": "Asks for the same answer again.",
    "session_id": "Names the conversation, so that it stays with one host.",
    "stop": "Where the answer ends.",
    "store": "Whether the response may be kept, to be gone on from.",
    "stream": "Whether the answer comes as server-sent events.",
    "stream_options": "What a stream holds beside the answer.",
    "stream_options.include_usage": "`true`: end with a chunk of usage.",
    "temperature": "From 0, always the likeliest words, to 2.",
    "text": "The form of the answer, and how wordy it is.",
    "text.verbosity": "How wordy.",
    "tools": "The functions that the model may call. Tools of other types stay behind.",
    "top_a": "As `min_p`, by the square of the likeliest.",
    "top_k": "Chooses among so many tokens only.",
    "top_logprobs": "Log probabilities of so many tokens for each place.",
    "top_p": "Chooses among the likeliest tokens that together have this share.",
    "truncation": "`auto` lets the provider drop the middle of what is too long.",
    "user": "Names the user behind the request.",
    "verbosity": "How wordy the answer is.",
}
"""What a field is for, by its path. A field that is refused, or dropped, says why itself."""


def ruled(rulings: Rulings, within: str) -> dict[str, Schema]:
    """Write the fields that a table rules on, with what stands within them."""
    return {
        name: _ruled(f"{within}.{name}" if within else name, ruling)
        for name, ruling in rulings.items()
    }


def _ruled(path: str, ruling: Ruling) -> Schema:
    if ruling.fate is Fate.REFUSED:
        return {**ref("NotSupported", f"Not supported: {ruling.note}."), "deprecated": True}
    schema: Schema = dict(ANYTHING if ruling.check is None else ruling.check.schema)
    if ruling.inner is not None:
        schema["properties"] = ruled(ruling.inner, path)
    says = NOTES.get(path)
    if ruling.fate is Fate.DROPPED:
        says = f"Without effect: {ruling.note}."
    return described(schema if not schema else nullable(schema), says)


def declared(more: Mapping[str, Schema], required: tuple[str, ...], says: str) -> Schema:
    """Write the declaration of a function or of a schema: name, description, strictness."""
    common = {name: nullable(check.schema) for name, check in DECLARED_CHECKS.items()}
    return request_record({**more, **common}, says, required=required)


def function_tool(name_chars_max: int) -> dict[str, Schema]:
    """Write the fields of a function but for `type`."""
    return {
        "name": text("What the model calls it by.", minLength=1, maxLength=name_chars_max),
        "parameters": nullable(ref("JsonSchema", "The arguments, as a JSON schema.")),
    }


def choice_of_tool(named: Schema, allowed: Schema) -> Schema:
    """Write `tool_choice`."""
    return any_of(
        words(("auto", "none", "required")),
        named,
        allowed,
        NULL,
        description="Whether to call a tool, and which. What is named or required must be offered "
        "in `tools`.",
    )


def answer_format(schema: Mapping[str, Any], says: str) -> Schema:
    """Write the form of an answer: text, any JSON object, or JSON of a schema.

    `schema` are the fields beside `type`, or an object with them.
    """
    fields: Mapping[str, Schema] = schema.get("properties", schema)
    required: list[str] = schema.get("required", list(schema))
    return nullable(
        any_of(
            request_record({"type": words(("text", "json_object"))}, required=["type"]),
            request_record(
                {"type": constant("json_schema"), **fields}, required=["type", *required]
            ),
            {"type": "object", "maxProperties": 0},
        ),
        says,
    )
