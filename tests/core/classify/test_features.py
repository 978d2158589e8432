# ruff: noqa: RUF001 - prompts in other scripts
from __future__ import annotations

import attrs
import pytest

from astrolabe_core.classify.features import APPROVALS_MAX, extract
from astrolabe_core.classify.senses import Sense
from astrolabe_core.classify.toolkit import Trait
from astrolabe_core.requests import Role, ToolChoice, Turn
from tests.core.classify.labelled import ask, result, said, system, user

WORK = user("Refactor the billing module into three classes")


@pytest.mark.parametrize(
    "reply",
    [
        "yes", "ok", "go ahead", "Yes, please go ahead.", "ja", "ja, mach das", "oui", "sí", "sim",
        "sì", "tak", "да", "да, давай", "好", "好的，请继续", "はい", "👍", "2", "b", "", "evet",
    ],
)  # fmt: skip
def test_a_bare_yes_stands_for_what_it_approves(reply: str) -> None:
    """litellm PR #35471: yes to a complex plan went to the cheapest model."""
    features = extract(ask(WORK, said("Shall I?"), user(reply)))
    assert features.skipped == 1
    assert Sense.CODE in features.work.senses


@pytest.mark.parametrize(
    "reply",
    [
        "thanks",
        "hello",
        "why?",
        "write a poem",
        "ok, and now write me a poem",
        "```x```",
        "yes but first tell me everything you know about it",
        "是的，不过先告诉我你知道的关于这个模块的一切内容",
        "x" * 65,
    ],
)
def test_a_reply_that_asks_for_something_is_the_work_itself(reply: str) -> None:
    assert extract(ask(WORK, said("Shall I?"), user(reply))).skipped == 0


def test_a_reply_with_a_picture_is_no_approval() -> None:
    reply = Turn(role=Role.USER, text="ok", images=1)
    assert extract(ask(WORK, said("Shall I?"), reply)).skipped == 0


def test_a_first_word_approves_nothing() -> None:
    assert extract(ask("yes")).skipped == 0
    assert extract(ask(WORK, "yes")).skipped == 0


def test_approvals_are_looked_behind_only_so_far() -> None:
    few = [turn for _ in range(3) for turn in (said("ok?"), user("yes"))]
    assert extract(ask(WORK, *few)).skipped == 3
    many = [turn for _ in range(APPROVALS_MAX) for turn in (said("ok?"), user("yes"))]
    assert extract(ask(WORK, *many)).skipped == 0


def test_what_the_assistant_said_and_tools_returned_is_not_the_wish() -> None:
    features = extract(
        ask("what is new?", said("A lawsuit about insulin."), result("delete production database"))
    )
    assert features.work.senses.keys() <= {Sense.TALK}


def test_a_short_wish_is_read_with_what_was_wished_before() -> None:
    features = extract(ask(WORK, said("Done."), "now the other one too, but faster"))
    assert features.context is not None
    assert Sense.CODE in features.context.senses
    assert extract(ask("hi", said("hi"), "now the other one")).context is None
    assert extract(ask(WORK, said("Done."), "long " * 60)).context is None


def test_only_pictures_of_user_tool_and_system_turns_count() -> None:
    """The self-hosted ancestor: assistant history made a text chat multimodal."""
    drawn = Turn(role=Role.ASSISTANT, images=3)
    assert extract(ask("draw", drawn, "thanks, nice")).images == 0
    shot = Turn(role=Role.TOOL, images=1, audios=1, videos=1, files=1)
    features = extract(ask("look", said("", "screenshot"), shot))
    assert (features.images, features.audios, features.videos, features.files) == (1, 1, 1, 1)


def test_recent_pictures_came_with_the_work_or_after_it() -> None:
    picture = Turn(role=Role.USER, text="what is this?", images=1)
    assert extract(ask(picture)).recent_images == 1
    assert extract(ask(Turn(role=Role.USER, images=1), "what is this?")).recent_images == 1
    assert extract(ask(picture, said("A cat."), "write a poem about rain")).recent_images == 0
    assert extract(ask(picture, said("Shall I?"), "yes")).recent_images == 1


def test_tools_that_may_not_be_called_are_not_offered() -> None:
    request = ask("hi", tools=("bash", "web_search", "grep", "bash_again"))
    assert extract(request).offered == {Trait.RUN: 2, Trait.BROWSE: 1, Trait.READ: 1}
    without = extract(attrs.evolve(request, tool_choice=ToolChoice.NONE))
    assert (without.tools, without.offered) == (0, {})


def test_a_turn_in_which_tools_are_called_is_seen() -> None:
    features = extract(ask("go", said("", "bash"), result("done")))
    assert features.calling
    assert features.tool_result_last
    assert features.called == {Trait.RUN}
    after = extract(ask("go", said("", "bash"), result("done"), said("Done."), "and now?"))
    assert not after.calling
    assert not after.tool_result_last


def test_the_prefix_is_what_opens_the_conversation_and_the_tools() -> None:
    features = extract(ask(system("a" * 100), "hi", system("late"), tools=("bash",)))
    assert features.prefix_bytes == 500
    assert features.system is not None
    assert extract(ask("hi")).system is None


def test_no_turns_at_all_are_features_too() -> None:
    features = extract(ask())
    assert (features.turns, features.work.words, features.answered) == (0, 0, False)
    assert extract(ask(said("hello"))).answered
