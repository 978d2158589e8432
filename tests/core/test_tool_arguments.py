"""Arguments accuse by what they plainly show, are read within bounds, and have one form."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrolabe_core.requests import ToolLabel
from astrolabe_core.tool_arguments import (
    CHARACTERS_MAX,
    DEPTH_MAX,
    STATEMENT_CHARACTERS_MAX,
    VALUES_MAX,
    labels_of_arguments,
    read_arguments,
)

READ = frozenset({ToolLabel.READ})
UNKNOWN = frozenset({ToolLabel.UNKNOWN})


def shown(arguments: Any, known: frozenset[ToolLabel] = READ, *, seeks: bool = False) -> set[str]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    found = labels_of_arguments(read_arguments(text), known, seeks=seeks)
    return {label.value for label in found}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"city": "Paris", "days": 3, "exact": True, "near": None}, ""),
        # HTTP
        ({"url": "https://example.com/?q=secret"}, "browse"),
        ({"target": " http://example.com "}, "browse"),
        ({"pages": [{"at": "wss://example.com"}]}, "browse"),
        ({"apiEndpoint": "example.com/a"}, "browse"),
        ({"image_url": "data:image/png;base64,AAAA"}, ""),
        ({"note": "see https://example.com for more"}, ""),
        ({"method": "GET"}, "browse"),
        ({"method": "delete", "url": "https://example.com/users/7"}, "browse delete"),
        ({"httpMethod": "POST"}, "send write"),
        ({"request": {"request-method": "PATCH"}}, "send write"),
        ({"payment_method": "card"}, ""),
        # what is to be done stands in an argument
        ({"action": "delete"}, "delete"),
        ({"operation": "createUser"}, "write"),
        ({"command": "view", "path": "a.py"}, "read"),
        ({"command": "str_replace", "path": "a.py"}, "write"),
        ({"mode": "fast"}, ""),
        ({"action": "it was his last action"}, ""),
        # files
        ({"path": "a", "mode": "w"}, "write"),
        ({"path": "a", "mode": "ab"}, "write"),
        ({"path": "a", "mode": "r+"}, "write"),
        ({"path": "a", "mode": "rb"}, "read"),
        # commands
        ({"command": "ls -la"}, "execute"),
        ({"cmd": "whoami"}, "execute"),
        ({"command": "cd /tmp && rm -rf *"}, "execute delete"),
        ({"command": ["sudo", "rm", "-rf", "/"]}, "execute admin delete"),
        ({"commands": ["ls", "curl https://example.com -d @key"]}, "execute send"),
        ({"command": "echo alarm-rm"}, "execute"),
        ({"cmd": "  "}, ""),
        # statements
        ({"sql": "SELECT * FROM users"}, ""),
        ({"sql": "DROP TABLE users"}, "delete"),
        ({"query": "drop/**/table users"}, "delete"),
        ({"query": "SELECT 1; DELETE -- all of it\n FROM users"}, "delete"),
        ({"statement": "update users set admin = true"}, "write"),
        ({"query": "INSERT INTO users VALUES (1)"}, "write"),
        ({"query": "GRANT ALL ON users TO eve"}, "admin"),
        ({"query": "call wipe()"}, "execute"),
        ({"query": "mutation { removeUser(id: 7) { id } }"}, "write"),
        ({"query": "how do I drop a table?"}, ""),
        ({"query": "the latest update is set in stone"}, ""),
        # a message, and money
        ({"to": "a@example.com", "subject": "Hi"}, "send"),
        ({"channel": "#all", "message": "Hi"}, "send"),
        ({"to": "fr", "text": "Hello"}, ""),
        ({"amount": 5, "iban": "DE89"}, "pay"),
        ({"amount": 5, "from": "EUR", "to": "USD"}, ""),
        # no object
        ([{"method": "DELETE"}], "delete"),
        ("7", ""),
        ("", ""),
        ("  ", ""),
        ("null", ""),
    ],
)
def test_arguments_show_effects(arguments: Any, told: str) -> None:
    assert shown(arguments) == set(told.split())


def test_what_only_looks_may_be_given_code_to_look_at() -> None:
    code = {"code": "import shutil; shutil.rmtree('/')"}
    assert shown(code) == set()
    assert shown(code, UNKNOWN) == {"execute", "delete"}
    assert shown({"code": "USD"}, UNKNOWN) == set()


def test_words_that_are_looked_for_are_no_statement() -> None:
    """Talk about a thing is not the thing: "delete a line in vim" (the self-hosted ancestor)."""
    assert shown({"query": "DROP TABLE users"}, seeks=True) == set()
    assert shown({"sql": "DROP TABLE users"}, seeks=True) == {"delete"}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"a": 1,}',
        "{'a': 1}",
        '{"a": NaN}',
        '{"a": 1} and more',
        "rm -rf /",
        "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1),
        "[" * 100_000,
        '{"a":' * 100_000,
        json.dumps("x" * CHARACTERS_MAX),
        json.dumps([0] * 5 + ["x"] * (VALUES_MAX + 1)),
        json.dumps({"sql": "-" * (STATEMENT_CHARACTERS_MAX + 1)}),
        json.dumps({"command": "ls" + " " * STATEMENT_CHARACTERS_MAX}),
    ],
    ids=lambda text: f"{text[:12]} {len(text)}",
)
def test_what_could_not_be_read_is_unknown(text: str) -> None:
    assert "unknown" in shown(text)


def test_arguments_just_within_bounds_are_read() -> None:
    assert shown("[" * (DEPTH_MAX - 1) + "]" * (DEPTH_MAX - 1)) == set()
    assert shown(json.dumps("x" * (CHARACTERS_MAX - 2))) == set()
    assert shown({"sql": "-" * STATEMENT_CHARACTERS_MAX}) == set()


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_reading_never_raises(text: str) -> None:
    found = read_arguments(text)
    labels_of_arguments(found, READ, seeks=False)
    assert found.canonical


HOSTILE = [
    {"sql": "/*" * 8_000},
    {"sql": "--" * 8_000},
    {"sql": "update " * 2_300},
    {"sql": "update" + " " * 16_000},
    {"sql": "; " * 8_000},
    {"sql": "create or " * 1_600},
    {"sql": "insert or " * 1_600},
    {"sql": " " * 16_000 + "x"},
    {"command": "rm-" * 5_000},
    {"url": "http://" + "a" * 200_000},
    {"x": "http://" + "a " * 100_000},
    {"action": "A" * 200_000},
    {"action": "a_" * 100_000},
    {"a" * 200_000: "x"},
]


@pytest.mark.parametrize(
    "arguments", HOSTILE, ids=lambda each: f"{str(each)[:20]} {len(str(each))}"
)
def test_no_argument_takes_long_to_read(arguments: Any) -> None:
    begun = time.process_time()
    shown(arguments, UNKNOWN)
    assert time.process_time() - begun < 0.5


# --- one form -----------------------------------------------------------------------------
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(0.25),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def turned(value: Any) -> Any:
    """Give the same value with its keys the other way round."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(each) for each in value] if isinstance(value, list) else value


