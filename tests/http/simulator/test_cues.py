"""What the prompt spells out is used, and nothing is used that does not fit."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from astrolabe_http.simulator.cues import quotations, told_arguments, wanted_keys

MAGIC: Any = {"type": "object", "properties": {"input": {"type": "integer"}}}
CUSTOMER: Any = {
    "type": "object",
    "properties": {
        "tier": {"type": "string", "enum": ["a", "b"]},
        "name": {"type": "string"},
        "note": {"type": "string"},
    },
}


def test_phrases_in_any_quotation_marks_are_found_and_apostrophes_are_none() -> None:
    prompt = """I can't say 'it' or "that" or “those”; it's the dogs' bone."""
    assert quotations(prompt) == ["it", "that", "those"]


@pytest.mark.parametrize(
    ("prompt", "keys"),
    [
        ("As JSON with 'setup' and 'punchline' keys.", ["setup", "punchline"]),
        ("As JSON with a \"name\" field, not 'a b'.", ["name"]),
        ("Say 'setup'.", []),
        ("A key.", []),
    ],
)
def test_keys_are_names_in_quotation_marks_where_the_talk_is_of_keys(
    prompt: str, keys: list[str]
) -> None:
    assert wanted_keys(prompt) == keys


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("What is magic(3)? Use the tool.", {"input": 3}),
        ("magic(input=4)", {"input": 4}),
        ("magic()", {}),
        ("magic(3, 4)", {"input": 3}),
        ("magic('x')", {}),
        ("magic(True)", {}),
        ("magic(__import__('os'))", {}),
        ("magic(other=1)", {}),
        ("dark_magic(3)", {}),
        ("magic", {}),
    ],
)
def test_a_call_in_the_prompt_tells_the_arguments(prompt: str, told: dict[str, object]) -> None:
    assert told_arguments(prompt, "magic", MAGIC) == told


def test_quoted_phrases_fill_the_free_strings_in_order() -> None:
    prompt = "Create a customer named '你好啊集团' (Hello Group)"
    assert told_arguments(prompt, "create", CUSTOMER) == {"name": "你好啊集团"}


@pytest.mark.parametrize("schema", [None, {}, [], {"properties": []}])
def test_without_properties_nothing_is_told(schema: object) -> None:
    assert told_arguments("magic(3) 'x'", "magic", schema) == {}


@pytest.mark.parametrize("extra", range(20))
def test_a_stated_call_has_what_was_stated_and_what_must_be(
    client: httpx.Client, extra: int
) -> None:
    schema = {
        "type": "object",
        "properties": {
            "cmd": {"type": "string"},
            "times": {"type": "integer"},
            "as_root": {"type": "boolean"},
        },
        "required": ["cmd", "times"],
    }
    tool = {"type": "function", "name": "run", "parameters": schema}
    prompt = f"Use run(cmd='ls'), will you, for the {extra}th time?"
    body = {"model": "openai/gpt-5.4-nano", "input": prompt, "tools": [tool]}
    (call,) = client.post("responses", json=body).json()["output"]
    arguments = orjson.loads(call["arguments"])
    assert arguments.keys() == {"cmd", "times"}
    assert arguments["cmd"] == "ls"
