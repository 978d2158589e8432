# ruff: noqa: RUF001 - prompts in other scripts
from __future__ import annotations

import pytest

from astrolabe_core.classify.reading import HEAD, TAIL, read
from astrolabe_core.classify.senses import Sense


def test_code_is_told_from_prose_in_as_many_blocks_as_anybody_writes() -> None:
    block = "```\nabc\n```"
    assert read(block * 1_000).code_bytes == 5 * 1_000
    assert read(block * 5_000).code_bytes == 5 * 1_000


def test_words_are_found_by_word_by_pair_and_by_characters() -> None:
    assert read("Refactor this class").senses[Sense.CODE] == ("class",)
    assert read("Should I go?").senses[Sense.DECIDE] == ("should_i",)
    assert read("总结一下").senses[Sense.SUMMARY] == ("总结",)
    assert read("Pythonで書く").senses[Sense.CODE] == ("python",)


def test_a_decomposed_accent_is_the_same_word() -> None:
    assert read("re\u0301sume\u0301").senses == read("résumé").senses != {}


def test_a_word_counts_once() -> None:
    assert read("bug bug bug").senses[Sense.CODE] == ("bug",)


@pytest.mark.parametrize(
    "text",
    [
        'the label says "diagnosis"',
        "the label says 'diagnosis'",
        "the label says `diagnosis`",
        "the label says “diagnosis”",
        "the label says «diagnosis»",
        "the label says „diagnosis“",
        "the label ```diagnosis```",
    ],
)
def test_a_quoted_word_is_not_the_wish(text: str) -> None:
    assert Sense.MEDICINE not in read(text).senses


def test_a_message_that_is_all_quotation_is_the_wish() -> None:
    assert Sense.SUMMARY in read('"summarize the plot"').senses


def test_a_pasted_middle_is_not_the_wish() -> None:
    pasted = "The doctor changed the dose of insulin after surgery. " * 40
    reading = read(f"Summarize this, please:\n\n{pasted}\n\nTwo sentences will do.")
    assert Sense.SUMMARY in reading.senses
    assert Sense.MEDICINE not in reading.senses
    last = read(f"{'x' * HEAD}\n{pasted}\n\nPlease summarize.")
    assert Sense.SUMMARY in last.senses


def test_a_long_text_without_paragraphs_is_read_at_both_ends() -> None:
    reading = read(f"summarize {'a ' * 2 * (HEAD + TAIL)} poem")
    assert {Sense.SUMMARY, Sense.CREATIVE} <= set(reading.senses)
    glyphs = read(f"总结{'的' * 600}诗")
    assert {Sense.SUMMARY, Sense.CREATIVE} <= set(glyphs.senses)


def test_shape_is_seen_in_any_language() -> None:
    listed = read("требования:\n- быстро\n- тихо\n 3) дёшево")
    assert listed.items == 3
    assert read("x\n--- a/f\n+++ b/f\n@@ -1 +1 @@").diff
    assert read("```\nabc\n```").code_bytes == 5
    assert read("int a;\nint b;\nint c;\n").loose_code == 3
    assert read("\\frac{1}{2}").math
    assert read("покажи √2").math
    assert not read("show me").math
    assert read("да？").question
    assert read("好吗").question
    assert not read("да").question


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("send $20", True),
        ("20 € an Anna", True),
        ("500 рублей", True),
        ("500 people", False),
        ("a few dollars", False),
        ("price in $ and €", False),
    ],
)
def test_an_amount_is_a_number_of_a_currency(text: str, *, amount: bool) -> None:
    assert read(text).amount is amount


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("call from_account", True),
        ("why does main() hang", True),
        ("df['name'] fails", True),
        ("open app.py", True),
        ("a __ blank", False),
        ("plain words", False),
    ],
)
def test_names_of_programs_are_seen_in_prose(text: str, *, names: bool) -> None:
    assert read(text).identifiers is names


def test_talk_and_assent_are_told_by_how_a_text_opens() -> None:
    assert read("What is a lawsuit?").talk
    assert read("什么是诉讼").talk
    assert not read("Sue him. " + "And then " * 10 + "explain it").talk
    assert read("yes, do that").assent
    assert read("好的，请").assent
    assert not read("the answer is yes").assent
