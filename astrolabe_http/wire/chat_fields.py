"""What becomes of each field of `POST /v1/chat/completions`?

`CHAT_FIELDS` rules on every top-level field of OpenAI's and of OpenRouter's Chat, and on fields
of Responses that would change an answer and are easily sent to the wrong address.
"""

from collections.abc import Mapping
from typing import Final

from astrolabe_http.wire.common_fields import (
    COMMON_FIELDS,
    NAMES_CHARS_MAX,
    TOP_LOGPROBS,
    other_than,
)
from astrolabe_http.wire.fields import (
    ARRAY,
    BOOLEAN,
    EFFORT,
    LOGIT_BIAS,
    NUMBER,
    OBJECT,
    POSITIVE,
    STOP,
    STRING,
    SUMMARY,
    VERBOSITY,
    WHOLE,
    Object,
    text_of,
    text_up_to,
    whole_between,
)
from astrolabe_http.wire.rulings import (
    Rulings,
    above,
    asks,
    carried,
    dropped,
    read,
    refused,
    reshaped,
)

CHOICES_MAX: Final = 128


def index_of(choice: Object) -> int:
    """Give the index that a choice names; one that no choice can have is as good as none."""
    index = choice.get("index")
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < CHOICES_MAX:
        return index
    return 0


_RESPONSES: Final = "it is a field of /v1/responses; send"
_MUST_BE_TEXT: Final = 'models here answer with text; leave it out or send ["text"]'

CHAT_REASONING: Final[Rulings] = {
    "effort": carried(EFFORT),
    "summary": carried(SUMMARY),
    "max_tokens": carried(whole_between(0, 10_000_000)),
    "enabled": carried(BOOLEAN),
    "exclude": carried(BOOLEAN),
}


def _wants_json(form: object) -> bool:
    return isinstance(form, Mapping) and text_of(form.get("type")) in {"json_object", "json_schema"}


MESSAGE_FIELDS: Final[Rulings] = {
    "role": carried(STRING, "`system`, `developer`, `user`, `assistant`, `tool`"),
    "content": reshaped("string, parts or null; text alone from `system` and `developer`"),
    "name": carried(STRING),
    "tool_call_id": carried(STRING, "of `tool`"),
    "tool_calls": reshaped("of `assistant`: functions, each with its id", ARRAY),
    "refusal": carried(STRING, "of `assistant`"),
    "reasoning": carried(STRING, "of `assistant`, OpenRouter's"),
    "reasoning_content": reshaped("of `assistant`; sent as `reasoning`"),
    "reasoning_details": carried(ARRAY, "of `assistant`, OpenRouter's: encrypted reasoning too"),
    "images": carried(ARRAY, "of `assistant`, OpenRouter's"),
    "audio": refused("no answers are kept here; send what was said as content"),
    "function_call": refused("it is the old form of tool_calls; send tool_calls"),
    "annotations": dropped("they point into what is sent anyway"),
    "parsed": dropped("openai-python's own; the content says it"),
}
CHAT_FIELDS: Final[Rulings] = {
    **COMMON_FIELDS,
    "messages": reshaped("parts and nulls are brought into the form that OpenRouter takes"),
    "max_tokens": read("of both caps the smaller holds; the one that was priced is sent", POSITIVE),
    "max_completion_tokens": read("as `max_tokens`", POSITIVE),
    "n": reshaped(
        "sent where it is above 1; an answer with fewer choices is an error",
        whole_between(1, CHOICES_MAX),
        demands=above(1),
    ),
    "seed": carried(WHOLE, demands=asks),
    "stop": carried(STOP, demands=asks),
    "logit_bias": carried(LOGIT_BIAS, demands=asks),
    "logprobs": carried(BOOLEAN, demands=asks),
    "top_logprobs": carried(TOP_LOGPROBS, "takes `logprobs: true`", demands=above(0)),
    "response_format": reshaped(
        "a schema demands `structured_output`; types of OpenRouter's own are refused",
        OBJECT,
        demands=_wants_json,
    ),
    "reasoning_effort": carried(
        EFFORT, "demands `reasoning`, unless `none`; the same as `reasoning.effort`"
    ),
    "reasoning": carried(OBJECT, "OpenRouter's; demands `reasoning`", inner=CHAT_REASONING),
    "verbosity": carried(VERBOSITY),
    "prediction": carried(OBJECT, "makes an answer come sooner"),
    "safety_identifier": reshaped(
        "sent as `user` where there is none: it names the same", text_up_to(NAMES_CHARS_MAX)
    ),
    "min_p": carried(NUMBER, "OpenRouter's"),
    "top_a": carried(NUMBER, "OpenRouter's"),
    "repetition_penalty": carried(NUMBER, "OpenRouter's", asks=other_than(1)),
    "modalities": refused(_MUST_BE_TEXT, lambda value: value not in ([], ["text"])),
    "audio": refused("no model here answers with audio; leave it out"),
    "functions": refused("it is the old form of tools; send tools"),
    "function_call": refused("it is the old form of tool_choice; send tool_choice"),
    "web_search_options": refused(
        "no model here searches the web by itself; offer a tool of your own"
    ),
    "usage": dropped("OpenRouter's; usage is always asked for"),
    # Of the other format.
    "input": refused(f"{_RESPONSES} messages"),
    "instructions": refused(f"{_RESPONSES} a message of the role system"),
    "text": refused(f"{_RESPONSES} response_format or verbosity"),
    "max_output_tokens": refused(f"{_RESPONSES} max_completion_tokens"),
    "previous_response_id": refused(f"{_RESPONSES} the whole conversation as messages"),
    "conversation": refused(f"{_RESPONSES} the whole conversation as messages"),
    "background": refused("answers come with the request; leave it out"),
    "prompt": refused("no prompts are kept here; send messages"),
}
