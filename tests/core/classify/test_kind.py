# ruff: noqa: RUF001 - prompts in other scripts
from __future__ import annotations

import attrs
import pytest

from astrolabe_core.classify import classify
from astrolabe_core.classify.ballot import count
from astrolabe_core.classify.features import extract
from astrolabe_core.classify.kind import (
    CACHEABLE_BYTES,
    CONFIDENCE_OF_NOTHING,
    CONFIDENCE_OF_WORDS,
    PRECEDENCE,
    Subject,
    judge,
)
from astrolabe_core.requests import (
    ActionClass,
    Category,
    Classification,
    Complexity,
    Modifier,
    OutputFormat,
    Overrides,
    Request,
    Role,
    Turn,
)
from astrolabe_core.stacks import CostMode
from astrolabe_core.units import Tokens
from tests.core.classify.labelled import ARTICLE, CODE, CODER, ask, result, said, system, user


def kind(request: Request | str) -> Classification:
    asked = ask(request) if isinstance(request, str) else request
    return classify(asked).classification


def overridden(overrides: Overrides) -> Request:
    return attrs.evolve(ask("go"), overrides=overrides)


def test_a_trained_ballot_may_take_the_place_of_the_hand_written_one() -> None:
    request = ask("no word of any vocabulary")
    subject = Subject(
        request=request, features=extract(request), ballot=count([]), stakes=None, input_tokens=5
    )
    assert judge(subject).category is Category.CORE_LOOP
    assert {*PRECEDENCE, Category.HEARTBEAT, Category.HIGH_STAKES} == set(Category)


def test_equal_votes_go_to_the_first_of_the_order() -> None:
    assert kind("code and a plan").category is Category.CODING
    assert kind("a plan and a poem").category is Category.CREATIVE


@pytest.mark.parametrize("text", ["hi", "ping", "", ".", "👋", "привет", "merci"])
def test_a_sign_of_life_is_a_heartbeat(text: str) -> None:
    judged = kind(text)
    assert (judged.category, judged.complexity) == (Category.HEARTBEAT, Complexity.SIMPLE)
    assert judged.evidence == ("tiny",)


def test_a_probe_for_one_token_is_a_heartbeat() -> None:
    probe = attrs.evolve(ask("count to one"), output_tokens_max=Tokens(1))
    assert kind(probe).category is Category.HEARTBEAT
    assert kind("count to one").category is Category.CORE_LOOP


@pytest.mark.parametrize(
    "request_",
    [
        ask("hi?"),
        ask("hello everybody in the room"),
        ask("one", said("two"), "hi"),
        ask("hi", tools=("bash",)),
        ask("hi", output_format=OutputFormat.JSON_OBJECT),
        ask(Turn(role=Role.USER, text="hi", images=1)),
    ],
)
def test_a_greeting_with_something_to_do_is_no_heartbeat(request_: Request) -> None:
    assert kind(request_).category is not Category.HEARTBEAT


@pytest.mark.parametrize(
    "text",
    [
        "Prove that the square root of two is irrational",
        "Докажи, что корень из двух иррационален",
        "证明根号二是无理数",
        "What is the proof by induction that ∑ k ≤ n^2?",
    ],
)
def test_a_proof_is_not_simple_in_any_language(text: str) -> None:
    """litellm PR #39226: proofs and legal prompts scored simple."""
    assert kind(text).complexity is Complexity.COMPLEX


def test_legal_analysis_is_not_simple() -> None:
    """litellm PR #39226: proofs and legal prompts scored simple."""
    text = "Analyse whether a non-compete clause in this employment contract is enforceable"
    assert kind(text).complexity in {Complexity.COMPLEX, Complexity.CRITICAL}
    assert kind("what does liability mean").complexity is Complexity.STANDARD
    assert kind("what does a theorem mean").complexity is Complexity.SIMPLE


