from __future__ import annotations

from astrolabe_core.classify.ballot import Ballot, Vote, browses, cast, count, delegates
from astrolabe_core.classify.features import extract
from astrolabe_core.requests import Category, Role, Turn
from tests.core.classify.labelled import ARTICLE, CODE, CODER, PATCH, ask, result, said, system


def ballot(*turns: Turn | str, tools: tuple[str, ...] = ()) -> Ballot:
    return cast(extract(ask(*turns, tools=tools)))


def evidence(cast_ballot: Ballot, category: Category) -> set[str]:
    return {vote.evidence for vote in cast_ballot.votes if vote.category is category}


def test_votes_are_summed_and_structure_is_kept_apart() -> None:
    votes = [
        Vote(Category.CODING, 3, "diff", structural=True),
        Vote(Category.CODING, 2, "word:code", structural=False),
        Vote(Category.PLANNING, 2, "word:plan", structural=False),
    ]
    summed = count(votes)
    assert summed.points == {Category.CODING: 5, Category.PLANNING: 2}
    assert summed.structural == {Category.CODING}


def test_code_speaks_for_coding_in_whatever_form_it_comes() -> None:
    assert evidence(ballot(f"{CODE} ?"), Category.CODING) == {"code_fence"}
    assert evidence(ballot(f"x\n{PATCH}"), Category.CODING) >= {"diff"}
    loose = ballot("co to\nint a;\nint b;\nint c;\n")
    assert evidence(loose, Category.CODING) == {"code"}
    assert evidence(ballot("qu'est-ce que main()"), Category.CODING) == {"identifiers"}


def test_words_of_talk_are_half_evidence() -> None:
    assert ballot("fix the class").points[Category.CODING] == 2
    assert ballot("what is a class").points[Category.CODING] == 1


def test_a_wish_without_a_word_of_its_own_goes_on_with_the_last_one() -> None:
    turns = ("Refactor the billing module into three classes", said("Done."))
    assert evidence(ballot(*turns, "now the other one"), Category.CODING) == {
        "context:module",
        "context:classes",
    }
    assert ballot(*turns, "thanks a lot").points == {}
    assert Category.CODING not in ballot(*turns, "write a poem").points
    assert ballot(f"{CODE}\n\nfix", said("Done."), "and the other one").points[Category.CODING] == 3


def test_the_system_prompt_speaks_only_where_nothing_else_does() -> None:
    coder = system("You write code for a compiler.")
    assert ballot(coder, "why is it slow").points == {Category.CODING: 2}
    assert ballot(coder, "write a poem").points == {Category.CREATIVE: 2}


def test_tools_speak_for_what_they_are_for() -> None:
    assert evidence(ballot("go", tools=CODER), Category.CODING) == {
        "tools:edit",
        "tools:run",
        "tools:read",
    }
    assert ballot("go", tools=("get_weather",)).points == {}
    calling = ballot("go", said("", "get_weather"), result("sun"), tools=("get_weather",))
    assert calling.points == {Category.CORE_LOOP: 1}


def test_a_question_over_supplied_text_is_retrieval() -> None:
    supplied = ballot(f"{ARTICLE}\n\nWhen does it start?")
    assert evidence(supplied, Category.RETRIEVAL) == {"question:supplied_text"}
    attached = ballot(Turn(role=Role.USER, text="When does it start?", files=1))
    assert evidence(attached, Category.RETRIEVAL) == {"question:supplied_text"}
    assert evidence(ballot("What does the document say?"), Category.RETRIEVAL)
    assert ballot("Read the document.").points == {}


def test_a_supplied_text_makes_a_summary_surer() -> None:
    assert evidence(ballot(f"summarize\n\n{ARTICLE}"), Category.SUMMARIZATION) == {
        "supplied_text",
        "word:summarize",
    }


def test_one_search_tool_among_many_makes_no_browser() -> None:
    assert browses(extract(ask("go", tools=("web_search", "open_url"))))
    many = (*CODER, "web_search")
    assert not browses(extract(ask("go", tools=many)))
    assert browses(extract(ask("go", said("", "web_search"), result("x"), tools=many)))


def test_one_agent_tool_among_many_makes_no_orchestra() -> None:
    many = (*CODER, "Task")
    assert not delegates(extract(ask("fix it", tools=many)))
    assert delegates(extract(ask("delegate it", tools=many)))
    assert delegates(extract(ask("fix it", said("", "Task"), tools=many)))
    assert delegates(extract(ask("fix it", tools=("spawn_agent",))))
    assert not delegates(extract(ask("delegate it")))
    points = ballot("делай", tools=("spawn_agent",)).points
    assert points == {Category.ORCHESTRATION: 5}
    assert ballot("go", tools=("web_search",)).points == {Category.RESEARCH: 4}
