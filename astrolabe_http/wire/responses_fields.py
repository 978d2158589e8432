"""What becomes of each field of `POST /v1/responses`?

`RESPONSES_FIELDS` rules on every top-level field of OpenAI's and of OpenRouter's Responses, and
on fields of Chat that would change an answer and are easily sent to the wrong address.
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
    BOOLEAN,
    EFFORT,
    OBJECT,
    POSITIVE,
    STRING,
    STRINGS,
    SUMMARY,
    VERBOSITY,
    one_of,
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

_CHAT: Final = "it is a field of /v1/chat/completions"
_CHAT_ONLY: Final = f"{_CHAT}, and only there; ask there"

PREVIOUS: Final = "previous_response_id"
ENCRYPTED: Final = "reasoning.encrypted_content"
LOGPROBS: Final = "message.output_text.logprobs"

INCLUDED: Final[Rulings] = {
    ENCRYPTED: carried(STRING, "reasoning that only its provider can read"),
    "message.input_image.image_url": carried(STRING),
    LOGPROBS: reshaped(
        "asked for as `top_logprobs`, which is how OpenRouter is asked", demands=asks
    ),
    "file_search_call.results": dropped("of a tool that no provider is offered"),
    "web_search_call.results": dropped("of a tool that no provider is offered"),
    "web_search_call.action.sources": dropped("of a tool that no provider is offered"),
    "computer_call_output.output.image_url": dropped("of a tool that no provider is offered"),
    "code_interpreter_call.outputs": dropped("of a tool that no provider is offered"),
}
"""What may be asked for beside the answer. OpenRouter refuses words that it does not know."""

RESPONSES_REASONING: Final[Rulings] = {
    "effort": carried(EFFORT, "demands `reasoning`, unless `none`", told_back=True),
    "summary": carried(SUMMARY, told_back=True),
    "generate_summary": reshaped("the old name of `summary`", SUMMARY),
    "context": carried(one_of("auto", "current_turn", "all_turns")),
    "mode": carried(one_of("standard", "pro")),
    "enabled": carried(BOOLEAN, "OpenRouter's"),
    "max_tokens": carried(whole_between(0, 10_000_000), "OpenRouter's"),
    "exclude": dropped("OpenRouter has it in Chat only"),
}


def _wants_json(form: object) -> bool:
    return isinstance(form, Mapping) and text_of(form.get("type")) in {"json_object", "json_schema"}


def _text_wants_json(text: object) -> bool:
    return isinstance(text, Mapping) and _wants_json(text.get("format"))


def _wants_logprobs(included: object) -> bool:
    return isinstance(included, list) and LOGPROBS in included


TEXT: Final[Rulings] = {
    "format": reshaped(
        "a schema demands `structured_output`", OBJECT, demands=_wants_json, told_back=True
    ),
    "verbosity": carried(VERBOSITY, told_back=True),
}

RESPONSES_FIELDS: Final[Rulings] = {
    **COMMON_FIELDS,
    "input": reshaped("items and parts are brought into the form that OpenRouter takes"),
    "instructions": carried(STRING, told_back=True),
    "max_output_tokens": reshaped("the cap that was priced is sent", POSITIVE, told_back=True),
    "max_tool_calls": dropped(
        "it counts calls of the provider's own tools, and none is offered",
        POSITIVE,
        told_back=True,
    ),
    "include": reshaped("word by word, see below", STRINGS, demands=_wants_logprobs),
    "text": reshaped(
        "field by field", OBJECT, demands=_text_wants_json, told_back=True, inner=TEXT
    ),
    "reasoning": reshaped("field by field", OBJECT, told_back=True, inner=RESPONSES_REASONING),
    "top_logprobs": carried(TOP_LOGPROBS, demands=above(0), told_back=True),
    "truncation": carried(one_of("auto", "disabled"), told_back=True),
    "safety_identifier": carried(text_up_to(256), told_back=True),
    PREVIOUS: read(
        "its conversation comes before `input`, where the stack keeps conversations",
        text_up_to(NAMES_CHARS_MAX),
        told_back=True,
    ),
    "conversation": refused("send previous_response_id, or the whole conversation as input"),
    "background": refused("answers come with the request; leave it out"),
    "background_options": dropped("answers come with the request"),
    "prompt": refused("no prompts are kept here; send instructions and input"),
    "context_management": refused("prompts are never shortened silently; leave it out"),
    "access_programs": refused("no provider here has them; leave it out"),
    "image": dropped("images pass as they are"),
    "modalities": refused(
        'models here answer with text; leave it out or send ["text"]',
        lambda value: value not in ([], ["text"]),
    ),
    # Of the other format.
    "messages": refused(f"{_CHAT}; send input"),
    "max_tokens": refused(f"{_CHAT}; send max_output_tokens"),
    "max_completion_tokens": refused(f"{_CHAT}; send max_output_tokens"),
    "response_format": refused(f"{_CHAT}; send text.format"),
    "reasoning_effort": refused(f"{_CHAT}; send reasoning.effort"),
    "verbosity": refused(f"{_CHAT}; send text.verbosity"),
    "functions": refused(f"{_CHAT}; send tools"),
    "function_call": refused(f"{_CHAT}; send tool_choice"),
    "logprobs": refused(f'{_CHAT}; send include: ["{LOGPROBS}"]'),
    "n": refused(_CHAT_ONLY, other_than(1)),
    "seed": refused(_CHAT_ONLY),
    "stop": refused(_CHAT_ONLY),
    "logit_bias": refused(_CHAT_ONLY),
    "prediction": refused(_CHAT_ONLY),
    "audio": refused("no model here answers with audio; leave it out"),
    "web_search_options": refused(
        "no model here searches the web by itself; offer a tool of your own"
    ),
    "min_p": refused(_CHAT_ONLY),
    "top_a": refused(_CHAT_ONLY),
    "repetition_penalty": refused(_CHAT_ONLY),
}
