"""Bodies and answers of both formats, in the one form in which each can be said there and back."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Body = dict[str, Any]

TEXT = st.text(min_size=1, max_size=6)
NAME = st.sampled_from(["get_weather", "send_mail", "f"])
JSON_TEXT = st.sampled_from(["{}", '{"a":1}', '{"a": "x y"}', '{"a":{"b":[1]}}'])
URL = st.sampled_from(["https://x.test/a.png", "data:image/png;base64,aGk="])
SCHEMA: Body = {"type": "object", "properties": {"a": {"type": "string"}}}


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Body]:
    """Draw an object with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


# --- what both have --------------------------------------------------------------------------

SAME = some(
    temperature=st.sampled_from([0, 0.5, 2]),
    top_p=st.sampled_from([0.1, 1]),
    top_k=st.integers(1, 9),
    presence_penalty=st.sampled_from([-2, 0.5]),
    frequency_penalty=st.sampled_from([-2, 0.5]),
    user=TEXT,
    prompt_cache_key=TEXT,
    metadata=st.just({"team": "blue"}),
    provider=st.just({"data_collection": "deny"}),
    stream=st.just(True),
)
EFFORTS = st.sampled_from(["none", "minimal", "low", "high"])
REASONING = st.fixed_dictionaries(
    {"effort": EFFORTS}, optional={"summary": st.sampled_from(["auto", "detailed"])}
)
FUNCTION = st.fixed_dictionaries(
    {"name": NAME, "parameters": st.just(SCHEMA), "strict": st.booleans()},
    optional={"description": TEXT},
)
FORMAT = st.fixed_dictionaries(
    {"name": NAME, "schema": st.just(SCHEMA)},
    optional={"strict": st.booleans(), "description": TEXT},
)
MODES = st.sampled_from(["auto", "none", "required"])


# --- Chat ------------------------------------------------------------------------------------

