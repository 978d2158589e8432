"""Broken JSON is mended without a model where it is whole, and left alone where it is not."""

from __future__ import annotations

import json
from time import perf_counter

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from astrolabe_core.repair import CANDIDATES_MAX, CHARACTERS_MAX, candidates, parses

VALUE = '{"a": [1, 2.50, {"b": "x, ] ``` } \\" y"}], "c": null}'
FENCED = f"```json\n{VALUE}\n```"


@pytest.mark.parametrize(
    "text",
    [
        FENCED,
        f"```\n{VALUE}\n```",
        f"~~~\n{VALUE}\n~~~",
        f"````JSON\n{VALUE}\n````",
        f"```json {VALUE} ```",
        f"```{VALUE}```",
        f"```json\n{VALUE}",
        f"  ```json\n  {VALUE}\n  ```  ",
        f"Here [as asked] is {{it}}:\n\n{FENCED}\n\nKeep [1] in mind.",
        f"```json\nSure: {VALUE}\n```",
        f"Sure, here is the JSON you asked for:\n\n{VALUE}\n\nAnything else?",
        f"He said \"it's done: {VALUE}",
        f"Keep the [brackets] of {{this}}: {VALUE}, please",
        f"\ufeff{VALUE}",
        f"\ufeff\n{FENCED}",
        VALUE[:-1] + ",}",
        VALUE.replace("}]", "},]"),
        f"```json\n{VALUE[:-1]},}}\n```",
        f"{VALUE},",
        f"```js\nlet x;\n```\n{FENCED}",
    ],
)
def test_what_was_put_around_one_value_is_taken_off(text: str) -> None:
    """The ancestor: fenced JSON burned five models."""
    assert candidates(text) == (text, VALUE)


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        (f'{{"result": {VALUE}}}', (VALUE,)),
        (f'{{"whatever it is called" :\n{VALUE}\n}}', (VALUE,)),
        (f"[{VALUE}]", (VALUE,)),
        (f'[{{"answer": {VALUE}}}]', (f'{{"answer": {VALUE}}}', VALUE)),
        ('{"a": {"b": {"c": {"d": 1}}}}', ('{"b": {"c": {"d": 1}}}', '{"c": {"d": 1}}')),
        ('{"unexpected": true}', ("true",)),
        ('{"a": 1, "b": 2}', ()),
        ('{"a": 1, "a": 2}', ()),
        ("[1, 2]", ()),
        ("[]", ()),
        ("{}", ()),
        ('"text"', ()),
        (" 3 ", ()),
    ],
)
def test_a_wrapper_of_one_key_or_one_item_is_taken_off(text: str, inner: tuple[str, ...]) -> None:
    assert candidates(text) == (text, *inner)


def test_a_fence_around_a_wrapper_around_a_late_comma_is_all_taken_off() -> None:
    text = f'```json\n{{"result": {VALUE[:-1]},}}}}\n```'
    assert candidates(text)[-1] == VALUE


@pytest.mark.parametrize(
    "text",
    [
        VALUE[:-1],
        VALUE[:20],
        f"Sure:\n\n{VALUE[:-1]}\n\nAnything else?",
        f"```json\n{VALUE[:-1]}\n```",
        f"[{VALUE}, {VALUE}",
        '{"a": {"b": 1}',
        '{"a": "x',
        '{"a": [1, 2}',
        f"{VALUE}\n{VALUE}",
        f"First {VALUE} and then {VALUE}",
        f"{FENCED}\n\n{FENCED}",
        "{'a': {\"b\": 1}}",
        "[1,, 2]",
        '{"a": NaN}',
        "[Infinity]",
        "Infinity",
        "no JSON at all",
        "",
        "\ufeff",
        "```",
        "[x] " * 40 + VALUE,
        f"of [1, 2}} I mean {VALUE}",
    ],
)
def test_what_is_cut_short_broken_within_or_not_one_value_is_left_alone(text: str) -> None:
    assert candidates(text) == (text,)


def test_a_late_comma_goes_and_the_blanks_around_it_stay() -> None:
    assert candidates('{"a": [1 ,\n ] , }') == (
        '{"a": [1 ,\n ] , }',
        '{"a": [1 \n ]  }',
        "[1 \n ]",
        "1",
    )