@pytest.mark.parametrize("word", ["name", "setup", "hi", "test", "label"])
def test_naming_a_variable_does_not_downgrade_a_refactor(word: str) -> None:
    """The self-hosted ancestor: "name" or "setup" downgraded a refactor."""
    judged = kind(f"Refactor the class so that the variable is called {word}")
    assert judged.category is Category.CODING
    assert judged.action_class is ActionClass.CODE_EDIT
    assert judged.complexity is Complexity.STANDARD


def test_complexity_grows_with_length_in_any_language() -> None:
    """librefang #7757: one scorer said 100 % complex, another 100 % simple on Russian."""
    order = list(Complexity)
    for sentence in (
        "Расскажи о реках Европы. ",
        "Tell about rivers of Europe. ",
        "请谈谈欧洲的河流。",
    ):
        levels = [order.index(kind(sentence * times).complexity) for times in (1, 20, 200, 4_000)]
        assert levels == sorted(levels)
        assert levels[0] == order.index(Complexity.SIMPLE)
        assert levels[-1] >= order.index(Complexity.STANDARD)


def test_steps_tools_depth_and_reasoning_add_up() -> None:
    steps = "\n".join(f"{number}. do it" for number in range(1, 9))
    assert kind(f"x\n{steps}").complexity is Complexity.STANDARD
    loop = [turn for _ in range(20) for turn in (said("", "bash"), result("ok"))]
    assert kind(ask("fix the bug", *loop, tools=CODER)).complexity is Complexity.COMPLEX
    assert kind(attrs.evolve(ask("why"), reasoning=True)).complexity is Complexity.STANDARD


def test_an_act_is_critical_and_advice_is_complex() -> None:
    assert kind("Transfer $5,000 to Anna").complexity is Complexity.CRITICAL
    assert kind("Can I sue my landlord?").complexity is Complexity.COMPLEX


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (ask("Transfer $5,000 to Anna"), ActionClass.HIGH_STAKES),
        (ask(Turn(role=Role.USER, text="and this?", images=1)), ActionClass.VISION_ANALYSIS),
        (ask("rivers", output_format=OutputFormat.JSON_SCHEMA), ActionClass.STRICT_JSON),
        (ask("rivers", output_format=OutputFormat.JSON_OBJECT), ActionClass.STRICT_JSON),
        (ask("go", tools=("spawn_agent",)), ActionClass.SUBAGENT_COORDINATION),
        (ask("go", tools=("web_search",)), ActionClass.BROWSER_RESEARCH),
        (ask("go", said("", "bash"), result("ok"), tools=CODER), ActionClass.EXEC_LOOP),
        (ask("go", tools=CODER), ActionClass.CODE_EDIT),
        (ask(f"{CODE} fix"), ActionClass.CODE_EDIT),
        (ask("Why is my class slow?"), ActionClass.CASUAL_CHAT),
        (ask("Compare both in depth"), ActionClass.RESEARCH_SYNTHESIS),
        (ask("Write an email"), ActionClass.MESSAGE_DRAFTING),
        (ask("rivers", said("Which?"), "the longest ones"), ActionClass.ACTIVE_SESSION),
        (attrs.evolve(ask("rivers"), reasoning=True), ActionClass.ACTIVE_SESSION),
        (ask("rivers"), ActionClass.CASUAL_CHAT),
    ],
)
def test_the_most_consequential_action_that_holds_is_taken(
    request_: Request, expected: ActionClass
) -> None:
    assert kind(request_).action_class is expected


@pytest.mark.parametrize(
    "text", ["explain JSON", "Return the answer as JSON", "write strict JSON, valid JSON only"]
)
def test_the_word_json_does_not_force_strict_json(text: str) -> None:
    """The self-hosted ancestor: the word JSON forced strict-json."""
    judged = kind(text)
    assert judged.action_class is not ActionClass.STRICT_JSON
    assert Modifier.NEEDS_STRICT_SCHEMA not in judged.modifiers
    assert judged.lane != "strict-json"


def test_json_without_a_schema_is_no_strict_schema() -> None:
    judged = kind(ask("rivers", output_format=OutputFormat.JSON_OBJECT))
    assert Modifier.NEEDS_STRICT_SCHEMA not in judged.modifiers
    assert judged.lane != "strict-json"