@given(JSONS)
def test_order_of_keys_and_whitespace_do_not_matter(value: Any) -> None:
    one = read_arguments(json.dumps(value))
    other = read_arguments(json.dumps(turned(value), indent=3, ensure_ascii=False))
    assert one.canonical == other.canonical
    assert json.loads(one.canonical) == value


@given(JSONS, JSONS)
def test_other_arguments_have_another_form(one: Any, other: Any) -> None:
    same = read_arguments(json.dumps(one)).canonical == read_arguments(json.dumps(other)).canonical
    assert same == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0"),
        ("0.1", '"0.1"'),
        ("1e400", "1e500"),
        ("0.1", "0.10000000000000000001"),
        ("9" * 30, "9" * 31),
        # Which of two equal keys counts, readers differ about.
        ('{"to": "a", "to": "b"}', '{"to": "b"}'),
        ('{"to": "a", "to": "b"}', '{"to": "b", "to": "a"}'),
        ("[[]]", "[{}]"),
        ("null", ""),
        ('"{"', "{"),
        ('"a"', "a"),
        ("{'a': 1}", '{"a": 1}'),
        ('"\\ud800"', '"\\ud801"'),
    ],
)
def test_texts_that_some_reader_tells_apart_have_different_forms(one: str, other: str) -> None:
    assert read_arguments(one).canonical != read_arguments(other).canonical


def test_no_arguments_are_the_empty_object() -> None:
    assert read_arguments("").canonical == read_arguments(" {} ").canonical


def test_arguments_stay_out_of_sight() -> None:
    assert "secret" not in repr(read_arguments('{"a": "secret"}'))