CHAT_TEXTS = st.builds(lambda text: {"type": "text", "text": text}, TEXT)
CHAT_SEEN = st.one_of(
    CHAT_TEXTS,
    st.builds(
        lambda url, detail: {"type": "image_url", "image_url": {"url": url, "detail": detail}},
        URL,
        st.sampled_from(["auto", "high"]),
    ),
    st.just({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:x;base64,aA=="}}),
    st.just({"type": "file", "file": {"file_data": "https://x.test/a.pdf"}}),
)
CHAT_HEARD = st.one_of(
    st.just({"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}),
    st.builds(lambda url: {"type": "video_url", "video_url": {"url": url}}, URL),
)
CHAT_CONTENT = TEXT | st.lists(CHAT_SEEN | CHAT_HEARD, min_size=2, max_size=3)
CHAT_OUTPUT = TEXT | st.lists(CHAT_SEEN, min_size=2, max_size=3)


@st.composite
def details(draw: st.DrawFn) -> list[Body]:
    """Draw what reasoning a message carries: items by their ids, each sealed or not."""
    made: list[Body] = []
    for number in range(draw(st.integers(0, 2))):
        marks = {"id": f"rs_{number}", **draw(st.sampled_from([{}, {"format": "unknown"}]))}
        for kind, key in (("summary", "summary"), ("text", "text")):
            words = draw(st.lists(TEXT, max_size=2))
            made += [{"type": f"reasoning.{kind}", key: word, **marks} for word in words]
        if draw(st.booleans()) or not made or made[-1]["id"] != marks["id"]:
            made.append({"type": "reasoning.encrypted", "data": draw(TEXT), **marks})
    return [{**detail, "index": place} for place, detail in enumerate(made)]


@st.composite
def called(draw: st.DrawFn, *, least: int = 0) -> list[Body]:
    """Draw calls with ids of their own."""
    number = draw(st.integers(least, 3))
    return [
        {
            "id": f"call_{place}",
            "type": "function",
            "function": {"name": draw(NAME), "arguments": draw(JSON_TEXT)},
        }
        for place in range(number)
    ]


@st.composite
def turns(draw: st.DrawFn) -> list[Body]:
    """Draw a turn of the model's, and the outputs of the calls that it made."""
    calls = draw(called())
    refusal = draw(st.just("") | TEXT) if not calls else ""
    content: Any = draw(TEXT) if not calls and not refusal else draw(st.none() | TEXT)
    made: Body = {"role": "assistant", "content": content}
    if refusal:
        made |= {"refusal": refusal, "content": content or ""}
    found = draw(details())
    if found:
        made["reasoning_details"] = found
    if calls:
        made["tool_calls"] = calls
    return [
        made,
        *(
            {"role": "tool", "tool_call_id": call["id"], "content": draw(CHAT_OUTPUT)}
            for call in calls
        ),
    ]


@st.composite
def chat_messages(draw: st.DrawFn) -> list[Body]:
    """Draw a conversation."""
    rule = st.builds(
        lambda role, content: [{"role": role, "content": content}],
        st.sampled_from(["system", "developer"]),
        TEXT | st.lists(CHAT_TEXTS, min_size=2, max_size=3),
    )
    told = rule | st.builds(lambda content: [{"role": "user", "content": content}], CHAT_CONTENT)
    made: list[Body] = []
    for run in draw(st.lists(told | turns(), min_size=1, max_size=4)):
        # Two messages of the model's in a row may be one turn: that has tests of its own.
        if made and made[-1]["role"] == run[0]["role"] == "assistant":
            made += draw(told)
        made += run
    return made


@st.composite
def chat_bodies(draw: st.DrawFn) -> Body:
    """Draw a body as `upstream_body` makes it for Chat."""
    body: Body = {"model": "a/b", "max_tokens": draw(st.integers(16, 99)), **draw(SAME)}
    body |= {"usage": {"include": True}, "messages": draw(chat_messages())}
    if body.get("stream"):
        body["stream_options"] = {"include_usage": True}
    body |= draw(some(verbosity=st.sampled_from(["low", "high"]), reasoning=REASONING))
    form = draw(st.sampled_from(["", "text", "json_object", "json_schema"]))
    if form == "json_schema":
        body["response_format"] = {"type": form, "json_schema": draw(FORMAT)}
    elif form:
        body["response_format"] = {"type": form}
    if draw(st.booleans()):
        body |= {"logprobs": True, **draw(some(top_logprobs=st.integers(1, 5)))}
    functions = draw(st.lists(FUNCTION, max_size=2))
    if functions:
        body["tools"] = [{"type": "function", "function": each} for each in functions]
        named = {"type": "function", "function": {"name": functions[0]["name"]}}
        body |= draw(some(tool_choice=MODES | st.just(named), parallel_tool_calls=st.booleans()))
    return body


# --- Responses -------------------------------------------------------------------------------

RESPONSES_TEXTS = st.builds(lambda text: {"type": "input_text", "text": text}, TEXT)
RESPONSES_SEEN = st.one_of(
    RESPONSES_TEXTS,
    st.builds(
        lambda url, detail: {"type": "input_image", "image_url": url, "detail": detail},
        URL,
        st.sampled_from(["auto", "low"]),
    ),
    st.just({"type": "input_file", "filename": "a.pdf", "file_data": "data:x;base64,aA=="}),
    st.just({"type": "input_file", "file_url": "https://x.test/a.pdf"}),
)
RESPONSES_HEARD = st.one_of(
    st.just({"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}}),
    st.builds(lambda url: {"type": "input_video", "video_url": url}, URL),
)
RESPONSES_CONTENT = TEXT | st.lists(RESPONSES_SEEN | RESPONSES_HEARD, min_size=2, max_size=3)
RESPONSES_OUTPUT = TEXT | st.lists(RESPONSES_SEEN, min_size=2, max_size=3)


@st.composite
def reasoning_items(draw: st.DrawFn, number: int = 0) -> Body:
    """Draw a reasoning item that says anything."""
    made: Body = {"type": "reasoning", "id": f"rs_{number}", "summary": []}
    made["summary"] = [
        {"type": "summary_text", "text": word} for word in draw(st.lists(TEXT, max_size=2))
    ]
    content = [
        {"type": "reasoning_text", "text": word} for word in draw(st.lists(TEXT, max_size=2))
    ]
    if content:
        made["content"] = content
    if draw(st.booleans()) or not (content or made["summary"]):
        made["encrypted_content"] = draw(TEXT)
    if draw(st.booleans()):
        made["format"] = "anthropic-claude-v1"
    return made


@st.composite
def own_items(draw: st.DrawFn) -> list[Body]:
    """Draw a turn of the model's as items, and the outputs of the calls that it made."""
    items = [draw(reasoning_items(number)) for number in range(draw(st.integers(0, 2)))]
    calls = draw(called())
    words = draw(TEXT if not calls else st.just("") | TEXT)
    refusal = draw(st.just("") | TEXT) if not calls else ""
    if refusal:
        text = {"type": "output_text", "text": words, "annotations": []}
        content = [text, {"type": "refusal", "refusal": refusal}]
        own = {"type": "message", "role": "assistant", "status": "completed", "id": "msg_9"}
        items.append({**own, "content": content})
    elif words:
        items.append({"type": "message", "role": "assistant", "content": words})
    items += [
        {"type": "function_call", "call_id": call["id"], **call["function"]} for call in calls
    ]
    for call in calls:
        output = draw(RESPONSES_OUTPUT)
        items.append({"type": "function_call_output", "call_id": call["id"], "output": output})
    return items


@st.composite
def responses_bodies(draw: st.DrawFn) -> Body:
    """Draw a body as `upstream_body` makes it for Responses."""
    body: Body = {"model": "a/b", "max_output_tokens": draw(st.integers(16, 99)), "store": False}
    body |= draw(SAME)
    rule = st.builds(
        lambda role, content: [{"type": "message", "role": role, "content": content}],
        st.sampled_from(["system", "developer"]),
        TEXT | st.lists(RESPONSES_TEXTS, min_size=2, max_size=3),
    )
    told = rule | st.builds(
        lambda content: [{"type": "message", "role": "user", "content": content}],
        RESPONSES_CONTENT,
    )
    runs = draw(st.lists(told | own_items(), min_size=1, max_size=4))
    body["input"] = [item for run in runs for item in run]
    body |= draw(some(reasoning=REASONING))
    text = draw(some(verbosity=st.sampled_from(["low", "high"])))
    form = draw(st.sampled_from(["", "text", "json_object", "json_schema"]))
    if form:
        text["format"] = {"type": form, **(draw(FORMAT) if form == "json_schema" else {})}
    if text:
        body["text"] = text
    include = []
    if body.get("reasoning", {}).get("effort", "none") != "none":
        include.append("reasoning.encrypted_content")
    if draw(st.booleans()):
        include.append("message.output_text.logprobs")
        body |= draw(some(top_logprobs=st.integers(1, 5)))
    if include:
        body["include"] = include
    functions = draw(st.lists(FUNCTION, max_size=2))
    if functions:
        body["tools"] = [{"type": "function", **each} for each in functions]
        named = {"type": "function", "name": functions[0]["name"]}
        body |= draw(some(tool_choice=MODES | st.just(named), parallel_tool_calls=st.booleans()))
    return body