def test_history_does_not_make_a_text_chat_multimodal() -> None:
    """The self-hosted ancestor: assistant history made a text chat multimodal."""
    drawn = Turn(role=Role.ASSISTANT, text="here", images=1)
    judged = kind(ask("draw a cat", drawn, "now tell me about rivers"))
    assert Modifier.MULTIMODAL not in judged.modifiers
    assert judged.lane != "vision"
    earlier = ask(Turn(role=Role.USER, text="?", images=1), said("A cat."), "tell me about rivers")
    assert Modifier.MULTIMODAL in kind(earlier).modifiers
    assert kind(earlier).action_class is not ActionClass.VISION_ANALYSIS


@pytest.mark.parametrize(
    ("request_", "modifier"),
    [
        (ask("go", tools=("get_weather",)), Modifier.TOOL_PRESENT),
        (ask("go", output_format=OutputFormat.JSON_SCHEMA), Modifier.NEEDS_STRICT_SCHEMA),
        (ask("go", said("", "bash")), Modifier.EXEC_LOOP),
        (ask("go", tools=("web_search",)), Modifier.BROWSER_RESEARCH),
        (ask("go", tools=CODER), Modifier.CODE_EDIT),
        (ask("go", tools=("spawn_agent",)), Modifier.SUBAGENT_COORDINATION),
        (ask("go " * 150_000), Modifier.LONG_CONTEXT),
        (ask(system("x" * CACHEABLE_BYTES), "go"), Modifier.CACHEABLE),
        (overridden(Overrides(approval_required=True)), Modifier.APPROVAL_REQUIRED),
        (overridden(Overrides(untrusted_content=True)), Modifier.UNTRUSTED_CONTENT),
        (overridden(Overrides(cost_mode=CostMode.LOWEST_PASSABLE)), Modifier.PRICE_SENSITIVE),
        (ask("use the cheapest model for that"), Modifier.PRICE_SENSITIVE),
        (ask("Transfer $5,000 to Anna"), Modifier.HIGH_STAKES),
    ],
)
def test_each_modifier_is_a_fact(request_: Request, modifier: Modifier) -> None:
    assert modifier in kind(request_).modifiers
    assert modifier not in kind("rivers").modifiers


def test_cheap_flights_do_not_ask_for_a_cheap_model() -> None:
    assert Modifier.PRICE_SENSITIVE not in kind("find me cheap flights to Oslo").modifiers
    assert Modifier.PRICE_SENSITIVE not in kind("what is the cheapest model?").modifiers


def test_confidence_follows_the_evidence() -> None:
    assert kind("rivers").confidence == CONFIDENCE_OF_NOTHING
    words = kind("fix the bug in the parser module of the compiler")
    assert words.confidence == CONFIDENCE_OF_WORDS
    structure = kind(ask("fix the bug in the parser module", tools=CODER))
    assert structure.confidence > words.confidence
    torn = kind("a poem and a plan")
    assert torn.confidence < kind("a poem").confidence
    inherited = kind(ask("fix the bug in the parser module of the compiler", said("?"), "yes"))
    assert inherited.confidence < words.confidence
    assert kind("Transfer $5,000 to Anna").confidence > CONFIDENCE_OF_WORDS


def test_evidence_names_facts_and_never_quotes_the_caller() -> None:
    request = ask(
        user("Refactor the secretproject class"),
        said("?"),
        Turn(role=Role.USER, text="yes"),
        tools=("secret_tool",),
        output_format=OutputFormat.JSON_SCHEMA,
    )
    judged = kind(request)
    assert judged.evidence == ("approves:1", "format:json_schema", "tools:1", "word:class")
    assert not any("secret" in fact for fact in kind(f"secret {ARTICLE}").evidence)
    picture = kind(ask(Turn(role=Role.USER, text="fix this class", images=2)))
    assert picture.evidence == ("images:2", "word:class")
    assert kind("Transfer $5,000 to Anna").evidence == ("stakes:money", "amount", "transfer")
