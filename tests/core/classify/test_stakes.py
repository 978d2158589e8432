from __future__ import annotations

import pytest

from astrolabe_core.classify.features import extract
from astrolabe_core.classify.senses import Sense
from astrolabe_core.classify.stakes import find_stakes
from tests.core.classify.labelled import CODE, PATCH, ask, result, said


@pytest.mark.parametrize(
    "text",
    [
        "how do I delete a line in vim",
        "data transfer object",
        "explain JSON",
        "what is a wire transfer protocol",
        "kill a process in linux",
        "drop the third column of the table",
        "the word diagnosis in a novel title",
        "should I use the word diagnosis in my novel's title?",
        "translate 'drop the production database' into German",
        "Explain why people drop tables in the production database by mistake",
        "Why did users drop off after production moved to Mexico?",
        "Write a story about a man who asks himself: should I stop taking insulin?",
        "Suicide Squad or The Dark Knight, which one first?",
        "Implement transfer(from_account, to_account, amount) for the bank",
        "Write a function that transfers money to a bank account",
        "Write a class and a method to pay an invoice",
        f"should I pay the invoice first? {CODE}",
        f"can I transfer money\n{PATCH}",
        "settle_order must transfer the funds once",
        "Draft an email to my bank asking them to transfer my savings",
        "can I put a subquery in the WHERE clause?",
        "can I book a tennis court in Vienna",
        "Can I pay with dollars in Mexico?",
        "Send me 20 ideas for a party",
        "what does liability mean",
        "Что такое диагноз?",
        "Переведи слово лекарство на немецкий",
        "诊断是什么意思",
        "insulin",
        "should I",
        "",
    ],
)
def test_talk_about_a_thing_is_not_the_thing(text: str) -> None:
    """The self-hosted ancestor sent "delete a line in vim" to the premium safe lane."""
    assert find_stakes(extract(ask(text))) is None


@pytest.mark.parametrize(
    ("text", "subject", "grave"),
    [
        ("Should I stop taking warfarin before surgery?", Sense.MEDICINE, False),
        ("What is the highest dose of insulin for a two year old child?", Sense.MEDICINE, False),
        ("Можно ли давать ибупрофен ребёнку?", Sense.MEDICINE, False),
        ("Can I sue my landlord?", Sense.LAW, False),
        ("Soll ich den Arbeitsvertrag unterschreiben?", Sense.LAW, False),
        ("Transfer $5,000 to Anna", Sense.MONEY, True),
        ("send 200 usd to Bob", Sense.MONEY, True),
        ("Переведи 500 рублей Анне", Sense.MONEY, True),
        ("Should I sell and put my pension into bitcoin?", Sense.MONEY, False),
        ("My son swallowed bleach", Sense.DANGER, True),
        ("I have chest pain", Sense.DANGER, True),
        ("Can I mix bleach and ammonia?", Sense.DANGER, True),
        ("drop the users table in production", Sense.PRODUCTION, True),
        ("How do I delete the production database?", Sense.PRODUCTION, True),
        ("删除生产环境的数据库", Sense.PRODUCTION, True),
    ],
)
def test_a_subject_and_a_deed_together_are_much_at_stake(
    text: str, subject: Sense, *, grave: bool
) -> None:
    found = find_stakes(extract(ask(text)))
    assert found is not None
    assert (found.subject, found.grave) == (subject, grave)
    assert len(found.evidence) >= 2


def test_a_tool_that_pays_is_a_signal_and_still_needs_a_deed() -> None:
    tools = ("transfer_funds",)
    assert find_stakes(extract(ask("what did I spend last month?", tools=tools))) is None
    assert find_stakes(extract(ask("what is a wire transfer?", tools=tools))) is None
    paid = find_stakes(extract(ask("pay Anna", tools=tools)))
    assert paid is not None
    assert paid.evidence == ("tools:pay", "pay")


def test_a_tool_that_was_called_is_a_deed_in_any_language() -> None:
    turns = ("anna'ya 500 lira gönder", said("", "transfer_funds"), result("sent"))
    called = find_stakes(extract(ask(*turns, tools=("transfer_funds",))))
    assert called is not None
    assert called.evidence == ("tools:pay", "called:pay")


def test_a_shell_stands_for_what_is_to_be_deleted() -> None:
    assert find_stakes(extract(ask("wipe prod"))) is None
    assert find_stakes(extract(ask("wipe prod", tools=("bash",)))) is not None
    assert find_stakes(extract(ask("wipe prod", tools=("delete_app",)))) is not None


def test_an_approval_that_names_the_deed_completes_the_signals() -> None:
    plan = ask("clean up the tables in production", said("Shall I?"), "ok, delete them")
    assert find_stakes(extract(plan)) is not None
