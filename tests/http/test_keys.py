from __future__ import annotations

import re

import pytest

from astrolabe_http.keys import (
    KeyMode,
    display_prefix,
    hash_key,
    is_key,
    last_four,
    make_key,
)

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"


@pytest.mark.parametrize("mode", KeyMode)
def test_a_key_has_the_promised_form(mode: KeyMode) -> None:
    assert re.fullmatch(rf"astrolabe_{mode.value}_[\w-]{{43}}[0-9A-Za-z]{{6}}", make_key(mode))


def test_keys_differ_and_are_keys() -> None:
    made = {make_key() for _ in range(500)}
    assert len(made) == 500
    assert all(map(is_key, made))


def test_any_one_wrong_character_is_found() -> None:
    key = make_key()
    for place in range(len("astrolabe_live_"), len(key)):
        for other in ALPHABET:
            if other != key[place]:
                assert not is_key(key[:place] + other + key[place + 1 :])


def test_two_neighbours_that_changed_places_are_found() -> None:
    key = make_key()
    for place in range(len("astrolabe_live_"), len(key) - 1):
        swapped = key[:place] + key[place + 1] + key[place] + key[place + 2 :]
        assert swapped == key or not is_key(swapped)


@pytest.mark.parametrize(
    "text",
    ["", "sk-abc", "astrolabe_live_", "astrolabe_mgmt_" + "a" * 49, "astrolabe_live_" + "é" * 49],
)
def test_other_texts_are_no_keys(text: str) -> None:
    assert not is_key(text)


def test_a_key_with_something_behind_it_is_none() -> None:
    assert not is_key(make_key() + "\n")
    assert not is_key(make_key() + "a")


def test_the_hash_depends_on_the_whole_key_and_on_the_secret() -> None:
    key = make_key()
    assert hash_key("one", key) != hash_key("two", key)
    assert hash_key("one", key) != hash_key("one", key[:-1])
    assert re.fullmatch("[0-9a-f]{64}", hash_key("one", key))


def test_what_is_shown_leaves_most_of_the_chance_unsaid() -> None:
    key = make_key(KeyMode.TEST)
    assert key.startswith(display_prefix(key))
    assert key.endswith(last_four(key))
    assert len(display_prefix(key)) == len("astrolabe_test_") + 4
    assert len(last_four(key)) == 4