def test_commas_and_fences_within_strings_stay() -> None:
    text = '{"code": "```json\\n[1,]\\n```", "list": ", ]",}'
    assert candidates(text)[1] == '{"code": "```json\\n[1,]\\n```", "list": ", ]"}'


def test_a_text_above_the_bound_is_not_looked_at() -> None:
    longest = "x" + "[" + " " * (CHARACTERS_MAX - 3) + "]"
    assert len(longest) == CHARACTERS_MAX
    assert len(candidates(longest)) == 2
    assert candidates(longest + " ") == (longest + " ",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
MARKS = ["{", "}", "[", "]", ",", ":", '"', "\\", "`", "```", "~~~", "```json", "\n", " ", "\ufeff"]
WORDS = ['"a"', "1", "null", "NaN", "words", "é", "\ud800", "\u2028", '{"result":', VALUE]
PIECES = st.sampled_from([*MARKS, *WORDS])
BROKEN = st.lists(PIECES, max_size=24).map("".join) | st.text(max_size=40)


def left_of(text: str, whole: str) -> bool:
    """Whether a text is what is left of another once characters are taken away."""
    rest = iter(whole)
    return all(character in rest for character in text)


@given(BROKEN)
def test_nothing_is_invented_whatever_the_text(text: str) -> None:
    made = candidates(text)
    event(f"{len(made)} candidates")
    assert made[0] == text
    assert len(made) <= CANDIDATES_MAX
    assert len(set(made)) == len(made)
    assert all(parses(each) and left_of(each, text) for each in made[1:])


AROUND = [
    "{}",
    "```json\n{}\n```",
    "~~~\n{}\n~~~",
    "\ufeff{}",
    "Sure, here it is:\n\n{}\n\nAnything else?",
    "Sure:\n```\n{}\n```\nDone.",
]


@given(JSON.filter(lambda value: isinstance(value, dict | list)), st.sampled_from(AROUND))
def test_a_whole_value_is_found_as_it_was_written(value: object, around: str) -> None:
    written = json.dumps(value, ensure_ascii=False)
    made = candidates(around.replace("{}", written, 1))
    assert written in made[:2]


@given(
    JSON.filter(lambda value: isinstance(value, dict | list)), st.sampled_from(AROUND), st.data()
)
def test_a_value_without_its_end_is_never_made_to_look_whole(
    value: object, around: str, data: st.DataObject
) -> None:
    """litellm #40404: an answer cut short was closed cleanly and looked whole."""
    written = json.dumps(value, ensure_ascii=False)
    cut = data.draw(st.integers(1, len(written) - 1), label="cut")
    assert len(candidates(around.replace("{}", written[:cut], 1))) == 1


N = CHARACTERS_MAX


@pytest.mark.parametrize(
    "text",
    [
        "[" * N,
        '["' * (N // 2),
        "[1" + ", " * (N // 2 - 2) + "]",
        "[1," + " " * (N - 5) + "2]",
        "```\n" * (N // 4),
        "`" * N,
        '"' * N,
        '{"' + "\\" * (N - 2),
        "{}" * (N // 2),
        "[" * (N // 2) + "]" * (N // 2),
        "x" + json.dumps([{"a": "b" * 20, "c": [1, 2, 3]}] * 5_000)[:-1] + ",]",
        " \t" * (N // 2) + "`",
    ],
    ids=lambda text: repr(text[:3] + text[-3:]),
)
def test_the_longest_text_takes_no_time_that_anybody_notices(text: str) -> None:
    """Measured: 0.13 s for brackets alone. What grew with the square would take minutes."""
    begun = perf_counter()
    candidates(text)
    assert perf_counter() - begun < 2


@pytest.mark.parametrize(
    ("text", "any_value", "an_object"),
    [
        ("{}", True, True),
        ("[1]", True, False),
        (" null ", True, False),
        ("NaN", False, False),
        ('{"a": -Infinity}', False, False),
        ("[" * 100_000, False, False),
        ("", False, False),
    ],
)
def test_what_is_json_and_what_is_an_object(text: str, any_value: bool, an_object: bool) -> None:
    assert (parses(text), parses(text, as_object=True)) == (any_value, an_object)
