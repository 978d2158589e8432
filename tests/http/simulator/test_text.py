from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from astrolabe_http.simulator.text import clip, compose, count_tokens, pieces, stop_at


@given(st.integers(0, 2**64 - 1), st.text())
def test_a_text_is_the_same_each_time_and_never_empty(seed: int, prompt: str) -> None:
    assert compose(seed, prompt) == compose(seed, prompt)
    assert count_tokens(compose(seed, prompt)) > 20


def test_a_text_echoes_the_prompt() -> None:
    assert "what is a ledger" in compose(3, "what is a ledger")


def test_texts_differ_in_length() -> None:
    assert len({count_tokens(compose(seed, "hello")) for seed in range(100)}) > 10


@given(st.text(), st.integers(1, 5))
def test_pieces_give_the_text_back(text: str, words: int) -> None:
    assert "".join(pieces(text, words)) == text
    assert all(pieces(text, words))


@given(st.text(), st.integers(0, 50))
def test_a_clipped_text_fits_and_begins_the_whole(text: str, tokens_max: int) -> None:
    clipped = clip(text, tokens_max)
    assert count_tokens(clipped) <= tokens_max
    assert text.startswith(clipped)


def test_a_text_ends_before_its_first_stop() -> None:
    assert stop_at("one two three", ("three", "two")) == "one "
    assert stop_at("one two three", ("four", "")) == "one two three"
